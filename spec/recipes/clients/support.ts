import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { createTokenStream, takeToken, type AccessToken, type TokenStream } from 'rx-fresh-token';
import { fakeTokenSource, type FakeTokenSource, type FakeTokenSourceOptions } from 'rx-fresh-token/testing';

export const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Waits for a condition, not for a time: the machine may be busy. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`${what} did not come in a minute`);
    await wait(25);
  }
}

/** Repeats a call until the server has accepted three tokens. */
export async function throughThree(accepted: ReadonlySet<string>, call: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + 60_000;
  while (accepted.size < 3) {
    if (Date.now() > end) throw new Error('three tokens did not come in a minute');
    await call();
    await wait(100);
  }
}

/** Repeats a call that succeeds at first until it fails. Resolves to the error. */
export async function untilItFails(call: () => Promise<unknown>): Promise<unknown> {
  await call();
  for (const end = Date.now() + 60_000; Date.now() < end; await wait(100)) {
    try {
      await call();
    } catch (error) {
      return error;
    }
  }
  throw new Error('no call failed in a minute');
}

/** The token of a header. */
export const tokenIn = (header: unknown): string => String(header).replace('Bearer ', '');

/** A resource server: it tells which tokens came, and rejects those that are not alive. */
export class Api {
  readonly source: FakeTokenSource;
  readonly token$: TokenStream;
  /** The tokens that were accepted. */
  readonly accepted = new Set<string>();
  /** How many requests or connections came with a token that had ended, and how many were rejected for any reason. */
  expired = 0;
  rejected = 0;
  respond: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{"now":1}}');
  };
  readonly http: Server = createServer((request, response) => {
    if (this.admit(request.headers.authorization?.replace('Bearer ', ''))) this.respond(request, response);
    else response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
  });

  constructor(options: FakeTokenSourceOptions = {}) {
    this.source = fakeTokenSource({ lifetime: 3000, names: 'numbers', latency: 20, ...options });
    this.token$ = createTokenStream(this.source, { expiryMargin: 1000 });
  }

  admit(value: string | undefined): boolean {
    const fate = this.source.fateOf(value ?? '');
    if (fate === 'alive') this.accepted.add(value as string);
    else this.rejected++;
    if (fate === 'expired') this.expired++;
    return fate === 'alive';
  }

  isAlive(value: string): boolean {
    return this.source.fateOf(value) === 'alive';
  }

  /** Ends a connection when its token has ended, as a strict server does. The function that is returned leaves it. */
  whenEnded(value: string, end: () => void): () => void {
    const watch = setInterval(() => {
      if (this.isAlive(value)) return;
      clearInterval(watch);
      end();
    }, 20);
    return () => clearInterval(watch);
  }

  /** Starts to listen on loopback; resolves to the origin. */
  async listen(): Promise<string> {
    await new Promise<void>((done) => this.http.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  /** Repeats a call until three tokens were accepted. */
  throughThreeTokens(call: () => Promise<unknown>): Promise<void> {
    return throughThree(this.accepted, call);
  }

  /** What a client that knows nothing of renewals has: the value of one token. */
  async take(): Promise<string> {
    return (await firstValueFrom(takeToken(this.token$))).value;
  }

  /** The server takes the current token back before its time. */
  revoke(): AccessToken {
    const token = this.token$.current;
    if (!token) throw new Error('there is no token to revoke');
    this.source.revoke(token);
    return token;
  }

  async close(): Promise<void> {
    this.token$.close();
    this.http.closeAllConnections();
    if (this.http.listening) await new Promise((done) => this.http.close(done));
  }
}
