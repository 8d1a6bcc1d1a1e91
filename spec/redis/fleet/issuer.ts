import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Issuer {
  readonly tokenUrl: string;
  readonly apiUrl: string;
  /** Token requests, in order: who asked, and when by the wall clock. */
  readonly asked: readonly { readonly pid: number; readonly at: number }[];
  /** Tokens that were issued. */
  readonly issued: () => number;
  readonly calls: () => number;
  readonly refused: () => number;
  /** Answers 503 from now on, or no more. */
  readonly setDown: (down: boolean) => void;
  /** Token requests of this process, or of any (0), are not answered until released. */
  readonly hold: (pid: number) => void;
  readonly release: () => void;
  readonly stop: () => Promise<void>;
}

/**
 * A token endpoint, and an API that knows whether a token is good. A token tells its number, when it was issued, and
 * when it ends.
 */
export async function startIssuer({ lifetime = 1, latency = 20, revokes = false } = {}): Promise<Issuer> {
  const asked: { pid: number; at: number }[] = [];
  let issued = 0;
  let calls = 0;
  let refused = 0;
  let current = '';
  let down = false;
  let held: number | null = null;
  const waiting: (() => void)[] = [];

  const token = (request: IncomingMessage, response: ServerResponse) => {
    const pid = Number(request.headers['x-pid']);
    asked.push({ pid, at: Date.now() });
    const answer = () => {
      if (down) {
        response.writeHead(503, { 'content-type': 'application/json' }).end('{}');
        return;
      }
      const now = Date.now();
      current = `T.${String(++issued)}.${String(now)}.${String(now + lifetime * 1000)}`;
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ access_token: current, expires_in: lifetime }));
    };
    setTimeout(() => {
      if (held === null || (held !== 0 && held !== pid)) answer();
      else waiting.push(answer);
    }, latency);
  };

  const server = createServer((request, response) => {
    if (request.url === '/token') {
      token(request, response);
      return;
    }
    calls++;
    const given = request.headers.authorization?.slice('Bearer '.length) ?? '';
    const good = Date.now() < Number(given.split('.')[3]) && (!revokes || given === current);
    if (!good) refused++;
    response.writeHead(good ? 200 : 403).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    tokenUrl: `${origin}/token`,
    apiUrl: `${origin}/api`,
    asked,
    issued: () => issued,
    calls: () => calls,
    refused: () => refused,
    setDown: (now) => (down = now),
    hold: (pid) => (held = pid),
    release: () => {
      held = null;
      for (const answer of waiting.splice(0)) answer();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
