/** The public function `startTokenServer`: a real server on loopback for integration tests. */
import { numbersIn, requireObject, wrong } from '../../internal/values/validate.js';
import type { TokenSource } from '../../token/types.js';
import { createJudge, type ApiStep, type Forbidden } from '../api/apiJudge.js';
import { listen } from './nodeHttp.js';
import { LONGEST } from '../settings.js';
import { fetchToken, type ServerTokenStep } from './tokenEndpoint.js';
import type { TokenRegister } from '../tokenRegister.js';
import { namesOf, type TokenNames } from '../tokenNames.js';
import { tokenServer } from './tokenServer.js';

/**
 * All times in milliseconds. `undefined` means the default; a value out of range is a TypeError that the promise
 * rejects with.
 */
export interface TokenServerOptions {
  /** The lifetime of a token, from when its request arrived. 1 to 2^31-1. Default 1000. */
  readonly lifetime?: number | undefined;
  /** How long each answer takes. 0 to 2^31-1. Default 0. */
  readonly latency?: number | undefined;
  /** 0 takes a free one. 0 to 65 535. Default 0. */
  readonly port?: number | undefined;
  /** The values of the tokens. Default `'numbers'`: token-1, token-2 … */
  readonly names?: TokenNames | undefined;
  /** The answer to an invalid token: 401 with `error="invalid_token"`, or a bare 403. Default 401. */
  readonly refuseWith?: 401 | 403 | undefined;
}

/** What the server has counted so far. */
export interface TokenServerCounts {
  /** Requests to the token endpoint, and the tokens that it gave. */
  readonly tokenRequests: number;
  readonly tokensIssued: number;
  /**
   * Requests to the API, and how they ended: accepted with 200, refused for their token, forbidden, failed as ordered.
   */
  readonly apiRequests: number;
  readonly accepted: number;
  readonly refused: number;
  readonly forbidden: number;
  readonly failed: number;
}

/** A server for integration tests, see {@link startTokenServer}. The functions need no `this`. */
export interface TokenServer extends TokenRegister {
  /**
   * `http://127.0.0.1:<port>`: the `baseUrl` of clients. Every path but `/token` is the API, which answers
   * `{ method, path, token }`.
   */
  readonly origin: string;
  /** The token endpoint. It takes any POST. */
  readonly tokenUrl: string;
  /** Fetches from the token endpoint with the global fetch: give it to `createTokenStream`. */
  readonly source: TokenSource;
  /** What the server has seen so far; the same object stays up to date. */
  readonly counts: TokenServerCounts;
  /** The next token requests are answered so, in order. */
  readonly failToken: (...steps: readonly ServerTokenStep[]) => void;
  /** The next API requests are answered so, in order. */
  readonly failApi: (...steps: readonly ApiStep[]) => void;
  /** From now on this path answers 403 to every token: `bare` (the default), or `insufficient_scope`. */
  readonly forbid: (path: string, how?: Forbidden) => void;
  /** Closes every connection, and resolves when the port is free. */
  readonly close: () => Promise<void>;
}

/**
 * Starts a token endpoint and the API that it protects, on a free port of this machine, in real time. Tokens have a
 * short lifetime, so that a test sees renewals. Fake timers that are installed later do not stop the server. The test
 * decides what fails. Node only: `node:http` is loaded when this is called, so the entry point itself also loads in
 * browsers.
 *
 * ```ts
 * const server = await startTokenServer({ lifetime: 500 });
 * const token$ = createTokenStream(server.source);
 * const fetch = createFetch(token$, { baseUrl: server.origin });
 * server.failToken('transient');                       // the first token request fails, and is repeated
 * await (await fetch('/orders')).json();               // { method: 'GET', path: '/orders', token: 'token-1' }
 * server.counts.tokenRequests;                         // 2
 * token$.close();
 * await server.close();
 * ```
 *
 * @returns the server, once it listens. The promise rejects with a TypeError that names an option out of range, with an
 *   Error where there is no `node:http`, and with the system's if the port is taken.
 */
export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  requireObject(options);
  const { names = 'numbers', refuseWith, ...numbers } = options;
  const { lifetime, latency, port } = numbersIn(numbers, {
    lifetime: [1, LONGEST, 1000],
    latency: [0, LONGEST, 0],
    port: [0, 65_535, 0],
  });
  if (!Number.isInteger(port)) throw wrong('port', port, 'an integer');
  const { handle, ...server } = tokenServer({ lifetime, latency, nameOf: namesOf(names) }, createJudge(refuseWith));
  const { origin, close } = await listen(port, handle);
  const tokenUrl = `${origin}/token`;
  return { origin, tokenUrl, source: ({ signal }) => fetchToken(tokenUrl, signal), ...server, close };
}
