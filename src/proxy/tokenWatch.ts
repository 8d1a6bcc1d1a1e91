import type { TokenEvent } from '../token/events.js';
import type { TokenStream } from '../token/types.js';

/** Without a failure that says more. Seconds. */
const RETRY_AFTER = 1;

/** What the proxy knows of the token. It never causes a fetch. */
export interface TokenWatch {
  /** Seconds after which a client may try again that found no token. */
  readonly retryAfter: () => number;
  /** There is a usable token, or none was asked for so far. */
  readonly isHealthy: () => boolean;
  /** Milliseconds; undefined without a token. */
  readonly expiresAt: () => number | undefined;
  readonly stop: () => void;
}

export function tokenWatch(token$: TokenStream, tell: (event: TokenEvent) => void): TokenWatch {
  let retryAt = 0;
  let hasFailed = false;
  const watching = token$.events.subscribe((event) => {
    tell(event);
    if (event.type === 'tokenChanged') hasFailed = false;
    if (event.type !== 'refreshFailed') return;
    hasFailed = true;
    retryAt = performance.now() + (event.retryIn ?? 0);
  });
  return {
    retryAfter: () => Math.max(RETRY_AFTER, Math.ceil((retryAt - performance.now()) / 1000)),
    isHealthy: () => token$.current !== null || !hasFailed,
    expiresAt: () => token$.current?.expiresAt,
    stop: () => {
      watching.unsubscribe();
    },
  };
}
