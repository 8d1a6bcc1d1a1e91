import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LIFETIME } from './settings.js';

export interface Issuer {
  readonly url: string;
  readonly tokens: number;
  readonly calls: number;
  /** Calls that were answered with 403. */
  readonly refused: number;
  /** The process that fetched last. */
  readonly leader: number | undefined;
  close(): void;
}

/** A token endpoint that revokes the old token at each issue, and an API that accepts the newest one only. */
export async function startIssuer(): Promise<Issuer> {
  const counts = { tokens: 0, calls: 0, refused: 0, leader: undefined as number | undefined };
  let current = '';

  const routes: Record<string, RequestListener> = {
    '/token': (request, response) => {
      counts.tokens += 1;
      counts.leader = Number(request.headers['x-pid']);
      // An authorization server takes its time.
      setTimeout(() => {
        // It tells when it was issued, so that workers can say how long it took to reach them. A real one would not.
        current = `token-${counts.tokens}-${Date.now()}`;
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ access_token: current, expires_in: LIFETIME }));
      }, 30);
    },
    '/api': (request, response) => {
      counts.calls += 1;
      const good = request.headers.authorization === `Bearer ${current}`;
      if (!good) counts.refused += 1;
      response.writeHead(good ? 204 : 403).end();
    },
  };
  const server = createServer((request, response) => {
    const route = routes[request.url ?? ''];
    if (route) route(request, response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get tokens() {
      return counts.tokens;
    },
    get calls() {
      return counts.calls;
    },
    get refused() {
      return counts.refused;
    },
    get leader() {
      return counts.leader;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
