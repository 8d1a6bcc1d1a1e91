import { asyncScheduler, defer, finalize, type Observable } from 'rxjs';
import { createTimers } from '../internal/timers.js';
import { exclusively } from './lock.js';

/** One tab's turns among all. */
export interface Turns {
  /** Does some work when it is this tab's turn, or when it has waited long enough. */
  take<T>(work: () => Observable<T>): Observable<T>;
  /** Waiting was not in vain: a token came. */
  served(): void;
}

/** @param limit ms to wait in all, since the last token, until the work is done beside the tab whose turn it is */
export function createTurns(name: string, limit: number): Turns {
  const timers = createTimers(asyncScheduler);
  // The stream's own patience may end sooner; who asks again goes on waiting from there.
  let waited = 0;

  return {
    take: (work) =>
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
    served: () => {
      waited = 0;
    },
  };
}
