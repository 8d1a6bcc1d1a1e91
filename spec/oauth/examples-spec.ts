import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format, promisify } from 'node:util';
import { clientOf, startAuthority, type Authority } from './authority.js';

let authority: Authority;
let folder: string;
const env = process.env;
beforeAll(async () => {
  authority = await startAuthority();
  folder = await mkdtemp(join(tmpdir(), 'examples-'));
});
afterAll(async () => {
  process.env = env;
  await rm(folder, { recursive: true });
});

/**
 * Runs an example here, where the package's name stands for its sources, and waits until it has printed so many lines.
 */
async function run(load: () => Promise<unknown>, settings: Record<string, string>, lines: number): Promise<unknown[]> {
  const printed: unknown[] = [];
  const log = jest
    .spyOn(console, 'log')
    .mockImplementation((...line: unknown[]) => printed.push(line.length > 1 ? format(...line) : line[0]));
  const error = jest.spyOn(console, 'error').mockImplementation((failure) => printed.push(failure));
  process.env = { ...env, ISSUER: authority.issuer, API: `${authority.issuer}/api/me`, ...settings };
  try {
    await jest.isolateModulesAsync(load as () => Promise<void>);
    const deadline = Date.now() + 5000;
    while (printed.length < lines && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    return printed;
  } finally {
    log.mockRestore();
    error.mockRestore();
    expect(process.exitCode).toBeUndefined();
  }
}

describe('the examples', () => {
  it('should run: client-credentials', async () => {
    const { clientId, clientSecret } = clientOf(authority, 'basic');
    const printed = await run(
      () => import('../../examples/client-credentials.js'),
      { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, CALLS: '2', PAUSE: '10' },
      5,
    );
    const answer = expect.objectContaining({ sub: 'basic' }) as unknown;
    expect(printed).toEqual([
      'refreshStarted',
      expect.stringMatching(/^now using AccessToken\(Bearer \w{8}\)$/),
      answer,
      answer,
      'closed',
    ]);
  });

  it('should run: refresh-token-file, twice, with what the first run left', async () => {
    const file = join(folder, 'token.json');
    const seed = await authority.seed({ clientId: 'cli' });
    await writeFile(file, `${seed}\n`, { mode: 0o600 });
    for (let i = 0; i < 2; i++) {
      expect(
        await run(() => import('../../examples/refresh-token-file.js'), { CLIENT_ID: 'cli', TOKEN_FILE: file }, 1),
      ).toEqual([expect.objectContaining({ sub: 'alice' })]);
    }
    expect(await readFile(file, 'utf8')).not.toContain(seed);
    expect((await authority.stats()).revokedGrants).toBe(0);
  });

  it('should make one DPoP key, whole, though five tools start at once: docs/oauth.md', async () => {
    const page = await readFile(join(__dirname, '../../docs/oauth.md'), 'utf8');
    const [, imports = '', code = ''] =
      /(import [^;]* from 'node:fs';)[^`]*?(const algorithm = .*?)const token\$ =/s.exec(page) ?? [];
    const at = String(Date.now() + 1000);
    const tool = `${imports}\nawait new Promise((go) => setTimeout(go, ${at} - Date.now()));\n${code}`;
    await writeFile(join(folder, 'tool.mjs'), `${tool}\nconsole.log(x, dpop.privateKey.type);`);
    const start = () => promisify(execFile)(process.execPath, ['tool.mjs'], { cwd: folder });
    const printed = await Promise.all(Array.from({ length: 5 }, async () => (await start()).stdout));
    const { x } = JSON.parse(await readFile(join(folder, 'key.json'), 'utf8')) as JsonWebKey;
    expect(new Set(printed)).toEqual(new Set([`${String(x)} private\n`]));
    expect((await readdir(folder)).filter((name) => name.startsWith('key.json'))).toEqual(['key.json']);
  });
});
