/** The stream itself: repeats refreshes when a token is needed, and shares what they bring. */
import {
  defer,
  EMPTY,
  filter,
  of,
  repeat,
  share,
  startWith,
  Subject,
  Subscription,
  switchMap,
  takeUntil,
  takeWhile,
  using,
  type Observable,
} from 'rxjs';
import { TokenStreamClosedError } from '../errors.js';
import type { TokenContext } from './context.js';
import { latest } from './latest.js';
import type { TokenUpdate } from './tokenUpdate.js';
import type { SourceResult } from './receivedToken.js';
import { createRefresher } from './refresher.js';
import { blockingFailure, earlyEndOfPause, keepsRunning, whyRefresh } from './state.js';
import type { TokenHolder } from './tokenHolder.js';

/** The waiters have a token, or fail without one. */
export interface WaitEnded {
  readonly waiters: number;
  /** How long the first of them has waited, in milliseconds. */
  readonly longest: number;
  readonly outcome: Exclude<TokenUpdate['type'], 'attemptFailed'>;
}

export interface Pipeline {
  /** What happens to the token, shared by all. A new subscriber gets the usable token at once. */
  readonly updates$: Observable<TokenUpdate>;
  /** Tells everyone who waits or listens. */
  readonly announce: (update: TokenUpdate) => void;
  /** One for all who wait for the same token, just before they have it. */
  readonly waits$: Observable<WaitEnded>;
  /** A request needs a token now, and does not wait for it: the pipeline runs, and looks whether to refresh. */
  readonly demand: () => void;
  /** Gives up the refresh under way. */
  readonly cancel: () => void;
  readonly close: () => void;
}

/**
 * The stream itself: refreshes, one after the other, shared by all who want the token.
 *
 * ```
 * source     -r          -r          -x -x -r        r: a token, x: a failure
 * refresh$   -T1|        -T2|        -------T3|      retry: attempts with pauses between them, until a token comes
 * updates$   -T1----------T2----------------T3---    repeat: the next refresh when one is needed
 *                                   ^ T2             share: a later subscriber gets the usable token
 * ```
 */
export function createPipeline(context: TokenContext, { hold, fromStore }: TokenHolder): Pipeline {
  const { state, settings, now, timers, events, recheck$, recheck, current, report } = context;
  const cancelled$ = new Subject<void>();
  const closed$ = new Subject<void>();
  const waits = new Subject<WaitEnded>();

  // `shareReplay` is `share` with a ReplaySubject(1) as connector. This is one whose value expires.
  const subscribers = latest<TokenUpdate>({
    replay: () => (current() ? (state.held ?? undefined) : currentFailure()),
    beforeEmit: (update) => {
      if (update.type !== 'attemptFailed') tellWait(update.type);
      if (update.type === 'token') hold(update);
      // Emitted after `latest` has copied its subscribers: a listener that subscribes now waits for a token of the next
      // session.
      if (update.type === 'signedOut') events.emit({ type: 'signedOut' });
    },
    isCurrent: (update) => update.type !== 'token' || current() === update.token || state.singleUse === update.token,
    onCount: (count) => {
      state.subscribers = count;
      // While anyone wants the token, its timers keep the process alive.
      timers.keepAlive(count > 0);
    },
  });
  const announce = (update: TokenUpdate) => {
    subscribers.next(update);
  };
  const { refresh, afterPause } = createRefresher(context, announce);

  function tellWait(outcome: WaitEnded['outcome']): void {
    const { waiters } = state;
    if (waits.observed && waiters > 0) waits.next({ waiters, longest: now() - state.waitingSince, outcome });
  }

  const isToRun = () => keepsRunning(state, now(), settings);

  const refresh$ = defer(() => {
    const reason = whyRefresh(state, now());
    return reason ? refresh(reason).pipe(takeUntil(cancelled$)) : EMPTY;
  });

  /** The permanent failure that everyone without a token fails with, until its pause is over. */
  function currentFailure(): TokenUpdate | undefined {
    const error = blockingFailure(state, now());
    return error && !current() ? { type: 'failed', error } : undefined;
  }

  /**
   * Emits when a token is needed: the last one is to be renewed, has expired, was rejected, or `refresh()` was called.
   * Completes when none is wanted: the stream is idle.
   */
  const untilNeeded = () =>
    recheck$.pipe(
      startWith(undefined),
      // Where no token is wanted, at once: `takeWhile` completes.
      switchMap(() => (isToRun() ? afterPause() : of(undefined))),
      takeWhile(isToRun),
      filter(() => whyRefresh(state, now()) !== null),
    );

  const shared$ = using(listen, () => refresh$.pipe(repeat({ delay: untilNeeded }))).pipe(
    takeUntil(closed$),
    share({ connector: () => subscribers, resetOnRefCountZero: false }),
  );

  /** While the pipeline runs, it listens to whatever may make a refresh necessary. */
  function listen(): Subscription {
    const listening = new Subscription(() => {
      state.isConnected = false;
      const isIdle = !state.isClosed && !state.isSignedOut && !blockingFailure(state, now());
      if (isIdle) events.emit({ type: 'idle' });
    });
    state.isConnected = true;
    const wake = () => {
      state.pausedUntil = earlyEndOfPause(state, settings.backoff);
      recheck();
    };
    listening.add(settings.wake.subscribe({ next: wake, error: report }));
    listening.add(recheck$.subscribe(announceFailure));
    listening.add(settings.store?.changes?.subscribe({ next: receiveStored, error: report }));
    return listening;
  }

  /** The token of those who listen may have ended in the pause after a permanent failure. */
  function announceFailure(): void {
    const failure = currentFailure();
    if (failure && state.subscribers > 0) announce(failure);
  }

  /** Someone else put a token into the store. */
  function receiveStored(stored: SourceResult): void {
    if (state.isSignedOut) return;
    try {
      const arrived = fromStore(stored);
      if (!arrived) return;
      // A fetch under way goes on; a pause before the next one has no reason any more.
      if (state.refresh?.isFetching) state.refresh.isSuperseded = true;
      else cancelled$.next();
      announce(arrived);
    } catch (error) {
      report(error);
    }
  }

  return {
    updates$: defer(() => {
      if (state.isClosed) throw new TokenStreamClosedError();
      state.isSignedOut = false;
      return shared$;
    }),
    announce,
    waits$: waits.asObservable(),
    demand: () => {
      if (state.isClosed) return;
      // `share` stays connected without subscribers, because of `resetOnRefCountZero: false`.
      const subscription = shared$.subscribe();
      recheck();
      subscription.unsubscribe();
    },
    cancel: () => {
      cancelled$.next();
    },
    close: () => {
      closed$.next();
    },
  };
}
