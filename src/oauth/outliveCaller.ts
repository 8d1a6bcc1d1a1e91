/** Lets an exchange continue for a while after its caller has left, so that its answer is not lost. */
import { catchError, of, timer } from 'rxjs';
import { aborted, reasonOf } from '../internal/async/onAbort.js';
import { onBehalfOf } from '../internal/hiddenMembers.js';

/** Runs the work with a signal of its own, which aborts `delay()` ms after `signal` does. */
export async function outliveCaller<T>(
  signal: AbortSignal,
  delay: () => number,
  work: (own: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw reasonOf(signal);
  const controller = new AbortController();
  const end = aborted(signal)
    .pipe(
      catchError(() => {
        const ms = delay();
        return ms === 0 ? of(0) : timer(ms);
      }),
    )
    .subscribe(() => controller.abort(signal.reason));
  return work(onBehalfOf(signal, controller.signal)).finally(() => end.unsubscribe());
}
