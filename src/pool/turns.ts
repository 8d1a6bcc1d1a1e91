import { catchError, Observable } from 'rxjs';
import { isTokenError, TokenFetchTimeoutError } from '../errors.js';
import type { InTurn } from '../token/options.js';

/**
 * Lets at most `limit` subscriptions run at once; the others wait in the order in which they came. A turn is over when
 * its subscription ends. One that is unsubscribed while it waits gives up its place. One that must wait looks whether
 * those that run are over.
 *
 * Hand-made: of RxJS' `mergeMap` nobody in its queue can be unsubscribed.
 */
export function createTurns(limit: number): InTurn {
  // A Set, since whoever leaves may stand anywhere in the queue.
  const waiting = new Set<() => void>();
  const running = new Set<{ readonly look: (() => void) | undefined }>();
  let isAdmitting = false;

  /** All turns may be held by sources that wait for one of those that have none. */
  function explain(error: unknown): never {
    if (waiting.size === 0 || !isTokenError(error, 'ERR_TOKEN_FETCH_TIMEOUT')) throw error;
    const others = `fetches that wait for their turn: ${String(waiting.size)}`;
    const message = `${error.message}; ${others}. Does the source wait for another key of its pool?`;
    // With its cause, if it has one.
    throw new TokenFetchTimeoutError(message, error);
  }

  /** A loop, since turns that end at once would call each other, deeper and deeper. */
  function admit(): void {
    if (isAdmitting) return;
    isAdmitting = true;
    for (const begin of waiting) {
      if (running.size + 1 > limit) break;
      waiting.delete(begin);
      begin();
    }
    isAdmitting = false;
  }

  return (work$, look) =>
    new Observable((subscriber) => {
      const begin = () => {
        const turn = { look };
        running.add(turn);
        work$
          .pipe(catchError(explain))
          .subscribe(subscriber)
          .add(() => {
            running.delete(turn);
            admit();
          });
      };
      waiting.add(begin);
      subscriber.add(() => waiting.delete(begin));
      admit();
      if (waiting.has(begin)) for (const turn of [...running]) turn.look?.();
    });
}
