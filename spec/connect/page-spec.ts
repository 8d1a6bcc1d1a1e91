import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createClient, type ClientOptions } from 'graphql-ws';
import * as rxjs from 'rxjs';
import { Server as SocketServer, type Socket } from 'socket.io';
import { io, type ManagerOptions } from 'socket.io-client';
import { runBlock } from '../runBlock.js';
import { WebSocket, WebSocketServer } from 'ws';
import * as library from 'rx-fresh-token';
import * as connections from 'rx-fresh-token/connect';
import { until } from './protectedServer.js';

const page = readFileSync(join(__dirname, '../../docs/connect.md'), 'utf8');
/** The code with graphql-ws and socket.io. */
const example = [...page.matchAll(/^```ts\n(.*?)^```/gms)].find(([, code]) => code?.includes('graphql-ws'))?.[1] ?? '';

let ends: (() => unknown)[];
let tokens: number;
/** What the example printed as errors: `code message`. */
let errors: string[];

beforeEach(() => {
  [ends, tokens, errors] = [[], 0, []];
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

/** Runs one half of the example of the page against a server of this spec: `orders$` or `news$`. */
function run(name: 'orders$' | 'news$', port: number, path = ''): void {
  const code = example
    .replace('wss://api.example.com/graphql', `ws://127.0.0.1:${port}`)
    .replace('https://api.example.com', `http://127.0.0.1:${port}${path}`)
    .replace(new RegExp(`^(?!${name.replace('$', '\\$')})\\w+\\$\\.subscribe.*$`, 'gm'), '')
    .replace(`${name}.subscribe`, `exports.token$ = token$;\nexports.running = ${name}.subscribe`);
  const modules: Record<string, unknown> = {
    rxjs,
    'rx-fresh-token': library,
    'rx-fresh-token/connect': connections,
    // Node has no WebSocket of its own before version 22.
    'graphql-ws': {
      createClient: (options: ClientOptions) => createClient({ ...options, webSocketImpl: WebSocket }),
    },
    // Its polling would keep Jest waiting.
    'socket.io-client': {
      io: (url: string, options: Partial<ManagerOptions>) => io(url, { ...options, transports: ['websocket'] }),
    },
  };
  const fetched = () => Promise.resolve(Response.json({ access_token: `T${++tokens}`, expires_in: 3600 }));
  const printed = { log: () => undefined, error: (...words: unknown[]) => errors.push(words.join(' ')) };
  const exported: { running?: rxjs.Subscription; token$?: library.TokenStream } = {};
  const require = (module: string) => modules[module];
  runBlock(code, { exports: exported, require, fetch: fetched, console: printed });
  ends.push(() => {
    exported.running?.unsubscribe();
    exported.token$?.close();
  });
}

/** A server of graphql-ws that closes each connection with a code. */
async function closing(code: number): Promise<{ port: number; connected: () => number }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: ([first]) => first ?? false });
  let connected = 0;
  server.on('connection', (socket) => {
    connected += 1;
    socket.on('message', () => socket.close(code, 'it closes'));
  });
  await new Promise((done) => server.once('listening', done));
  ends.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connected: () => connected };
}

describe('graphql-ws, as docs/connect.md has it', () => {
  it.each([4004, 4005, 4400, 4406, 4409, 4429, 4500])('should end after close code %p', async (code) => {
    const { port, connected } = await closing(code);
    run('orders$', port);
    await until(() => errors.length > 0);
    expect([errors.length, errors[0]?.split(' ')[0], connected()]).toEqual([1, String(code), 1]);
  });

  it.each([1001, 1012, 4408, 4504])('should connect again after close code %p', async (code) => {
    const { port, connected } = await closing(code);
    run('orders$', port);
    await until(() => connected() === 2);
    expect(errors).toEqual([]);
  });
});

/** A server of socket.io. */
async function serving(onConnection: (socket: Socket) => void): Promise<{ port: number; connected: () => number }> {
  const http = createServer();
  const server = new SocketServer(http);
  let connected = 0;
  server.engine.on('connection', () => (connected += 1));
  server.on('connection', onConnection);
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  ends.push(() => server.close());
  return { port: (http.address() as AddressInfo).port, connected: () => connected };
}

describe('socket.io, as docs/connect.md has it', () => {
  it('should end if the server has no such namespace', async () => {
    const { port, connected } = await serving(() => undefined);
    run('news$', port, '/nope');
    await until(() => errors.length > 0);
    expect([errors, connected()]).toEqual([[' Invalid namespace'], 1]);
  });

  it('should end if the server disconnects the client', async () => {
    const { port, connected } = await serving((socket) => socket.disconnect(true));
    run('news$', port);
    await until(() => errors.length > 0);
    expect([errors, connected()]).toEqual([[' io server disconnect'], 1]);
  });

  it('should connect again if the connection is lost', async () => {
    const { port, connected } = await serving((socket) => socket.conn.close());
    run('news$', port);
    await until(() => connected() === 2);
    expect(errors).toEqual([]);
  });
});
