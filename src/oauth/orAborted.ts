import { Observable } from 'rxjs';
import { onAbort } from '../internal/onAbort.js';

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
