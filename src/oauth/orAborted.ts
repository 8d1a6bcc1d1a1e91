import { onAbort } from '../internal/onAbort.js';

/** The work, unless the signal aborts first: what comes from outside may not heed it. Rejects with the signal's reason. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const stop = onAbort(signal, () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    });
    work.then(resolve, reject).then(stop, stop);
  });
}
