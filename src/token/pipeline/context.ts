/** The context: what the parts of one stream share. */
import { BehaviorSubject, Subject, Subscription, type Observable } from 'rxjs';
import { createTimers } from '../../internal/time/timers.js';
import { createEventQueue } from './eventQueue.js';
import { refreshFailed } from '../decisions/failure.js';
import type { Settings } from '../options.js';
import { createTokenFetcher } from './tokenFetcher.js';
import type { TokenUpdate } from '../decisions/receivedToken.js';
import { nextMoment, usableToken, type StreamState } from '../decisions/state.js';
import type { AccessToken, TokenSource } from '../types.js';

export type TokenContext = ReturnType<typeof createContext>;

/** The waiters have a token, or the refresh or the session has ended without one. */
export interface WaitEnded {
  readonly waiters: number;
  /** How long the first of them has waited, in milliseconds. */
  readonly longest: number;
  readonly outcome: Exclude<TokenUpdate['type'], 'attemptFailed'>;
}

export function createContext(source: TokenSource, settings: Settings, state: StreamState) {
  const { scheduler, clock } = settings;
  const { now } = clock;
  const timers = createTimers(scheduler, clock);
  const events = createEventQueue(settings.userNow);
  const recheck$ = new BehaviorSubject<unknown>(undefined);

  function recheck(): void {
    const { held } = state;
    if (held && now() >= held.endsAt && !held.isExpiryReported) {
      held.isExpiryReported = true;
      events.emit({ type: 'tokenExpired', token: held.token });
    }
    recheck$.next(undefined);
  }

  let timer = Subscription.EMPTY;
  function restartTimer(after = now()): void {
    timer.unsubscribe();
    const { held } = state;
    if (!held) return;
    timer = timers.after(nextMoment(held, after) - now()).subscribe(() => {
      recheck();
      restartTimer();
    });
  }

  return {
    state,
    settings,
    /** Milliseconds on a clock that is never set back. What a user sees is on the stream's own, `settings.userNow`. */
    now,
    timers,
    fetcher: createTokenFetcher(source, settings, timers),
    events,
    /** Emits on subscription, and whenever a token may have become needed: by the time, or by someone who wants one. */
    recheck$: recheck$ as Observable<unknown>,
    /** Emits `tokenExpired` if it is time, then `recheck$`: for timers, `wake`, subscribers, requests that wait. */
    recheck,
    /**
     * Calls `recheck` at the next moment in the life of the token at hand, and at those after it. To be called when the
     * token changes: without one there is no timer.
     *
     * @param after moments up to then have been looked at; default now
     */
    restartTimer,
    /** Emits when the refresh under way is given up. */
    cancelled$: new Subject<void>(),
    /** Those who wait for one token, the first of them first. */
    waiters: new Set<{ readonly since: number }>(),
    /** For metrics: one value for all who wait at the same time, just before they get a token or fail. */
    waitEnded$: new Subject<WaitEnded>(),
    current: (): AccessToken | null => usableToken(state, now()),
    reportFailure: (error: unknown, attempt?: number, retryIn?: number | null): void =>
      events.emit(refreshFailed(error, attempt, retryIn)),
  };
}
