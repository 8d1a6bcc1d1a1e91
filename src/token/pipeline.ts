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
import { MIN_PAUSE } from './backoff.js';
import type { TokenContext } from './context.js';
import { latest } from './latest.js';
import type { Outcome } from './outcome.js';
import type { SourceResult } from './receivedToken.js';
import { createRefresher } from './refresher.js';
import { endPause, isBlocked, isFresh, isWanted, waitersOf, whyRefresh } from './state.js';
import type { TokenHolder } from './tokenHolder.js';

/** Those who waited have a token, or fail for want of one. */
export interface WaitEnded {
  readonly waiters: number;
  /** How long somebody has waited, in milliseconds. */
  readonly longest: number;
  readonly outcome: Exclude<Outcome['type'], 'attemptFailed'>;
}

export interface Pipeline {
  /** What happens to the token, shared by all. A new subscriber is told of the usable token at once. */
  readonly outcome$: Observable<Outcome>;
  /** Tells an outcome to everyone who waits or listens. */
  readonly announce: (outcome: Outcome) => void;
  /** One for all who wait for the same token, just before they have it. */
  readonly waits$: Observable<WaitEnded>;
  /** Makes it run, if it does not, though nobody subscribes. */
  readonly connect: () => void;
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
 * outcome$   -T1----------T2----------------T3---    repeat: the next refresh when one is needed
 *                                   ^ T2             share: who comes later is told of the token that lives
 * ```
 */
export function createPipeline(context: TokenContext, { takeUp, adopt }: TokenHolder): Pipeline {
  const { state, settings, now, timers, events, look$, look, current, report } = context;
  const cancelled$ = new Subject<void>();
  const closed$ = new Subject<void>();
  const waits = new Subject<WaitEnded>();

  // `shareReplay` is `share` with a ReplaySubject(1) as connector. This is one whose value expires.
  const outcomes = latest<Outcome>({
    replay: () => (current() ? state.held?.outcome : knownFailure()),
    accept: (outcome) => {
      if (outcome.type !== 'attemptFailed') tellWait(outcome.type);
      if (outcome.type === 'token') return takeUp(outcome);
      // Here, where those who wait are known already: a listener that signs in again belongs to the next session.
      if (outcome.type === 'signedOut') events.emit({ type: 'signedOut' });
      return () => true;
    },
    onCount: (count) => {
      state.subscribers = count;
      // While anyone wants the token, its timers keep the process alive.
      timers.keepAlive(count > 0);
    },
  });
  const announce = (outcome: Outcome) => {
    outcomes.next(outcome);
  };
  const { refresh, afterPause } = createRefresher(context, announce);

  function tellWait(outcome: WaitEnded['outcome']): void {
    const waiters = waits.observed ? waitersOf(state) : 0;
    if (waiters > 0) waits.next({ waiters, longest: now() - state.waitingSince, outcome });
  }

  const refresh$ = defer(() => {
    const reason = whyRefresh(state, now());
    return reason ? refresh(reason).pipe(takeUntil(cancelled$)) : EMPTY;
  });

  /** The permanent failure that everyone without a token fails with, until its pause is over. */
  function knownFailure(): Outcome | undefined {
    const { permanentFailure: error } = state;
    return error && !current() && isBlocked(state, now()) ? { type: 'failed', error } : undefined;
  }

  /** Emits when the token is due, over, refused or asked for. Completes when nobody wants one: the stream is idle. */
  const untilNeeded = () =>
    look$.pipe(
      startWith(undefined),
      switchMap(() => (goesOn() ? afterPause() : of(undefined))),
      takeWhile(goesOn),
      filter(() => whyRefresh(state, now()) !== null),
    );

  const shared$ = using(listen, () => refresh$.pipe(repeat({ delay: untilNeeded }))).pipe(
    takeUntil(closed$),
    share({ connector: () => outcomes, resetOnRefCountZero: false }),
  );

  function goesOn(): boolean {
    const time = now();
    if (isWanted(state, time, settings)) return true;
    // Nothing to do yet. After a failure that nobody waits for, nothing more is tried.
    return state.held !== null && isFresh(state.held, time) && state.failures === 0;
  }

  /** While the pipeline runs, it listens to what may change the picture. */
  function listen(): Subscription {
    const listening = new Subscription(() => {
      state.isConnected = false;
      const isIdle = !state.isClosed && !state.isSignedOut && !isBlocked(state, now());
      if (isIdle) events.emit({ type: 'idle' });
    });
    state.isConnected = true;
    const error = (failure: unknown) => {
      report(failure);
    };
    const wake = () => {
      // A source that is asked by nobody in particular is never asked more often than after a failure.
      state.pause = endPause(state, Math.max(MIN_PAUSE, settings.backoff.initial));
      look();
    };
    listening.add(settings.wake.subscribe({ next: wake, error }));
    listening.add(look$.subscribe(tellKnownFailure));
    listening.add(settings.store?.changes?.subscribe({ next: onPush, error }));
    return listening;
  }

  /** The token of those who listen may have ended in the pause after a permanent failure. */
  function tellKnownFailure(): void {
    const failure = knownFailure();
    if (failure && state.subscribers > 0) announce(failure);
  }

  /** Someone else put a token into the store. */
  function onPush(stored: SourceResult): void {
    if (state.isSignedOut) return;
    try {
      const outcome = adopt(stored);
      if (!outcome) return;
      announce(outcome);
      // A fetch under way goes on; a pause before the next one has no reason any more.
      if (!state.isAsking) cancelled$.next();
    } catch (error) {
      report(error);
    }
  }

  return {
    outcome$: defer(() => {
      if (state.isClosed) throw new TokenStreamClosedError();
      state.isSignedOut = false;
      return shared$;
    }),
    announce,
    waits$: waits.asObservable(),
    connect: () => {
      // `share` stays connected without subscribers, because of `resetOnRefCountZero: false`.
      if (!state.isConnected && !state.isClosed) shared$.subscribe().unsubscribe();
    },
    cancel: () => {
      cancelled$.next();
    },
    close: () => {
      closed$.next();
    },
  };
}
