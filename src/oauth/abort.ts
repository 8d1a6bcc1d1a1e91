import { Observable } from 'rxjs';
import { onAbort } from '../internal/onAbort.js';
import { onBehalfOf } from '../internal/sourceHooks.js';

const reasonOf = ({ reason }: AbortSignal): Error => (reason instanceof Error ? reason : new Error('aborted'));

/** The work, unless the signal aborts first: what comes from outside may not heed it. Rejects with the signal's reason. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => {
      reject(reasonOf(signal));
    });
    work.then(resolve, reject).then(stop, stop);
  });
}

/** Fails with the signal's reason when that aborts: for `takeUntil`. Hand-made, for the one listener per signal. */
export const aborted = (signal: AbortSignal): Observable<never> =>
  new Observable((subscriber) =>
    onAbort(signal, () => {
      subscriber.error(reasonOf(signal));
    }),
  );

/** A signal that aborts so many ms after another; where that is 0, at once. */
export function abortedAfter(signal: AbortSignal, delay: () => number): AbortSignal {
  const controller = new AbortController();
  onAbort(signal, () => {
    const abort = () => {
      controller.abort(signal.reason);
    };
    const ms = delay();
    if (ms === 0) abort();
    else (setTimeout(abort, ms) as { unref?(): void }).unref?.();
  });
  return onBehalfOf(signal, controller.signal);
}
