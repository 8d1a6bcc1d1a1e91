import { catchError, firstValueFrom, merge, Observable, of, timer } from 'rxjs';
import { onAbort, reasonOf } from '../internal/onAbort.js';
import { onBehalfOf } from '../internal/sourceHooks.js';

/**
 * The result of the work; rejects with the signal's reason if that aborts first, since the work may ignore its signal.
 */
export const orAborted = <T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> =>
  signal ? firstValueFrom(merge(work, aborted(signal))) : work;

/**
 * Fails with the signal's reason when it aborts. Hand-made: `fromEvent` would add a listener for each use of the
 * signal.
 */
export const aborted = (signal: AbortSignal): Observable<never> =>
  new Observable((subscriber) =>
    onAbort(signal, () => {
      subscriber.error(reasonOf(signal));
    }),
  );

/** Runs the work, unless the signal has aborted, with one that aborts `delay()` ms after it. */
export async function outliving<T>(
  signal: AbortSignal,
  delay: () => number,
  work: (outliving: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw reasonOf(signal);
  const controller = new AbortController();
  const end = aborted(signal)
    .pipe(catchError(() => (delay() === 0 ? of(0) : timer(delay()))))
    .subscribe(() => {
      controller.abort(signal.reason);
    });
  return work(onBehalfOf(signal, controller.signal)).finally(() => {
    end.unsubscribe();
  });
}
