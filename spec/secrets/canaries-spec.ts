import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleDemo, folder, ownFlags, runDemo } from '../examples/demoSupport.js';
import { bundle } from '../setup/bundle.js';
import { canaries, encodings, escaped } from './canaries.js';
import { startHostileServer } from './hostileServer.js';

const place = folder();
const demo = bundleDemo();
const program = bundle(join(__dirname, 'canaries.main.ts'), 'external');
afterAll(() => {
  for (const made of [place, demo, program]) made.remove();
});

interface Printed {
  readonly text: string;
  readonly status: number | string | null;
}

const run = (...args: string[]): Promise<Printed> =>
  new Promise((resolve) => {
    const env = { ...process.env, NODE_OPTIONS: '' };
    execFile(
      process.execPath,
      [program.file, ...args],
      { env, timeout: 280_000, maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        resolve({ text: stdout + stderr, status: error ? (error.code ?? null) : 0 });
      },
    );
  });

it('should be found in every encoding, or these specs prove nothing', () => {
  const [, , secret] = Object.values(canaries);
  const basic = Buffer.from(`me:${encodeURIComponent(secret!)}`).toString('base64');
  for (const text of [
    secret,
    encodeURIComponent(secret!),
    Buffer.from(`me:${secret!}`).toString('base64'),
    JSON.stringify({ secret }),
    new URLSearchParams({ secret: secret! }).toString(),
  ]) {
    expect(escaped(`before ${String(text)} after`)).not.toEqual([]);
  }
  expect(Buffer.from(basic, 'base64').toString()).toContain(encodeURIComponent(secret!));
  expect(encodings.length).toBeGreaterThan(Object.keys(canaries).length * 4);
});

describe('a canary', () => {
  it('should be in nothing that is printed of tokens, streams, clients, sources, stores, events and errors, whatever the servers do', async () => {
    const vault = join(place.path, 'vault.json');
    const { text, status } = await run('everything', vault);
    expect(escaped(text)).toEqual([]);
    expect(status).toBe(0);
    // Everything was printed.
    for (const type of ['refreshStarted', 'tokenChanged', 'refreshFailed', 'tokenRejected', 'closed'])
      expect(text).toContain(`: ${type} {`);
    for (const code of [
      'ERR_TOKEN_UNAVAILABLE',
      'ERR_TOKEN_ENDPOINT',
      'ERR_INVALID_TOKEN_RESPONSE',
      'ERR_TOKEN_STREAM_CLOSED',
      'ERR_ORIGIN_NOT_ALLOWED',
      'ERR_HTTP_STATUS',
    ])
      expect(text).toContain(code);
    for (const each of ['axios /401 failed', 'tabs store: tokenChanged', 'memory store: tokenChanged'])
      expect(text).toContain(each);
    expect(text.length).toBeGreaterThan(1_000_000);
    // The vault is the one place for a refresh token.
    expect(readFileSync(vault, 'utf8')).toContain(canaries.refreshToken);
    expect(statSync(vault).mode & 0o777).toBe(0o600);
  }, 300_000);

  it('should be in nothing that the file store, the pool, the proxy, the watchers and the connections print', async () => {
    const { text, status } = await run('entries', place.path);
    expect(escaped(text)).toEqual([]);
    expect(status).toBe(0);
    // Each entry was used, and failed in its own way.
    const proofs = [
      'file store: tokenChanged',
      'file store: refreshFailed',
      'file store: foreign file failed TokenUnavailableError',
      'mistake: file, text failed TokenStoreError',
      'pool: tokenChanged',
      'pool: refreshFailed',
      'pool: closed failed TokenStreamClosedError',
      'mistake: pool, key failed TypeError',
      'proxy: log, grants',
      'proxy: log, grants DPoP',
      'proxy: /ok {\n  status: 503',
      'proxy: own token {\n  status: 400',
      'mistake: proxy, credentials failed TypeError',
      'otel: message refreshFailed',
      'rx_fresh_token.refresh.duration',
      'mistake: otel, meter failed TypeError',
      'connect: events of /500 failed HttpStatusError',
      'connect: code 4401 failed',
      'connect: closed failed TokenStreamClosedError',
      'mistake: connect, headers failed TypeError',
    ];
    expect(proofs.filter((each) => !text.includes(each))).toEqual([]);
    // The one place where the file store keeps a token.
    expect(statSync(join(place.path, 'token.json')).mode & 0o777).toBe(0o600);
  }, 60_000);

  it.each(['uncaught', 'unhandled'])(
    'should not be in what Node prints of an error that is %s',
    async (mode) => {
      const { text, status } = await run(mode);
      expect(status).toBe(1);
      expect(text).toContain('TokenEndpointError');
      expect(escaped(text)).toEqual([]);
    },
    60_000,
  );

  it.each([
    ['delivers', 'grants', '/ok', 0],
    ['is refused', 'grants', '/401', 1],
    ['meets an API that mirrors', 'grants', '/400', 1],
    ['gets no token', 'mirrors as an OAuth error', '/ok', 1],
    ['gets a token that no header can carry', 'grants what no header can carry', '/ok', 1],
  ])(
    'should not be in what the demo prints and writes down when it %s',
    async (_what, manner, path, expected) => {
      const server = await startHostileServer();
      const input = place.file('{"id":"order-1"}\n{"id":"order-2"}\n');
      const flags = [
        ...ownFlags(server.tokenUrl(manner), `${server.origin}${path}?${canaries.query}`),
        '--input',
        input,
        '--header',
        `X-Key: ${canaries.header}`,
      ];
      const { status, stdout, stderr } = await runDemo(flags, {
        main: demo.main,
        env: { DEMO_SECRET: canaries.clientSecret },
      });
      server.close();
      expect(status).toBe(expected);
      const written = existsSync(`${input}.rejected`) ? readFileSync(`${input}.rejected`, 'utf8') : '';
      expect(stdout + stderr).toMatch(/token (fetch|[0-9a-f]{8})/);
      expect(escaped(stdout + stderr + written)).toEqual([]);
    },
    120_000,
  );
});
