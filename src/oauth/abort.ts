import { firstValueFrom, merge, Observable } from 'rxjs';
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

/** Runs the work with a signal that aborts `delay()` ms after the given one. */
export async function outliving<T>(
  signal: AbortSignal,
  delay: () => number,
  work: (outliving: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const abort = () => {
    controller.abort(signal.reason);
  };
  const stop = onAbort(signal, () => {
    const ms = delay();
    if (ms === 0) abort();
    else timer = setTimeout(abort, ms);
  });
  try {
    return await work(onBehalfOf(signal, controller.signal));
  } finally {
    stop();
    clearTimeout(timer);
  }
}
