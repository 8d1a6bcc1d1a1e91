/** Counts fetches, failures and rejections of the token, for the health page, the metrics and `Retry-After`. */
import type { TokenStream } from '../token/types.js';
import { metric } from './metrics.js';

/** Without a failure that says more. Seconds. */
const RETRY_AFTER = 1;

export type TokenHealth = ReturnType<typeof tokenHealth>;

/** What the proxy knows of the token. It never causes a fetch. */
export function tokenHealth(token$: TokenStream) {
  let fetches = 0;
  let failures = 0;
  let rejections = 0;
  let hasFailed = false;
  let retryAt = 0;
  const watching = token$.events.subscribe((event) => {
    if (event.type === 'refreshStarted') fetches += 1;
    if (event.type === 'tokenRejected') rejections += 1;
    if (event.type === 'tokenChanged') hasFailed = false;
    if (event.type === 'refreshFailed') {
      failures += 1;
      hasFailed = true;
      retryAt = performance.now() + (event.retryIn ?? 0);
    }
  });
  return {
    /** Seconds after which a client may try again that found no token. */
    retryAfter: () => Math.max(RETRY_AFTER, Math.ceil((retryAt - performance.now()) / 1000)),
    /** There is a usable token, or none was asked for so far. */
    isHealthy: () => token$.current !== null || !hasFailed,
    metrics: () => {
      const { expiresAt = Infinity } = token$.current ?? {};
      return [
        metric('counter', 'token_fetches_total', 'Token fetches begun.', fetches),
        metric('counter', 'token_fetch_failures_total', 'Token fetches failed.', failures),
        metric('counter', 'token_rejections_total', 'Tokens rejected by the upstream server.', rejections),
        ...(expiresAt < Infinity
          ? [metric('gauge', 'token_expires_seconds', 'When the token ends, in Unix time.', expiresAt / 1000)]
          : []),
      ];
    },
    stop: () => {
      watching.unsubscribe();
    },
  };
}
