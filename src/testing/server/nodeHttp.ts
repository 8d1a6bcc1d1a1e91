/** The HTTP server of `startTokenServer`, with `node:http` loaded at the call, so that browsers can load the entry. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { builtinModule } from '../../internal/platform/builtinModule.js';
import type { JsonAnswer } from './tokenEndpoint.js';

/** A server on the loopback. */
export async function listen(
  port: number,
  handler: RequestListener,
): Promise<{ readonly origin: string; readonly close: () => Promise<void> }> {
  const http = builtinModule<typeof import('node:http')>('node:http');
  if (!http)
    throw new Error('startTokenServer needs Node 20.16 or later, or a runtime with its process.getBuiltinModule');
  const server = http.createServer(handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The answer to the preflight of a page (CORS): it may send anything. Undefined for other requests. */
export function preflight({ method, headers }: IncomingMessage): JsonAnswer | undefined {
  const allowed = headers['access-control-request-method'];
  if (method !== 'OPTIONS' || allowed === undefined) return undefined;
  const fields = headers['access-control-request-headers'] ?? '';
  const answer = { 'access-control-allow-methods': allowed, 'access-control-allow-headers': fields };
  return { status: 204, body: {}, headers: answer };
}

/** Sends JSON once the request's body has come to its end, so that a kept connection stays in step. */
export function reply(request: IncomingMessage, response: ServerResponse, { status, body, headers }: JsonAnswer): void {
  request.resume().once('end', () => {
    response
      .writeHead(status, {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'access-control-allow-origin': '*',
        'access-control-expose-headers': '*',
        ...headers,
      })
      .end(JSON.stringify(body));
  });
}
