/** One refresh: attempts to get a token, with pauses after failures. */
import {
  catchError,
  concatMap,
  defer,
  EMPTY,
  filter,
  finalize,
  of,
  retry,
  startWith,
  switchMap,
  take,
  throwError,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { TokenUnavailableError } from '../errors.js';
import { messageOf } from '../internal/messageOf.js';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import { failureOf } from './failure.js';
import type { TokenUpdate } from './tokenUpdate.js';
import { receivedToken } from './receivedToken.js';
import { isWanted, pauseAfter, pauseLeft, type Refresh } from './state.js';
import type { RefreshReason } from './types.js';

export interface Refresher {
  /** One refresh: attempts with pauses between them. Completes without a value when no token is wanted any more. */
  readonly refresh: (reason: RefreshReason) => Observable<TokenUpdate>;
  /** Emits when the pause that runs is over; at once when there is none, or when it follows a permanent failure. */
  readonly afterPause: () => Observable<unknown>;
}

export function createRefresher(context: TokenContext, announce: (update: TokenUpdate) => void): Refresher {
  const { state, settings, now, timers, fetcher, rejections, events, recheck$, report } = context;

  const afterPause = (): Observable<unknown> => {
    const left = pauseLeft(state, now());
    // After a permanent failure nothing is tried until a token is needed.
    if (left === 0 || state.permanentFailure) return of(undefined);
    return timers.after(left);
  };

  /** A refresh begins. What forced it is cleared, and counted if it was a rejection. */
  function begin(): Refresh {
    const rejection = state.forcedBy === 'manual' ? null : state.forcedBy;
    const refresh: Refresh = { rejection, isFetching: false, isSuperseded: false };
    Object.assign(state, { refresh, forcedBy: null, permanentFailure: null });
    if (rejection) rejections.forced(rejection.kind, state.held?.isAccepted ?? true, now());
    return refresh;
  }

  /** The refresh ends. A session that has begun meanwhile may have another one, which stays. */
  function end(refresh: Refresh): void {
    if (state.refresh === refresh) state.refresh = null;
  }

  const attempt = (refresh: Refresh, reason: RefreshReason, count: number): Observable<TokenUpdate> =>
    defer(() => {
      const sentAt = (state.lastFetchAt = now());
      refresh.isFetching = true;
      refresh.isSuperseded = false;
      events.emit({ type: 'refreshStarted', reason, attempt: count });
      const about = { reason, attempt: count, previous: state.last?.token ?? null };
      const result$ = fetcher.fetch(about, (error) => {
        state.lastError = error;
        report(error, count);
      });
      return result$.pipe(
        concatMap((result): Observable<TokenUpdate> => {
          const received = receivedToken(result, now() - sentAt, context);
          // Not left to `finalize`, which runs after the token was delivered.
          end(refresh);
          // Others shared it, another one was asked for, and only then the store answered.
          if (state.forcedBy && sameToken(received.token, state.last?.token)) return EMPTY;
          // A second token would not help the resource more.
          if (refresh.rejection) rejections.fetchedFor(refresh.rejection, now());
          const isRenewal = reason !== 'rejected' && reason !== 'manual';
          return of({ type: 'token', ...received, reason, attempt: count, isRenewal });
        }),
      );
    });

  /**
   * The notifier of `retry`: emits when it is time for another attempt, completes without a waiter, errors when none
   * will help.
   */
  const afterFailure = (refresh: Refresh, thrown: unknown, count: number): Observable<unknown> => {
    const time = now();
    const failure = failureOf(thrown, settings.isPermanent, settings.now());
    // `isPermanent` may have called `signOut()`. The failure is none of the next session.
    if (state.refresh !== refresh) return EMPTY;
    const { error, permanent } = failure;
    refresh.isFetching = false;
    state.failures++;
    state.lastError = error;
    // The token that a server rejected stays in use: it is all there is, and the server may have been wrong.
    if (state.held) state.held.isSuspended = false;
    const duration = pauseAfter(state, failure, settings, time);
    state.pausedUntil = time + duration;
    const retries = !permanent && isWanted(state, time, settings);
    // A `refreshFailed` listener may begin another refresh, if this one gives up.
    if (!retries) end(refresh);
    if (permanent)
      state.permanentFailure = new TokenUnavailableError('the token source failed for good', { cause: error });
    const retryIn = retries ? duration : null;
    events.emit({ type: 'refreshFailed', error, message: messageOf(error), attempt: count, retryIn, permanent });
    if (permanent) return throwError(() => error);
    announce({ type: 'attemptFailed' });
    if (!retries) return EMPTY;
    return recheck$.pipe(
      startWith(undefined),
      switchMap(afterPause),
      filter(() => pauseLeft(state, now()) === 0),
      take(1),
      filter(() => isWanted(state, now(), settings)),
    );
  };

  return {
    afterPause,
    refresh: (reason) => {
      let count = 0;
      const refresh = begin();
      return defer(() => settings.inTurn(attempt(refresh, reason, ++count))).pipe(
        retry({ delay: (error: unknown) => afterFailure(refresh, error, count) }),
        catchError((error: unknown): Observable<TokenUpdate> => {
          // `permanentFailure` is null if an option of the user's threw, such as `random`.
          const failure = state.permanentFailure ?? new TokenUnavailableError(undefined, { cause: error });
          return of({ type: 'failed', error: failure });
        }),
        finalize(() => {
          end(refresh);
        }),
      );
    },
  };
}
