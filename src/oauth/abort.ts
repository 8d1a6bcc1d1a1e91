import { Observable } from 'rxjs';
import { onAbort } from '../internal/onAbort.js';
import { onBehalfOf } from '../internal/sourceHooks.js';

const reasonOf = ({ reason }: AbortSignal): Error => (reason instanceof Error ? reason : new Error('aborted'));

/** The work, unless the signal aborts first: code of others may ignore it. Rejects with the signal's reason. */
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

/** Does some work with a signal that aborts so many ms after the given one; where that is 0, at once. */
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
