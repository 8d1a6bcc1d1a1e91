import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { linkSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createTokenStream } from 'rx-fresh-token';
import { startTokenProxy, type StartTokenProxyOptions } from 'rx-fresh-token/proxy';
import { atEnd, listen, ok, send, textOf, until, Wire } from './support.js';

async function start(options: Partial<StartTokenProxyOptions> = {}, answer = ok) {
  const upstream = createServer((incoming, response) => {
    incoming.resume();
    answer(incoming, response, '');
  });
  const to = `http://127.0.0.1:${await listen(upstream)}`;
  const token$ = createTokenStream(() => Promise.resolve({ access_token: 'a' }));
  atEnd(() => token$.close());
  const proxy = await startTokenProxy(token$, { to, ...options });
  atEnd(() => proxy.close());
  return { proxy, port: Number(new URL(proxy.url).port) };
}

const folder = () => {
  const path = mkdtempSync(join(tmpdir(), 'proxy-spec-'));
  atEnd(() => rmSync(path, { recursive: true }));
  return path;
};

const overSocket = (socketPath: string) =>
  new Promise<string>((resolve, reject) => {
    request({ socketPath, path: '/orders', headers: { host: 'localhost' } }, (response) => {
      textOf(response).then(resolve, reject);
    })
      .on('error', reject)
      .end();
  });

it('should listen on a free port of loopback by default', async () => {
  const { proxy, port } = await start();
  expect(proxy.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await send(port)).body).toBe('ok');
});

it('should wait a minute for a head, and as long as it takes for a body', async () => {
  const { port } = await start();
  let times: unknown;
  const note = (message: unknown) => {
    const { server, request } = message as { server: Server; request: IncomingMessage };
    if (request.socket.localPort === port) times = [server.headersTimeout, server.requestTimeout];
  };
  subscribe('http.server.request.start', note);
  await send(port);
  unsubscribe('http.server.request.start', note);
  expect(times).toEqual([60_000, 0]);
});

/** The path of a socket that was left behind, as by a process that is killed. */
async function abandonedSocket(): Promise<string> {
  const path = join(folder(), 'orders.sock');
  const killed = createTcpServer();
  await new Promise<void>((done) => killed.listen(path, done));
  linkSync(path, `${path}.kept`);
  await new Promise((done) => killed.close(done));
  return `${path}.kept`;
}

it('should listen on a unix socket that only its owner may use, in the place of one that was left behind', async () => {
  const path = await abandonedSocket();
  const { proxy } = await start({ listen: `unix:${path}` });
  expect(proxy.url).toBe(`unix:${path}`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await overSocket(path)).toBe('ok');
});

it('should remove its own socket when it stops, and not what has taken its place', async () => {
  const path = join(folder(), 'orders.sock');
  const { proxy } = await start({ listen: `unix:${path}` });
  rmSync(path);
  const { proxy: next } = await start({ listen: `unix:${path}` });
  await proxy.close();
  expect(readdirSync(dirname(path))).toEqual(['orders.sock']);
  expect(await overSocket(path)).toBe('ok');
  await next.close();
  expect(readdirSync(dirname(path))).toEqual([]);
});

it('should leave a file alone that somebody has put in the place of its socket', async () => {
  const path = join(folder(), 'orders.sock');
  const { proxy } = await start({ listen: `unix:${path}` });
  rmSync(path);
  writeFileSync(path, 'a note');
  await proxy.close();
  expect(readdirSync(dirname(path))).toEqual(['orders.sock']);
});

it('should stop where its socket is gone', async () => {
  const path = join(folder(), 'orders.sock');
  const { proxy } = await start({ listen: `unix:${path}` });
  rmSync(path);
  await proxy.close();
  expect(readdirSync(dirname(path))).toEqual([]);
});

it('should listen once, if several start at the same time on a unix socket that was left behind', async () => {
  const path = await abandonedSocket();
  const starts = await Promise.allSettled(Array.from({ length: 8 }, () => start({ listen: `unix:${path}` })));
  const codes = starts.map((each) =>
    each.status === 'rejected' ? (each.reason as { code: unknown }).code : 'started',
  );
  expect(codes.sort()).toEqual([...Array.from({ length: 7 }, () => 'EADDRINUSE'), 'started']);
  expect(await overSocket(path)).toBe('ok');
  expect(readdirSync(dirname(path))).toEqual([basename(path)]);
});

it('should reject if another process listens there, or a file is in the way', async () => {
  const path = join(folder(), 'orders.sock');
  const { port } = await start();
  await expect(start({ listen: port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  const { proxy } = await start({ listen: `unix:${path}` });
  await expect(start({ listen: `unix:${path}` })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await proxy.close();
  writeFileSync(path, 'mine');
  await expect(start({ listen: `unix:${path}` })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

it.each([
  ['does not exist', 'missing', 'ENOENT'],
  ['is a file', 'file', 'ENOTDIR'],
])('should name the folder of the socket where that %s', async (_what, name, code) => {
  const parent = join(folder(), name);
  if (name === 'file') writeFileSync(parent, '', { mode: 0o700 });
  const failure: unknown = await start({ listen: `unix:${parent}/sock` }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TypeError);
  expect(String(failure)).toBe(
    `TypeError: option "listen" must be a unix socket in a folder that can be written (${code} ${parent}), ` +
      `got "unix:${parent}/sock"`,
  );
});

it('should finish what is under way when it closes, and break off what takes longer than the grace', async () => {
  const open: { end(text: string): void }[] = [];
  const { proxy, port } = await start({ grace: 100 }, (_request, response) => open.push(response));
  const short = send(port);
  const long = send(port).then(
    () => 'answered',
    () => 'broken off',
  );
  await until(() => open.length === 2);
  const closing = proxy.close();
  const late = send(port).catch((error: unknown) => (error as NodeJS.ErrnoException).code);
  open[0]?.end('done');
  const replies = await Promise.all([
    short.then(
      ({ body }) => body,
      () => 'broken off',
    ),
    long,
    late,
  ]);
  expect(replies.sort()).toEqual(['ECONNREFUSED', 'broken off', 'done'].sort());
  await closing;
});

it('should close once the requests under way have ended, whatever clients keep open, and however often it is called', async () => {
  const open: { end(text: string): void }[] = [];
  const { proxy, port } = await start({ grace: 600_000 }, (_request, response) => open.push(response));
  const keptAlive = send(port, { agent: new Agent({ keepAlive: true }) });
  await until(() => open.length === 1);
  const closings = [proxy.close(), proxy.close()];
  open[0]?.end('done');
  expect((await keptAlive).body).toBe('done');
  await Promise.all(closings);
});

it('should break off a WebSocket that the server has not answered', async () => {
  const silent = createServer();
  const asked = jest.fn();
  silent.on('upgrade', asked);
  const to = `http://127.0.0.1:${await listen(silent)}`;
  const { proxy, port } = await start({ grace: 600_000, to });
  const wire = new Wire(port, 'GET /live HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket');
  await until(() => asked.mock.calls.length === 1);
  await proxy.close();
  expect(await wire.end()).toBe('');
});

it('should log, and answer with a reason, a request that has no Host', async () => {
  const log = jest.fn();
  const { port } = await start({ log });
  expect(await new Wire(port, 'GET /orders HTTP/1.1').until(/Host\n/)).toContain(
    'HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain',
  );
  await until(() => log.mock.calls.length > 0);
  expect(log).toHaveBeenCalledWith(expect.objectContaining({ path: '/orders', status: 400 }));
});

it('should reject without options with a message that says so', async () => {
  const token$ = createTokenStream(() => Promise.resolve({ access_token: 'a' }));
  await expect(startTokenProxy(token$, undefined as never)).rejects.toThrow('options must be an object');
});

it.each([
  [{ listen: '0.0.0.0:80' }, /option "listen"/],
  [{ grace: -1 }, /option "grace"/],
  [{ to: 'x' }, /option "to"/],
])('should reject with the name of what is wrong: %j', async (options, message) => {
  await expect(start(options)).rejects.toThrow(message);
});
