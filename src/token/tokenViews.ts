/** The Observables that hand out the token: to subscribers, to requests, and to callers that need a different one. */
import {
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  finalize,
  map,
  Observable,
  of,
  Subscription,
  switchMap,
} from 'rxjs';
import { TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import { captureContext } from '../internal/callerContext.js';
import { timeLimit } from '../internal/timers.js';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import type { Pipeline } from './pipeline.js';
import {
  blockingFailure,
  earlyEndOfPause,
  isFresh,
  isOfSession,
  isReplacing,
  pauseLeft,
  signedOutError,
  type TokenState,
} from './state.js';
import type { TokenUpdate } from './receivedToken.js';
import type { AccessToken } from './types.js';

/** The token if it is fresh, else null. Nothing else runs for a request that gets it. */
export function useFresh(state: TokenState, now: () => number): AccessToken | null {
  const { held } = state;
  if (!held) return null;
  const time = now();
  if (!isFresh(held, time)) return null;
  state.lastUse = time;
  return held.token;
}

export type TokenViews = ReturnType<typeof createTokenViews>;

/** All views are made of the same updates; the first subscriber starts the fetch. */
export function createTokenViews(context: TokenContext, { updates$, demand }: Pipeline) {
  const { state, settings, now, timers, fetcher, recheck, current } = context;
  // Checked once they are subscribed to, so that none of what that causes is missed. Hand-made, since with `merge` and
  // `defer` each waiter takes a fifth more memory.
  const checkedUpdates$ = new Observable<TokenUpdate>((subscriber) => {
    updates$.subscribe(subscriber);
    // It may have been given all it needs.
    if (!subscriber.closed) recheck();
  });

  /** The usable token, or null. One that is to be renewed is renewed first: its successor may come at once. */
  const renewed = (): AccessToken | null => {
    const fresh = useFresh(state, now);
    if (fresh || !current()) return fresh;
    state.lastUse = now();
    demand();
    return current();
  };

  /** The token for a request that leaves now, or null if it must wait. */
  const use = (): AccessToken | null => {
    const session = state.sessionTokens;
    const token = renewed();
    // The source, or a listener, may have signed out.
    if (state.sessionTokens !== session) throw signedOutError();
    return token;
  };

  /** Forces a refresh, or joins the one under way, and emits its token. */
  const refresh = (): Observable<AccessToken> =>
    defer(() => {
      const { held, sessionTokens } = state;
      state.pausedUntil = earlyEndOfPause(state, settings.backoff);
      const failure = blockingFailure(state, now());
      if (failure) {
        const left = pauseLeft(state, now());
        if (left > settings.maxWait) throw failure;
        // Whoever has signed in since gets the new token, and the source no more than one request per `backoff.initial`.
        return timers.after(left, true).pipe(
          switchMap(() => {
            if (state.sessionTokens !== sessionTokens) throw signedOutError();
            return refresh();
          }),
        );
      }
      if (!isReplacing(state)) state.forcedBy = 'manual';
      return firstToken(context, checkedUpdates$, undefined, held);
    });

  return {
    use,
    /** The usable token now, then every new one. */
    token$: defer(() => {
      renewed();
      return checkedUpdates$.pipe(
        map((update) => {
          const usable = current();
          // A subscriber stays while a token is usable, and hears of no failure meanwhile.
          if (!usable && update.type === 'failed') throw update.error;
          return usable ?? (update.type === 'token' ? update.token : null);
        }),
        filter((token) => token !== null),
        // The next session may begin with the same token.
        distinctUntilChanged((last, next) => isOfSession(state, last) && sameToken(last, next)),
        // `idleTimeout` counts from when the last subscriber left.
        finalize(() => (state.lastUse = now())),
      );
    }),
    /** One usable token, now or within `maxWait`. */
    take: (maxWait?: number): Observable<AccessToken> =>
      defer(() => {
        const token = use();
        if (token) return of(token);
        if (fetcher.owns()) throw new TokenUnavailableError('a token source cannot wait for its own token');
        return firstToken(context, checkedUpdates$, maxWait);
      }),
    refresh,
    /**
     * The token that the next attempt brings. Completes without one when the attempt fails and the token at hand stays
     * usable.
     *
     * @param since the state before the attempt, which may have been made already
     */
    next: ({ held, failures }: Pick<TokenState, 'held' | 'failures'>, maxWait?: number): Observable<AccessToken> =>
      defer(() => {
        // By `failures`: a caller that begins to wait in a `refreshFailed` listener waits for the attempt after that
        // one. By identity: the same token may have come again. By `isReplacing`: one may have come that is not kept.
        const hasFailed = () =>
          state.held === held && current() !== null && (state.failures !== failures || !isReplacing(state));
        if (hasFailed()) return EMPTY;
        return firstToken(
          context,
          checkedUpdates$,
          maxWait,
          held,
          ({ type }) => type === 'attemptFailed' && hasFailed(),
        );
      }),
  };
}

/**
 * The first token of the updates that a request may be given. Errors when the stream closes. All is told in the context
 * of the caller: those who wait would else go on in that of the first, whose fetch it was.
 *
 * Hand-made: with operators, each waiter takes half as much memory again, and 40 % more time to be given the token.
 *
 * @param except the token at hand, which each new subscriber gets first: for a caller that needs another one
 * @param hasFailed says of an update that brings no token whether the wait ends with it
 */
function firstToken(
  { state, settings, now, timers, waiting, current }: TokenContext,
  updates$: Observable<TokenUpdate>,
  maxWait = settings.maxWait,
  except: TokenUpdate | null = null,
  hasFailed?: (update: TokenUpdate) => boolean,
): Observable<AccessToken> {
  return new Observable((subscriber) => {
    const runInContext = captureContext();
    const session = state.sessionTokens;
    /** Once: what a request does with its token may cause the next update. */
    const finish = (work: () => void) => {
      if (waiting.delete(waiter)) runInContext(work);
    };
    const error = (thrown: unknown) => {
      finish(() => {
        subscriber.error(thrown);
      });
    };
    const complete = () => {
      error(new TokenStreamClosedError());
    };
    const tokenOf = (update: TokenUpdate): AccessToken | null => {
      // The session may have ended before this waiter hears of the update, and the next one may have a token already.
      if (update === except || update.type === 'signedOut' || state.sessionTokens !== session) return null;
      if (update.type === 'token') return update.token;
      // A failed attempt makes a suspended token usable again: one that came, and was rejected before this waiter got
      // it.
      return state.held === except ? null : current();
    };
    const next = (update: TokenUpdate) => {
      const token = tokenOf(update);
      if (token || hasFailed?.(update))
        finish(() => {
          if (token) subscriber.next(token);
          subscriber.complete();
        });
      else if ('error' in update) error(update.error);
    };
    const end = new Subscription(() => waiting.delete(waiter));
    // RxJS takes a Subscription with these methods for a Subscriber, and does not wrap it.
    const waiter = Object.assign(end, { since: now(), next, error, complete });
    waiting.add(waiter);
    waiter.add(
      timeLimit(timers, maxWait).subscribe(() => {
        // `refresh()` waits for another one than the token at hand.
        const message = `no ${current() ? 'new' : 'usable'} token within ${String(maxWait)} ms`;
        error(new TokenUnavailableError(message, { cause: state.lastError }));
      }),
    );
    subscriber.add(waiter);
    updates$.subscribe(waiter);
  });
}
