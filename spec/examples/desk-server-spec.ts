import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { isOwnPage } from '../../examples/demo/servers/isOwnPage.js';
import { folder } from './demoSupport.js';

// It starts processes, and other specs keep the machine busy.
jest.setTimeout(60_000);

const ROOT = resolve(__dirname, '../..');
const place = folder();
/** As `npm run angular` starts it, but on the sources. */
const start = (...args: string[]): ChildProcess =>
  spawn(process.execPath, ['--import', require.resolve('tsx'), join(ROOT, 'examples/angular/start.ts'), ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json') },
  });

const run = async (...args: string[]): Promise<{ status: unknown; output: string }> => {
  const child = start(...args);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()));
  const [status] = (await once(child, 'close')) as unknown[];
  return { status, output };
};

describe('the server of the order desk', () => {
  let desk: ChildProcess;
  let origin: URL;
  beforeAll(async () => {
    desk = start(place.path);
    const [printed] = (await once(desk.stdout!, 'data')) as [Buffer];
    origin = new URL(printed.toString().trim());
  });
  afterAll(() => {
    desk.kill();
    place.remove();
  });

  /** `fetch` sets Host and Origin itself. */
  const ask = (method: string, path: string, headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((done, failed) => {
      request(new URL(path, origin), { method, headers }, (response) => {
        response.resume();
        done(response.statusCode);
      })
        .once('error', failed)
        .end();
    });

  it.each(['/session/token', '/api/orders', '/control/revoke', '/control/break'])(
    'should let no other site post to %s',
    async (path) => {
      expect(await ask('POST', path, {})).toBe(403);
      expect(await ask('POST', path, { origin: 'https://elsewhere.example' })).toBe(403);
      expect(await ask('POST', path, { origin: 'null' })).toBe(403);
      const rebound = { host: 'elsewhere.example', origin: 'http://elsewhere.example' };
      expect(await ask('POST', path, rebound)).toBe(403);
    },
  );

  it('should let no other site read, by a name of its own', async () => {
    expect(await ask('GET', '/control/counts', { host: `elsewhere.example:${origin.port}` })).toBe(403);
    expect(await ask('GET', '/control/counts', {})).toBe(200);
  });

  it('should serve its own page', async () => {
    expect(await ask('POST', '/session/token', { origin: origin.origin })).toBe(200);
    const localhost = `localhost:${origin.port}`;
    expect(await ask('POST', '/control/revoke', { host: localhost, origin: `http://${localhost}` })).toBe(200);
  });
});

describe('npm run angular', () => {
  it('-- --help should explain itself and start nothing', async () => {
    const { status, output } = await run('--help');
    expect(status).toBe(0);
    expect(output).toContain('Usage: npm run angular --');
    expect(output).toContain('PORT');
  });

  it('should refuse a flag that it does not know', async () => {
    const { status, output } = await run('--open');
    expect([status, output]).toEqual([2, "error: unknown option '--open'\n"]);
  });
});

it.each([
  [{ method: 'GET', headers: { host: '127.0.0.1:4780' } }, true],
  [{ method: 'GET', headers: { host: 'localhost' } }, true],
  [{ method: 'GET', headers: {} }, false],
  [{ method: 'GET', headers: { host: '127.0.0.1.elsewhere.example' } }, false],
  [{ method: 'DELETE', headers: { host: 'localhost', origin: 'http://localhost' } }, false],
  [{ method: 'POST', headers: { host: 'localhost', origin: 'http://127.0.0.1' } }, false],
])('a request is of the own page: %j, %p', (request, own) => {
  expect(isOwnPage(request)).toBe(own);
});
