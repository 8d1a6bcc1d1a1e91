/** Lets only so many fetches run at the same time: those of a pool, or of streams with one refresh token. */
import { Observable } from 'rxjs';
import type { InTurn } from '../token/options.js';

/** Turns, which can be held: none begins while `work` runs. */
interface Turns extends InTurn {
  readonly hold: (work: () => void) => void;
}

/**
 * Lets at most `limit` subscriptions run at once; the others wait in the order in which they came. A turn is over when
 * its subscription ends. One that is unsubscribed while it waits gives up its place.
 *
 * Hand-made: of RxJS' `mergeMap` nobody in its queue can be unsubscribed.
 */
export function createTurns(limit: number): Turns {
  // A Set, since whoever leaves may stand anywhere in the queue.
  const waiting = new Set<() => void>();
  let running = 0;
  let isHeld = false;

  /** A loop, since turns that end at once would call each other, deeper and deeper. */
  function admit(): void {
    if (isHeld) return;
    isHeld = true;
    for (const begin of waiting) {
      // `limit` may be a fraction.
      if (running + 1 > limit) break;
      waiting.delete(begin);
      begin();
    }
    isHeld = false;
  }

  const hold: Turns['hold'] = (work) => {
    const wasHeld = isHeld;
    isHeld = true;
    try {
      work();
    } finally {
      isHeld = wasHeld;
      admit();
    }
  };

  const inTurn: InTurn = (work$) =>
    new Observable((subscriber) => {
      const begin = () => {
        running++;
        const turn = work$.subscribe(subscriber);
        turn.add(() => {
          running--;
          admit();
        });
      };
      waiting.add(begin);
      subscriber.add(() => waiting.delete(begin));
      admit();
    });

  return Object.assign(inTurn, { hold });
}
