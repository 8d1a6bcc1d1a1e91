import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProxyMetrics } from './metrics.js';
import { pathOf } from './target.js';
import type { TokenWatch } from './tokenWatch.js';

interface OwnPagesContext {
  readonly metrics: ProxyMetrics;
  readonly watch: TokenWatch;
  readonly isDraining: () => boolean;
}

/** Answers a request for one of the proxy's own pages. @returns whether it was one */
export function ownPage(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  context: OwnPagesContext,
): boolean {
  if (!url.startsWith('/-/') || (method !== 'GET' && method !== 'HEAD')) return false;
  const { metrics, watch, isDraining } = context;
  const path = pathOf(url);
  if (path === '/-/metrics')
    send(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metrics.text(watch.expiresAt()));
  else if (path === '/-/health') {
    const status = isDraining() ? 'draining' : watch.isHealthy() ? 'ok' : 'no token';
    send(response, status === 'ok' ? 200 : 503, 'application/json', `${JSON.stringify({ status })}\n`);
  } else return false;
  return true;
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response
    .writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' })
    .end(body);
}
