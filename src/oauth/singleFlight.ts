/** One run of some work, for all who ask for it at the same time. */
import { AsyncSubject, asyncScheduler, defer, of, share, type Observable } from 'rxjs';
import { abortable } from '../internal/abortable.js';
import { onBehalfOf } from '../internal/hiddenMembers.js';
import { stopwatch } from '../internal/stopwatch.js';
import { createTimers } from '../internal/timers.js';
import { orAborted } from '../internal/onAbort.js';

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
  // Its timers are unref'd: what a run waits for keeps a Node process alive, the grace period by itself does not.
  const timers = createTimers(asyncScheduler);
  /** Of the latest caller. Read only when a run begins, so by the caller that begins it. */
  let begin: () => Observable<T>;
  /** Milliseconds since all callers of the run had left for the first time. */
  let sinceLeft: (() => number) | undefined;
  const run$ = defer(() => {
    sinceLeft = undefined;
    return begin();
  }).pipe(
    share({
      connector: () => new AsyncSubject<T>(),
      resetOnRefCountZero: () => {
        const left = grace - (sinceLeft ??= stopwatch())();
        return left > 0 ? timers.after(left) : of(undefined);
      },
    }),
  );
  return (signal, argument) => {
    begin = () => abortable((own) => work(onBehalfOf(signal, own), argument));
    return orAborted(run$, signal);
  };
}
