import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TokenServer {
  readonly origin: string;
  /** Token requests: which tab asked, with which refresh token, when (performance.now of this process). */
  readonly asked: { readonly tab: string; readonly last: string; readonly at: number; cutAt?: number }[];
  /** The most token requests that were ever under way at once. */
  parallel: number;
  /** Tabs that get no answer. */
  readonly ignored: Set<string>;
  /** Seconds that a token lives. */
  lifetime: number;
  /** Who has signed in: the letter with which the tokens begin. */
  user: string;
  close(): Promise<void>;
}

/**
 * Serves one page with this script, and tokens T1, T2, …, or A1, A2, … for another user, each 50 ms after it was asked
 * for.
 */
export async function serveTabs(script: string): Promise<TokenServer> {
  let underWay = 0;
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://local');
    if (pathname === '/elsewhere') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>elsewhere</title>');
      return;
    }
    if (pathname !== '/token') {
      const isScript = pathname === '/page.js';
      response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
      response.end(isScript ? script : '<!doctype html><title>tab</title><script src="/page.js"></script>');
      return;
    }
    const tab = searchParams.get('tab') ?? '';
    const ask: TokenServer['asked'][number] = { tab, last: searchParams.get('last') ?? '', at: performance.now() };
    const n = state.asked.push(ask);
    state.parallel = Math.max(state.parallel, ++underWay);
    response.once('close', () => {
      underWay--;
      if (!response.writableFinished) ask.cutAt = performance.now();
    });
    if (state.ignored.has(tab)) return;
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          access_token: `${state.user}${String(n)}`,
          refresh_token: `${state.user}-refresh-${String(n)}`,
          expires_in: state.lifetime,
        }),
      );
    }, 50);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const state: TokenServer = {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    asked: [],
    parallel: 0,
    ignored: new Set(),
    lifetime: 1,
    user: 'T',
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return state;
}
