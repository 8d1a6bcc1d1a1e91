import {
  createServer,
  request as httpRequest,
  type Agent,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { createTokenStream, type TokenSource, type TokenStream, type TokenStreamOptions } from 'rx-fresh-token';
import { createTokenProxy, type ProxyLogEntry, type TokenProxy, type TokenProxyOptions } from 'rx-fresh-token/proxy';

import { until } from '../until.js';

export { until };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
export const atEnd = (end: () => unknown) => void ends.push(end);

export async function listen(server: Server | TcpServer): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket.on('close', () => open.delete(socket)));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  atEnd(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** What reached the upstream server. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface Rig {
  readonly port: number;
  readonly upstream: Server;
  readonly server: Server;
  readonly proxy: TokenProxy;
  readonly token$: TokenStream;
  /** Requests whose body the upstream server has read. */
  readonly seen: Seen[];
  readonly log: ProxyLogEntry[];
  /** How many tokens were fetched: a, b, c … */
  readonly fetched: () => number;
}

export const ok: Answer = (_request, response) => response.end('ok');

export async function textOf(message: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export interface RigOptions extends Partial<TokenProxyOptions> {
  readonly answer?: Answer;
  readonly path?: string;
  readonly source?: TokenSource;
  readonly stream?: TokenStreamOptions;
}

/** A server that wants a token, and the proxy before it, on loopback. */
export async function setUp({ answer = ok, path = '', source, stream, ...options }: RigOptions = {}): Promise<Rig> {
  const seen: Seen[] = [];
  const log: ProxyLogEntry[] = [];
  let fetched = 0;
  const upstream = createServer((request, response) => {
    const { method = '', url = '', headers, rawHeaders } = request;
    textOf(request).then(
      (body) => {
        seen.push({ method, url, headers, rawHeaders, body });
        answer(request, response, body);
      },
      () => undefined,
    );
  });
  const to = `http://127.0.0.1:${await listen(upstream)}${path}`;
  const letters = () => Promise.resolve({ access_token: 'abcdefgh'.charAt(fetched++), expires_in: 3600 });
  const token$ = createTokenStream(source ?? letters, stream);
  atEnd(() => token$.close());
  const proxy = createTokenProxy(token$, { to, log: (entry) => log.push(entry), ...options });
  const server = createServer();
  proxy.attach(server);
  const port = await listen(server);
  return { port, upstream, server, proxy, token$, seen, log, fetched: () => fetched };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly headersDistinct: IncomingMessage['headersDistinct'];
  readonly body: string;
}

export interface Order {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string | string[]> | undefined;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

export const send = (port: number, { method = 'GET', path = '/orders', headers = {}, body, agent }: Order = {}) =>
  new Promise<Reply>((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, headers, agent: agent ?? false },
      (response) => {
        const { statusCode: status = 0, headers: fields, headersDistinct } = response;
        textOf(response).then((text) => resolve({ status, headers: fields, headersDistinct, body: text }), reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });

/** Bytes as a client writes them. */
export class Wire {
  readonly socket: Socket;
  text = '';
  hasEnded = false;

  constructor(port: number, ...lines: string[]) {
    this.socket = connect(port, '127.0.0.1');
    atEnd(() => this.socket.destroy());
    this.socket.setEncoding('latin1');
    this.socket.on('data', (chunk: string) => (this.text += chunk));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.hasEnded = true));
    if (lines.length > 0) this.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  write(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  async until(pattern: RegExp): Promise<string> {
    await until(() => pattern.test(this.text));
    return this.text;
  }

  async end(): Promise<string> {
    await until(() => this.hasEnded);
    return this.text;
  }
}
