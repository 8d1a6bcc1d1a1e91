/** Lets only so many fetches run at the same time: those of a pool, or of streams with one refresh token. */
import { EMPTY, finalize, Observable } from 'rxjs';

export type Turns = ReturnType<typeof createTurns>;

/**
 * Lets at most `limit` subscriptions run at once; the others wait in the order in which they came. A turn is over when
 * its subscription has ended. One that is unsubscribed while it waits gives up its place.
 *
 * Hand-made: of RxJS' `mergeMap` nobody in its queue can be unsubscribed.
 */
export function createTurns(limit: number) {
  // A Set, since whoever leaves may stand anywhere in the queue.
  const waiting = new Set<() => void>();
  let running = 0;
  let isAdmitting = false;

  /** A loop, since turns that end at once would call each other, deeper and deeper. */
  function admit(): void {
    if (isAdmitting) return;
    isAdmitting = true;
    for (const begin of waiting) {
      // `limit` may be a fraction.
      if (running + 1 > limit) break;
      waiting.delete(begin);
      begin();
    }
    isAdmitting = false;
  }

  const end = () => {
    running--;
    admit();
  };

  /** @param rest$ completes when nothing of the work goes on: its turn is over then */
  return <T>(work$: Observable<T>, rest$: Observable<unknown> = EMPTY) =>
    new Observable<T>((subscriber) => {
      const begin = () => {
        running++;
        work$.subscribe(subscriber).add(() => rest$.pipe(finalize(end)).subscribe());
      };
      waiting.add(begin);
      subscriber.add(() => waiting.delete(begin));
      admit();
    });
}
