/** The work, unless the signal aborts first: what comes from outside may not heed it. Rejects with the signal's reason. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const leave = () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    const done = () => {
      signal.removeEventListener('abort', leave);
    };
    work.then(resolve, reject).then(done, done);
  });
}
