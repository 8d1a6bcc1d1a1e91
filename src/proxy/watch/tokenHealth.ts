/** Counts fetches, failures and rejections of the token, for the health page, the metrics and `Retry-After`. */
import { Subscription } from 'rxjs';
import { takeToken } from '../../token/takeToken.js';
import type { TokenStream } from '../../token/types.js';
import { metric } from './metrics.js';

/** Without a failure that says more. Seconds. */
const RETRY_AFTER = 1;

/** A permanent failure does not tell its pause. It is a minute at most by default. Seconds. */
const RETRY_AFTER_PERMANENT = 30;

export type TokenHealth = ReturnType<typeof tokenHealth>;

/** What the proxy knows of the token. */
export function tokenHealth(token$: TokenStream) {
  let fetches = 0;
  let failures = 0;
  let rejections = 0;
  let isFetching = false;
  /** There was no token in this session so far, the last fetch failed, or the stream is closed. */
  let isMissing = false;
  let isPermanent = false;
  let retryAt = 0;
  let asking = Subscription.EMPTY;
  const watching = token$.events.subscribe((event) => {
    if (event.type === 'refreshStarted') {
      fetches += 1;
      isFetching = true;
      isMissing ||= event.reason === 'initial';
    }
    if (event.type === 'tokenRejected') rejections += 1;
    // After a sign-out only a request begins the next session.
    if (event.type === 'tokenChanged' || event.type === 'signedOut') isFetching = isMissing = isPermanent = false;
    if (event.type === 'closed') isMissing = true;
    if (event.type === 'refreshFailed') {
      const { permanent, retryIn } = event;
      failures += 1;
      // A failure after the token has arrived is a warning: that a store could not keep it, for example.
      isMissing ||= isFetching;
      isPermanent = permanent;
      retryAt = performance.now() + (retryIn ?? 0);
    }
  });
  return {
    /** Seconds after which a client may try again that found no token. */
    retryAfter: () =>
      isPermanent ? RETRY_AFTER_PERMANENT : Math.max(RETRY_AFTER, Math.ceil((retryAt - performance.now()) / 1000)),
    /** There is a usable token, or none was asked for so far. */
    isHealthy: () => token$.current !== null || !isMissing,
    /** Asks for a token, as a request does, but one attempt at a time. The stream keeps the pauses. */
    askForToken: () => {
      if (asking.closed) asking = takeToken(token$).subscribe({ error: () => undefined });
    },
    metrics: () => {
      const { expiresAt = Infinity } = token$.current ?? {};
      return [
        metric('counter', 'token_fetches_total', 'Token fetches begun.', fetches),
        metric('counter', 'token_fetch_failures_total', 'Token fetches failed.', failures),
        metric('counter', 'token_rejections_total', 'Requests whose token the upstream server rejected.', rejections),
        ...(expiresAt < Infinity
          ? [metric('gauge', 'token_expires_seconds', 'When the token ends, in Unix time.', expiresAt / 1000)]
          : []),
      ];
    },
    stop: () => {
      watching.unsubscribe();
      asking.unsubscribe();
    },
  };
}
