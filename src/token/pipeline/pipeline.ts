/** The stream itself: repeats refreshes when a token is needed, and shares what they bring. */
import {
  defer,
  EMPTY,
  filter,
  of,
  repeat,
  ReplaySubject,
  share,
  Subscription,
  switchMap,
  takeUntil,
  takeWhile,
  using,
  type Observable,
  type SubjectLike,
} from 'rxjs';
import { TokenStreamClosedError } from '../../errors.js';
import type { TokenContext } from './context.js';
import { holdToken, updateFromStore } from './holdToken.js';
import { latest } from './latest.js';
import type { SourceResult, TokenUpdate } from '../decisions/receivedToken.js';
import { runRefresh, type Announce } from './refresher.js';
import { delayUntilCheck, earlyEndOfPause } from '../decisions/pauses.js';
import {
  blockingFailure,
  failedUpdate,
  isAttemptDue,
  keepsRunning,
  stillHolds,
  usableHeld,
  whyRefresh,
} from '../decisions/state.js';

export type Pipeline = ReturnType<typeof createPipeline>;

/**
 * ```
 * source     -r          -r          -x -x -r        r: a token, x: a failure
 * refresh$   -T1|        -T2|        -------T3|      retry: attempts with pauses between them, until a token comes
 * updates$   -T1----------T2----------------T3---    repeat: the next refresh when one is needed
 *                                   ^ T2             share: a later subscriber gets the usable token
 * ```
 */
export function createPipeline(context: TokenContext) {
  const { state, settings, now, timers, recheck$, recheck, cancelled$ } = context;
  // Replayed: a subscriber may close the stream with the token it is given, before the pipeline runs for it.
  const closed$ = new ReplaySubject<void>(1);
  const connector = createConnector(context);
  // Not merged into `refresh$`: what comes from outside, a sign-out say, is told even if the pipeline does not run.
  const announce = connector.next;

  const isToRun = () => keepsRunning(state, now(), settings);

  /**
   * Emits when a token is needed: the last one is to be renewed, has expired, was rejected, `refresh()` was called, or
   * an attempt has failed. Completes when none is wanted: the stream is idle. Then the pipeline completes, too. Nobody
   * is subscribed to it at that moment, and the next use connects it again.
   */
  const untilNeeded$ = recheck$.pipe(
    switchMap(() => {
      const delay = delayUntilCheck(state, now(), settings);
      return delay > 0 ? timers.after(delay) : NOW;
    }),
    takeWhile(isToRun),
    filter(() => isAttemptDue(state, now())),
  );

  const refresh$ = defer(() => {
    const reason = whyRefresh(state, now());
    return reason ? runRefresh(context, reason, announce, untilNeeded$) : EMPTY;
  }).pipe(takeUntil(cancelled$));

  const shared$ = using(
    () => listen(context, announce),
    () => refresh$.pipe(repeat({ delay: () => untilNeeded$ })),
  ).pipe(takeUntil(closed$), share({ connector: () => connector, resetOnRefCountZero: false }));

  return {
    /** What happens to the token, shared by all. A new subscriber gets the usable token, or the failure, at once. */
    updates$: defer(() => {
      if (state.isClosed) throw new TokenStreamClosedError();
      // Whoever subscribes now begins the next session.
      state.isSignedOut = false;
      return shared$;
    }),
    /** The same, but a subscriber makes nothing run. */
    passiveUpdates$: connector as Pick<typeof connector, 'subscribe'>,
    /** The state takes the update up, its event is emitted, then everyone who waits or listens is given it. */
    announce,
    /** Connects the pipeline if it is not connected, and checks once. No subscriber stays. */
    run: (): void => {
      // `share` stays connected without subscribers, because of `resetOnRefCountZero: false`.
      const subscription = shared$.subscribe();
      recheck();
      subscription.unsubscribe();
    },
    close: (): void => closed$.next(),
  };
}

/** Emits when it is subscribed to. One for all: to make one takes longer than to use it. */
const NOW: Observable<unknown> = /* @__PURE__ */ of(undefined);

/**
 * Where the subscribers of the stream are: the ReplaySubject(1) of `shareReplay`, but its value expires. A token that
 * passes here is put into the state.
 */
function createConnector(context: TokenContext): SubjectLike<TokenUpdate> {
  const { state, now, timers, events, waiters, waitEnded$ } = context;
  return latest<TokenUpdate>({
    replay: () => usableHeld(state, now()) ?? currentFailure(context),
    apply: (update) => {
      const [first] = waiters;
      const { size } = waiters;
      // `latest` has copied its subscribers: a listener of the event that subscribes now waits for the next update.
      if (update.type === 'token') holdToken(context, update);
      else if (update.event) events.emit(update.event);
      // A listener may have ended the session: then they hear of that instead.
      if (first && update.type !== 'attemptFailed' && stillHolds(update, state, now()))
        waitEnded$.next({ waiters: size, longest: now() - first.since, outcome: update.type });
    },
    stillHolds: (update) => stillHolds(update, state, now()),
    onCount: (count) => {
      state.subscribers = count;
      // A use within `idleTimeout` does not keep the process alive: only who waits or listens does.
      timers.keepAlive(count > 0);
    },
  });
}

/** The permanent failure that everyone without a token fails with, until its pause is over. */
function currentFailure({ state, now }: TokenContext): TokenUpdate | undefined {
  const error = blockingFailure(state, now());
  return error ? failedUpdate(state, error) : undefined;
}

/** While the pipeline runs, it listens to whatever may make a refresh necessary. */
function listen(context: TokenContext, announce: Announce): Subscription {
  const { state, settings, now, events, recheck$, recheck, current, reportFailure } = context;
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
  /** The token of those who listen may have ended in the pause after a permanent failure. */
  const announceFailure = () => {
    const failure = currentFailure(context);
    if (failure && !current()) announce(failure);
  };
  /** Someone else put a token into the store. */
  const receiveStored = (stored: SourceResult) => {
    if (state.isSignedOut || state.isClosed) return;
    try {
      const arrived = updateFromStore(context, stored);
      if (arrived) announce(arrived);
    } catch (error) {
      reportFailure(error);
    }
  };

  listening.add(settings.wake.subscribe({ next: wake, error: reportFailure }));
  listening.add(recheck$.subscribe(announceFailure));
  listening.add(settings.store?.changes?.subscribe({ next: receiveStored, error: reportFailure }));
  return listening;
}
