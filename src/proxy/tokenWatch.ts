import type { TokenEvent } from '../token/events.js';
import type { TokenStream } from '../token/types.js';

/** Without a failure that says more. Seconds. */
const RETRY_AFTER = 1;

export type TokenWatch = ReturnType<typeof tokenWatch>;

/** What the proxy knows of the token. It never causes a fetch. */
export function tokenWatch(token$: TokenStream, tell: (event: TokenEvent) => void) {
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
    /** Seconds after which a client may try again that found no token. */
    retryAfter: () => Math.max(RETRY_AFTER, Math.ceil((retryAt - performance.now()) / 1000)),
    /** There is a usable token, or none was asked for so far. */
    isHealthy: () => token$.current !== null || !hasFailed,
    /** Milliseconds; undefined without a token. */
    expiresAt: () => token$.current?.expiresAt,
    stop: () => {
      watching.unsubscribe();
    },
  };
}
