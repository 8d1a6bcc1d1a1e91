/** One run of some work, for all who ask for it at the same time. */
import { AsyncSubject, asyncScheduler, defer, finalize, of, share, type Observable } from 'rxjs';
import { abortable } from '../../internal/async/abortable.js';
import { onBehalfOf } from '../../internal/hiddenMembers.js';
import { stopwatch } from '../../internal/time/stopwatch.js';
import { createTimers } from '../../internal/time/timers.js';
import { orAborted } from '../../internal/async/onAbort.js';

/**
 * Lets concurrent callers share one run of `work`. When all have aborted, the run goes on for `grace` ms: a refresh
 * that rotates must not be cut off, since the server may have used up the old token already. Callers may join it
 * meanwhile. After the grace period it ends with the last of these: a run that hangs must not be joined for ever.
 *
 * @param work gets the argument of the caller that began the run
 * @returns runs the work, or joins the run under way; rejects when the signal aborts
 */
export function singleFlight<A, T>(
  work: (signal: AbortSignal, argument: A) => Promise<T>,
  grace: number,
): (signal: AbortSignal, argument: A) => Promise<T> {
  /** The run under way. Not kept when it is over: the request of a caller has its whole stream behind it. */
  let run$: Observable<T> | undefined;

  function createRun(signal: AbortSignal, argument: A): Observable<T> {
    /** Milliseconds since all callers had left for the first time. */
    let sinceLeft: (() => number) | undefined;
    return abortable((own) => work(onBehalfOf(signal, own), argument)).pipe(
      finalize(() => (run$ = undefined)),
      share({
        connector: () => new AsyncSubject<T>(),
        // Otherwise those whom the result has reached would count as callers that have left.
        resetOnComplete: false,
        resetOnError: false,
        // The timer is unref'd: what a run waits for keeps a Node process alive, the grace period by itself does not.
        resetOnRefCountZero: () => {
          const left = grace - (sinceLeft ??= stopwatch())();
          return left > 0 ? createTimers(asyncScheduler).after(left) : of(undefined);
        },
      }),
    );
  }

  return (signal, argument) =>
    orAborted(
      defer(() => (run$ ??= createRun(signal, argument))),
      signal,
    );
}
