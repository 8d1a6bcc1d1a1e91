import { asyncScheduler, defer, finalize, type Observable } from 'rxjs';
import { createTimers } from '../internal/timers.js';
import { exclusively } from './lock.js';

/** This tab's place in the queue for the lock of all tabs. */
export interface LockQueue {
  /** Does some work under the lock, or without it when this tab has waited for `limit` ms. */
  run<T>(work: () => Observable<T>): Observable<T>;
  /** A token came: the time waited so far no longer counts. */
  readonly reset: () => void;
}

/** @param limit ms to wait in all, since the last token, before the work is done without the lock */
export function createLockQueue(name: string, limit: number): LockQueue {
  const timers = createTimers(asyncScheduler);
  // The stream's own timeout may end a wait sooner; the next attempt goes on counting from there.
  let waited = 0;

  return {
    run: (work) =>
      defer(() => {
        const since = performance.now();
        let begun = false;
        const begin = () => {
          begun = true;
          return work();
        };
        return exclusively(name, begin, timers.after(limit - waited, true)).pipe(
          finalize(() => {
            if (!begun) waited += performance.now() - since;
          }),
        );
      }),
    reset: () => {
      waited = 0;
    },
  };
}
