/** Serves the pages of the proxy itself: `/-/health` and `/-/metrics`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Records } from './records.js';
import { sendText } from '../traffic/relay.js';
import { HEALTH, METRICS, pathOf } from '../rules/target.js';
import type { TokenHealth } from './tokenHealth.js';

interface OwnPagesContext {
  readonly records: Records;
  readonly health: TokenHealth;
  readonly isDraining: () => boolean;
}

/** Answers a request for one of the proxy's own pages. @returns whether it was one */
export function ownPage(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  { records, health, isDraining }: OwnPagesContext,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const path = pathOf(url);
  if (path === METRICS) {
    const metrics = [...records.metrics(), ...health.metrics()];
    sendText(response, 200, 'text/plain; version=0.0.4; charset=utf-8', `${metrics.join('\n')}\n`);
  } else if (path === HEALTH) {
    const status = isDraining() ? 'draining' : health.isHealthy() ? 'ok' : 'no token';
    // Where requests are sent to healthy proxies only, none would come and fetch a token. The next probe finds it.
    if (status === 'no token') health.askForToken();
    sendText(response, status === 'ok' ? 200 : 503, 'application/json', `${JSON.stringify({ status })}\n`);
  } else return false;
  return true;
}
