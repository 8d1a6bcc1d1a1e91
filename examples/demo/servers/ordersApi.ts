import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { createRemoteJWKSet, decodeJwt, errors, jwtVerify } from 'jose';
import { listen } from './listen.js';

/** What the API counted of one client. The closing table shows this, and not what the clients counted. */
export interface OrderCounts {
  /** Orders kept, each counted once. */
  readonly stored: number;
  /** Accepted requests that brought an order which was already there. */
  readonly duplicates: number;
  /** 403 answers by cause. */
  readonly refused: { readonly expired: number; readonly missing: number; readonly invalid: number };
}

export interface OrdersApiOptions {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
  /** Milliseconds before an answer, as across a network. */
  readonly latency: number;
}

export interface OrdersApi {
  readonly url: URL;
  countsOf(clientId: string): OrderCounts;
  close(): void;
}

class ClientCounts implements OrderCounts {
  readonly #orders = new Set<string>();
  readonly refused = { expired: 0, missing: 0, invalid: 0 };
  duplicates = 0;

  get stored(): number {
    return this.#orders.size;
  }

  store(key: string): void {
    if (this.#orders.has(key)) this.duplicates += 1;
    this.#orders.add(key);
  }
}

/** An API that takes orders, from bearers of a token that the authorization server signed and that has not expired. */
export async function startOrdersApi({ issuer, jwksUri, audience, latency }: OrdersApiOptions): Promise<OrdersApi> {
  const server = await listen();
  const publishedKeys = createRemoteJWKSet(new URL(jwksUri));
  const counts = new Map<string, ClientCounts>();
  const countsOf = (clientId: string): ClientCounts => {
    const known = counts.get(clientId) ?? new ClientCounts();
    counts.set(clientId, known);
    return known;
  };

  /**
   * The client behind a good token. No leeway: a token that ended a millisecond ago is refused, as strictly as `exp`
   * can say it.
   */
  const authenticate = async (request: IncomingMessage): Promise<string | null> => {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) {
      countsOf('').refused.missing += 1;
      return null;
    }
    try {
      const { payload } = await jwtVerify(token, publishedKeys, {
        issuer,
        audience,
        requiredClaims: ['client_id', 'exp'],
      });
      return String(payload.client_id);
    } catch (error) {
      // The signature of an expired token has been verified, so its client_id can be believed.
      if (error instanceof errors.JWTExpired) countsOf(String(decodeJwt(token).client_id)).refused.expired += 1;
      else countsOf('').refused.invalid += 1;
      return null;
    }
  };

  const answer = async (request: IncomingMessage): Promise<number> => {
    // Decided when the request arrives: what expires on the way back was still good.
    const [clientId, order] = await Promise.all([authenticate(request), body(request)]);
    await pause(latency);
    if (clientId === null) return 403;
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || order === null) return 400;
    countsOf(clientId).store(key);
    return 201;
  };

  server.handle((request, response) => {
    answer(request).then(
      (status) => reply(response, status),
      () => request.destroy(),
    );
  });
  return { url: new URL('/orders', server.origin), countsOf, close: () => server.close() };
}

async function body(request: IncomingMessage): Promise<object | null> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  try {
    const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString());
    return typeof parsed === 'object' ? parsed : null;
  } catch {
    return null;
  }
}

function reply(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ status }));
}
