import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Target } from './candidate.js';

/** Milliseconds before each answer, as if the servers stood across a network. */
const LATENCY = { token: 50, api: 10 };

export interface ServerOptions {
  /** Milliseconds; tokens say it in whole seconds. */
  readonly lifetime: number;
  /** How the API refuses a token that has expired or is revoked: a 401 says `invalid_token`, a 403 says nothing. */
  readonly refuseWith: 401 | 403;
}

export interface CompareServer extends Target {
  /** What came over the wire: 401 and 403 answers of the API, and tokens that were issued. */
  readonly counts: { readonly refused: number; readonly tokens: number };
  /** Every token that was issued so far is dead from now on. */
  revokeAll(): void;
  /** While true, the token endpoint answers 503. */
  setOutage(down: boolean): void;
  close(): void;
}

/**
 * A token endpoint and the API that it protects, on loopback. The API forbids `/forbidden` to every token, by a bare
 * 403.
 */
export async function startServer({ lifetime, refuseWith }: ServerOptions): Promise<CompareServer> {
  const expiryOf = new Map<string, number>();
  const counts = { refused: 0, tokens: 0 };
  let down = false;

  async function answerToken(response: ServerResponse): Promise<void> {
    const arrived = performance.now();
    await pause(LATENCY.token);
    if (down) {
      reply(response, 503, { error: 'temporarily_unavailable' });
      return;
    }
    const access_token = randomUUID();
    expiryOf.set(access_token, arrived + lifetime);
    counts.tokens += 1;
    reply(response, 200, { access_token, token_type: 'Bearer', expires_in: lifetime / 1000 });
  }

  async function answerApi(request: IncomingMessage, pathname: string, response: ServerResponse): Promise<void> {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const alive = (expiryOf.get(token) ?? 0) > performance.now();
    await pause(LATENCY.api);
    if (alive && pathname !== '/forbidden') {
      reply(response, 200, { order: 1 });
      return;
    }
    counts.refused += 1;
    if (alive || refuseWith === 403) reply(response, 403, { message: 'Forbidden' });
    else reply(response, 401, {}, { 'www-authenticate': 'Bearer error="invalid_token"' });
  }

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', origin);
    if (pathname.endsWith('/.well-known/openid-configuration')) reply(response, 200, metadata(origin));
    else void (pathname === '/token' ? answerToken(response) : answerApi(request, pathname, response));
    request.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    origin,
    tokenUrl: `${origin}/token`,
    clientId: 'compare',
    clientSecret: randomUUID(),
    counts,
    revokeAll: () => expiryOf.clear(),
    setOutage: (value) => {
      down = value;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function reply(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** What a client that discovers its endpoints needs to know (RFC 8414). */
export function metadata(origin: string) {
  return {
    issuer: origin,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    jwks_uri: `${origin}/jwks`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}
