import {
  defer,
  EMPTY,
  filter,
  finalize,
  map,
  merge,
  of,
  retry,
  Subject,
  Subscription,
  switchMap,
  take,
  throwError,
  type Observable,
} from 'rxjs';
import { TokenUnavailableError } from '../errors.js';
import type { Timers } from '../internal/timers.js';
import { backoffOf, backoffStep, MIN_PAUSE, retryAfterOf, retryDelay } from './backoff.js';
import type { TokenIncident } from './events.js';
import type { Settings } from './options.js';
import type { Ask, Answer } from './sourceCalls.js';
import type { AccessToken, RefreshReason } from './types.js';

/** What the refresher needs to know, and what it tells. */
export interface RefreshHost<Arrival> {
  readonly previous: () => AccessToken | null;
  /** Milliseconds of life that the token at hand still has; `Infinity` when there is none to outlive. */
  readonly remaining: () => number;
  readonly isWanted: () => boolean;
  /** Makes a token of an answer, or throws. */
  readonly read: (answer: Answer, sentAt: number, took: number) => Arrival;
  readonly onToken: (arrival: Arrival, reason: RefreshReason, attempt: number) => void;
  /** For good: nobody need wait any longer. */
  readonly onFailure: (error: TokenUnavailableError) => void;
  /** Nobody is interested any more. */
  readonly onAbandoned: () => void;
  /** An attempt is about to be made. */
  readonly onAttempt: (reason: RefreshReason, attempt: number) => void;
  readonly emit: (incident: TokenIncident) => void;
}

export interface Refresher {
  isRunning(): boolean;
  /** How many refreshes there were. */
  count(): number;
  /** Right after a permanent failure nothing is attempted. */
  isBlocked(): boolean;
  /** Milliseconds until the next attempt may be made; 0 when it may be made now. */
  pauseLeft(): number;
  /** The last failure since a token arrived. */
  failure(): unknown;
  /** Starts a refresh, or joins the one under way; right after a permanent failure it fails at once. */
  start(reason: RefreshReason): void;
  /** The token just fetched cannot be kept: no attempt within `duration` of the moment at which it was asked for. */
  pause(since: number, duration: number): void;
  /** A token came from elsewhere: what failed before is over, and nobody pauses for the next attempt. A fetch under way goes on. */
  settle(): void;
  stop(): void;
}

/** One refresh at a time: attempts with pauses between them, until a token arrives, all hope is gone, or nobody cares. */
export function createRefresher<Arrival>(
  ask: Ask,
  { now, scheduler, ...settings }: Settings,
  timers: Timers,
  host: RefreshHost<Arrival>,
): Refresher {
  let running: Subscription | null = null;
  let count = 0;
  let failure: unknown;
  /** No attempt within `duration` of `since`; a clock that was set back behind it voids that. */
  let pause = { since: 0, duration: 0 };
  let refusal: TokenUnavailableError | null = null;
  let stopped = false;
  /** The request that is under way. */
  let asking: object | null = null;
  let attempt = 0;
  /** Somebody looked at the clock: a pause may be over before its timer says so, if the machine slept. */
  const recheck$ = new Subject<void>();

  function pauseLeft(): number {
    const elapsed = now() - pause.since;
    return elapsed < 0 ? 0 : Math.max(0, pause.duration - elapsed);
  }

  /** Emits when the pause is over, by its timer or by the clock; completes without, if nobody is interested then. */
  const over = (left: number): Observable<void> =>
    merge(timers.after(left), recheck$.pipe(filter(() => pauseLeft() === 0))).pipe(take(1), filter(host.isWanted));

  function start(reason: RefreshReason): void {
    if (running) {
      recheck$.next();
      return;
    }
    const left = pauseLeft();
    if (refusal && left > 0) {
      host.onFailure(refusal);
      return;
    }
    refusal = null;
    count++;
    const ready$ = left > 0 ? over(left) : of(undefined);
    const current = (running = new Subscription());
    const ended = () => {
      const mine = running === current;
      if (mine) running = null;
      return mine;
    };
    current.add(
      ready$.pipe(switchMap(() => attempts(reason))).subscribe({
        next: (arrival) => {
          ended();
          if (stopped) return;
          failure = undefined;
          host.onToken(arrival, reason, attempt);
        },
        error: (cause: unknown) => {
          ended();
          pause = {
            since: now(),
            duration: Math.max(MIN_PAUSE, backoffStep(1, backoff()), retryAfterOf(cause, now()) ?? 0),
          };
          refusal = new TokenUnavailableError('the token source failed for good', { cause });
          host.onFailure(refusal);
        },
        complete: () => {
          if (ended()) host.onAbandoned();
        },
      }),
    );
  }

  function attempts(reason: RefreshReason): Observable<Arrival> {
    attempt = 0;
    return defer(() => {
      const sentAt = now();
      // A clock that is set back during the fetch does not make it shorter.
      const sentTick = scheduler.now();
      host.onAttempt(reason, ++attempt);
      if (stopped) return EMPTY;
      const report = (error: unknown) => {
        failure = error;
        host.emit({ type: 'refreshFailed', error, attempt, retryIn: null, permanent: false });
      };
      const mine = (asking = {});
      return ask({ reason, attempt, previous: host.previous() }, report).pipe(
        finalize(() => {
          if (asking === mine) asking = null;
        }),
        map((answer) => host.read(answer, sentAt, Math.max(now() - sentAt, scheduler.now() - sentTick))),
      );
    }).pipe(retry({ delay: (error: unknown) => afterFailure(error) }));
  }

  /** The retry notifier: emits when it is time to try again, completes when nobody waits for that, errors when it is no use. */
  function afterFailure(thrown: unknown): Observable<void> {
    let error = thrown;
    let permanent = false;
    try {
      permanent = settings.isPermanent(thrown);
    } catch (mistake) {
      error = mistake;
    }
    failure = error;
    const wanted = !permanent && host.isWanted();
    const duration = retryDelay(attempt, backoff(), {
      random: settings.random,
      remaining: host.remaining(),
      retryAfter: retryAfterOf(error, now()),
    });
    pause = { since: now(), duration };
    // Whoever hears that this refresh gives up may begin another.
    const mine = running;
    if (!wanted && !permanent) running = null;
    host.emit({ type: 'refreshFailed', error, attempt, retryIn: wanted ? duration : null, permanent });
    running ??= mine;
    if (permanent) return throwError(() => error);
    return wanted ? over(duration) : EMPTY;
  }

  const backoff = () => backoffOf(settings.backoff, host.previous());

  return {
    isRunning: () => running !== null,
    count: () => count,
    isBlocked: () => refusal !== null && pauseLeft() > 0,
    pauseLeft,
    failure: () => failure,
    start,
    pause: (since, duration) => (pause = { since, duration }),
    settle: () => {
      failure = refusal = null;
      pause = { since: 0, duration: 0 };
      if (asking) return;
      running?.unsubscribe();
      running = null;
    },
    stop: () => {
      stopped = true;
      running?.unsubscribe();
      // An error holds what was on the stack when it was made.
      failure = refusal = null;
    },
  };
}
