import { isTokenError, takeToken } from 'rx-fresh-token';
import type { Model } from './model.js';

/** Somebody who takes one token, or forces a refresh. */
export function wait(who: string, kind: 'take' | 'refresh', given: number | undefined, model: Model): () => void {
  const { token$, facts, tokens, fetches, waiters, log } = model;
  const maxWait = given ?? facts.maxWait;
  facts.isSignedOut = false;
  const waiter = facts.isClosed ? null : waiters.add(who, kind, maxWait);
  if (kind === 'refresh') fetches.forced();
  let isGiven = false;
  const token = kind === 'take' ? takeToken(token$, given === undefined ? {} : { maxWait }) : token$.refresh();
  const subscription = token.subscribe({
    next: ({ value }) => {
      isGiven = true;
      facts.active();
      log?.(`${who} gets ${value}`);
      waiters.delete(waiter);
      tokens.given(value, who, waiter?.seq ?? Infinity);
      const { arrival } = tokens;
      if (kind === 'refresh' && (arrival?.value !== value || arrival.seq < (waiter?.born ?? Infinity)))
        facts.violated('refresh', `${who} got ${value}, which has not come since it was asked for`);
    },
    error: (error: unknown) => {
      log?.(`${who} fails: ${String(error)}`);
      if (waiter) waiters.unserved(waiter, error);
      else if (!isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
        facts.violated('26', `${who} failed with ${String(error)} after close()`);
    },
    complete: () => {
      if (!isGiven) facts.violated('12', `${who} completed without a token`);
    },
  });
  // The session ended before it waited: it waits in the next one.
  if (waiter && !subscription.closed) waiter.session = facts.session;
  facts.active();
  return () => {
    waiters.delete(waiter);
    facts.active();
    subscription.unsubscribe();
  };
}
