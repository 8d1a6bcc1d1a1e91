/** How a caller waits for one token, with a time limit and in its own asynchronous context. */
import { Observable, Subscription, type SubjectLike } from 'rxjs';
import { TokenStreamClosedError, TokenUnavailableError } from '../../errors.js';
import { captureContext } from '../../internal/async/callerContext.js';
import { timeLimit } from '../../internal/time/timers.js';
import type { TokenContext } from '../pipeline/context.js';
import type { TokenUpdate } from '../decisions/receivedToken.js';
import { usableHeld, type StreamState } from '../decisions/state.js';
import type { AccessToken } from '../types.js';

export interface Wait {
  readonly maxWait?: number | undefined;
  /**
   * The token at hand, which each new subscriber gets first: for a caller that needs another one. Compared by identity:
   * an answer of the source is always a new object, even with the same token.
   */
  readonly otherThan?: TokenUpdate | null;
  /** The wait ends without a token when an attempt fails, and the token at hand stays usable. */
  readonly untilFailure?: boolean;
}

/** How a wait ends: with a token, with none, or with an error. */
export type EndOfWait = { readonly token: AccessToken | null } | { readonly error: unknown };

/** Null: the wait goes on. @param session the one in which it began */
export function endOfWait(
  update: TokenUpdate,
  { otherThan, untilFailure }: Wait,
  session: StreamState['sessionTokens'],
  state: StreamState,
  now: number,
): EndOfWait | null {
  if (update === otherThan) return null;
  // `failed` or `signedOut`. The error of `attemptFailed` is in its event.
  const failure = 'error' in update ? update : null;
  // The session may have ended before this waiter hears of the update, and the next one may have a token already.
  if (state.sessionTokens !== session) return failure;
  if (update.type === 'token') return update;
  const usable = usableHeld(state, now);
  // Another token arrived during the wait.
  if (usable && usable !== otherThan) return usable;
  // After a failed attempt the suspended token is usable again.
  if (usable && untilFailure) return { token: null };
  return failure;
}

/**
 * The first token of the updates that a request may be given. Errors when the stream closes. It emits in the
 * context of the caller: otherwise all would continue in that of the first, which started the fetch.
 *
 * Hand-made: with operators, each waiter takes half as much memory again, and 40 % more time to be given the token.
 */
export function firstToken(
  { state, settings, now, timers, waiters, current }: TokenContext,
  updates$: Pick<SubjectLike<TokenUpdate>, 'subscribe'>,
  wait: Wait,
): Observable<AccessToken> {
  return new Observable((subscriber) => {
    const runInContext = captureContext();
    const session = state.sessionTokens;
    const { maxWait = settings.maxWait } = wait;
    /** Once: what a request does with its token may cause the next update. */
    const finish = (work: () => void) => {
      if (waiters.delete(waiter)) runInContext(work);
    };
    const error = (thrown: unknown) => finish(() => subscriber.error(thrown));
    const complete = () => error(new TokenStreamClosedError());
    const next = (update: TokenUpdate) => {
      const result = endOfWait(update, wait, session, state, now());
      if (!result) return;
      if ('error' in result) error(result.error);
      else
        finish(() => {
          if (result.token) subscriber.next(result.token);
          subscriber.complete();
        });
    };
    const end = new Subscription(() => waiters.delete(waiter));
    // RxJS takes a Subscription with these methods for a Subscriber, and does not wrap it.
    const waiter = Object.assign(end, { since: now(), next, error, complete });
    waiters.add(waiter);
    waiter.add(
      timeLimit(timers, maxWait).subscribe(() => {
        // `refresh()` waits for another one than the token at hand.
        const progress = state.refresh?.isFetching ? ' (still fetching)' : '';
        const message = `no ${current() ? 'new' : 'usable'} token within ${String(maxWait)} ms${progress}`;
        error(new TokenUnavailableError(message, { cause: state.lastError }));
      }),
    );
    subscriber.add(waiter);
    updates$.subscribe(waiter);
  });
}
