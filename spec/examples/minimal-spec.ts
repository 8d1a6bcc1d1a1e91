import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';

const ROOT = join(__dirname, '../..');

let server: Server;
let sockets: WebSocketServer;
let origin: string;
let issued: number;
let signedIn: number;
/** The server has ended all sessions: their tokens are valid no more. */
let hasEnded: boolean;
/** What the API was sent. */
let sent: string[];
/** The forms that the token endpoint was sent. */
let forms: string[];
let child: ChildProcess | undefined;

beforeEach(async () => {
  [issued, signedIn, hasEnded, sent, forms] = [0, 0, false, [], []];
  server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    request.on('data', (form: Buffer) => forms.push(form.toString()));
    sent.push(`${method} ${url} ${headers.authorization ?? '-'}`);
    response.setHeader('content-type', 'application/json');
    if (hasEnded) response.writeHead(url === '/token' ? 400 : 401).end(JSON.stringify({ error: 'invalid_grant' }));
    else if (url === '/token')
      response.end(JSON.stringify({ access_token: `T${++issued}`, token_type: 'Bearer', expires_in: 30 }));
    else if (url === '/sign-in') response.end(JSON.stringify({ refresh_token: `R${++signedIn}` }));
    else response.end('[{"id":7}]');
  });
  sockets = new WebSocketServer({ server, path: '/feed' });
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => socket.send(`hello ${data.toString()}`));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  child?.kill();
  for (const socket of sockets.clients) socket.terminate();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

/** Runs an example until it prints a line that `is` accepts, or ends. Resolves to what it printed. */
function run(name: string, env: Record<string, string>, is: (output: string) => boolean): Promise<string> {
  const script = join(ROOT, 'examples/minimal', `${name}.ts`);
  const program = (child = spawn(process.execPath, ['--import', require.resolve('tsx'), script], {
    cwd: ROOT,
    env: { ...process.env, TOKEN_URL: `${origin}/token`, ...env, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json') },
  }));
  let output = '';
  return new Promise((resolve, reject) => {
    const read = (text: Buffer): void => {
      output += text.toString();
      if (is(output)) resolve(output);
    };
    program.stdout.on('data', read);
    program.stderr.on('data', read);
    program.once('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${name} ended with ${String(status)}: ${output}`));
    });
  });
}

it.each(['node', 'axios'])('the example %s should get its answer with a token, and end', async (name) => {
  expect(await run(name, { API: `${origin}/orders` }, () => false)).toBe('[ { id: 7 } ]\n');
  expect(sent).toEqual(['POST /token -', 'GET /orders Bearer T1']);
});

it('the example express should be ready once it has a token, pass the answer on, and end on SIGTERM', async () => {
  const output = await run('express', { API: origin }, (text) => text.includes('listening'));
  const port = /port: (\d+)/.exec(output)?.[1] ?? '';
  expect(await (await fetch(`http://127.0.0.1:${port}/orders`)).json()).toEqual([{ id: 7 }]);
  expect(sent).toEqual(['POST /token -', 'GET /orders Bearer T1']);
  const ended = new Promise((done) => child?.once('close', done));
  child?.kill('SIGTERM');
  expect(await ended).toBe(0);
});

it('the example sessions should keep a token for each session, ask with the refresh token of its sign-in, and end the session', async () => {
  const env = { API: origin, SIGN_IN_URL: `${origin}/sign-in`, CLIENT_SECRET: 's' };
  const output = await run('sessions', env, (text) => text.includes('listening'));
  const portal = `http://127.0.0.1:${/port: (\d+)/.exec(output)?.[1] ?? ''}`;
  const cookieOf = ({ headers }: Response) => headers.get('set-cookie')?.split(';')[0] ?? '';
  const [ann, bob] = await Promise.all([1, 2].map(() => fetch(`${portal}/sign-in`, { method: 'POST' }).then(cookieOf)));
  const orders = async (cookie = '') => (await fetch(`${portal}/orders`, { headers: { cookie } })).status;
  expect(await orders()).toBe(401);
  for (const cookie of [ann, ann, bob]) expect(await orders(cookie)).toBe(200);
  expect(sent.filter((each) => !each.includes('/sign-in')).map((each) => each.replace(/Basic .*/, 'Basic'))).toEqual([
    'POST /token Basic',
    'GET /orders Bearer T1',
    'GET /orders Bearer T1',
    'POST /token Basic',
    'GET /orders Bearer T2',
  ]);
  const used = forms.map((form) => new URLSearchParams(form).get('refresh_token'));
  expect(used.sort()).toEqual(['R1', 'R2']);
  await fetch(`${portal}/sign-out`, { method: 'POST', headers: { cookie: ann ?? '' } });
  expect([await orders(ann), await orders(bob), issued]).toEqual([401, 200, 2]);
});

it('the example sessions should ask for a sign-in when the session has ended, although its token has not expired', async () => {
  const env = { API: origin, SIGN_IN_URL: `${origin}/sign-in`, CLIENT_SECRET: 's' };
  const output = await run('sessions', env, (text) => text.includes('listening'));
  const portal = `http://127.0.0.1:${/port: (\d+)/.exec(output)?.[1] ?? ''}`;
  const { headers } = await fetch(`${portal}/sign-in`, { method: 'POST' });
  const cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
  const orders = async () => {
    const answer = await fetch(`${portal}/orders`, { headers: { cookie } });
    return [answer.status, answer.headers.get('set-cookie')?.split(';')[0]];
  };
  expect(await orders()).toEqual([200, undefined]);
  hasEnded = true;
  expect(await orders()).toEqual([401, 'session=']);
  sent = [];
  expect([await orders(), sent]).toEqual([[401, 'session='], []]);
});

it.each(['express', 'sessions'])('the example %s should fail if its port is taken', async (name) => {
  const env = { API: origin, PORT: new URL(origin).port };
  await expect(run(name, env, (text) => text.includes('listening'))).rejects.toThrow('EADDRINUSE');
});

it('the example websocket should send its token first', async () => {
  const output = await run('websocket', { FEED: `${origin.replace('http', 'ws')}/feed` }, (text) =>
    text.endsWith('\n'),
  );
  expect(output).toBe('hello T1\n');
});
