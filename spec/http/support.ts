import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { inspect } from 'node:util';
import crossFetch from 'cross-fetch';
import { firstValueFrom, from, of, type ObservableInput } from 'rxjs';
import {
  createTokenStream,
  type TokenEvent,
  type TokenRequest,
  type TokenResponse,
  type TokenStream,
  type TokenStreamOptions,
} from 'rx-fresh-token';

export { until } from '../until.js';

/** One request as it came over the wire. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Api {
  readonly origin: string;
  readonly port: number;
  /** Every request that arrived whole, in order. */
  readonly seen: Seen[];
  /** Paths of requests whose connection was closed before the answer was out. */
  readonly cut: string[];
  /** Connections open now. The native fetch keeps one or two, and opens a new one for each that it had to close. */
  readonly sockets: Set<Socket>;
  /** Connections ever accepted. */
  accepted: number;
  authorizations(): (string | undefined)[];
  close(): Promise<void>;
}

export type Handler = (seen: Seen, response: ServerResponse, request: IncomingMessage) => unknown;

const cleanups: (() => unknown)[] = [];

/** Closes what the test opened: streams first, so that nothing is asked of a server that is gone. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** A real server on a free port of the loopback. */
export async function serve(handler: Handler, host = '127.0.0.1'): Promise<Api> {
  const sockets = new Set<Socket>();
  const seen: Seen[] = [];
  const cut: string[] = [];
  const server = createServer((request, response) => {
    response.once('close', () => {
      if (!response.writableFinished) cut.push(request.url!);
    });
    void buffer(request).then(
      (body) => {
        const arrived = { method: request.method!, path: request.url!, headers: request.headers, body };
        seen.push(arrived);
        handler(arrived, response, request);
      },
      () => undefined,
    );
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    api.accepted++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  const api: Api = {
    origin: `http://${name}:${String(port)}`,
    port,
    seen,
    cut,
    sockets,
    accepted: 0,
    authorizations: () => seen.map(({ headers }) => headers.authorization),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  cleanups.push(api.close);
  return api;
}

export const answer = (
  response: ServerResponse,
  status: number,
  body = '',
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, headers).end(body);
};

/** Answers 200 and the token to those who bring one of `good`, 401 to all others. */
export const guarded =
  (...good: string[]): Handler =>
  ({ headers }, response) => {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (token !== undefined && good.includes(token)) answer(response, 200, `hello ${token}`);
    else answer(response, 401, 'rejected', { 'www-authenticate': 'Bearer error="invalid_token"' });
  };

export interface Tokens {
  readonly token$: TokenStream;
  /** What the source was told, once for each fetch. */
  readonly asked: TokenRequest[];
  readonly events: TokenEvent[];
}

/** A stream of T1, T2, … that live an hour; `source` may answer otherwise. */
export function tokens(
  options: TokenStreamOptions = {},
  source?: (request: TokenRequest, n: number) => ObservableInput<TokenResponse>,
): Tokens {
  const asked: TokenRequest[] = [];
  const events: TokenEvent[] = [];
  const token$ = createTokenStream((request) => {
    const n = asked.push(request);
    return source ? from(source(request, n)) : of({ access_token: `T${String(n)}`, expires_in: 3600 });
  }, options);
  token$.events.subscribe((event) => events.push(event));
  cleanups.push(() => {
    token$.close();
  });
  return { token$, asked, events };
}

/** The same, with T1 at hand. */
export async function warmTokens(options: TokenStreamOptions = {}): Promise<Tokens> {
  const made = tokens(options);
  await firstValueFrom(made.token$);
  return made;
}

type Fetch = typeof globalThis.fetch;

/** Both kinds of fetch that matter on Node. */
export const fetches: readonly (readonly [string, Fetch | undefined])[] = [
  ['the native fetch', undefined],
  ['cross-fetch', crossFetch],
];

/** A fetch that records its calls and answers from a list, the last for ever. */
export function stubFetch(...answers: (Response | (() => Response | Promise<Response>) | number)[]) {
  const calls: { input: string | URL | Request; init: RequestInit; headers: Headers }[] = [];
  const fetch = ((input: string | URL | Request, init: RequestInit = {}) => {
    calls.push({ input, init, headers: new Headers(init.headers) });
    const next = answers[Math.min(calls.length, answers.length) - 1] ?? 200;
    const made =
      typeof next === 'function' ? next() : typeof next === 'number' ? new Response(null, { status: next }) : next;
    return Promise.resolve(made);
  }) as Fetch;
  return { fetch, calls };
}

/** What a promise rejects with; fails if it does not. */
export async function failureOf(promise: PromiseLike<unknown>): Promise<Error & { code?: string; cause?: unknown }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a rejection');
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Every way in which a value may end up in a log, as one text. */
export function printed(value: unknown): string {
  const json = (part: unknown): string => {
    try {
      return JSON.stringify(part);
    } catch (error) {
      return (error as Error).message;
    }
  };
  const parts: string[] = [];
  let part = value;
  for (let depth = 0; depth < 10 && part !== undefined; depth++) {
    parts.push(
      json(part),
      inspect(part, { showHidden: true, depth: 10 }),
      inspect(part, { showHidden: true, depth: 10, customInspect: false }),
    );
    if (typeof part !== 'object' || part === null) break;
    const { message, stack, cause } = part as Partial<Error>;
    parts.push(`${message} ${stack}`, json(Object.getOwnPropertyDescriptors(part)));
    part = cause;
  }
  return parts.join('\n');
}
