/** Runs the deadlines of all keys of a pool with one timer, to save memory. */
import type { Subscription } from 'rxjs';

/** What is called at its time. */
export interface Timed {
  /** Milliseconds on the clock; Infinity: it waits for none. */
  dueAt: number;
  onDue(): void;
}

/**
 * One timer for many: a timer for each takes as much memory as all else that is kept of a key.
 *
 * @param after begins the timer
 * @param now a clock that is never set back, in milliseconds
 * @returns sets when one is called, in the place of the time before
 */
export function createSharedTimer(after: (delay: number, fire: () => void) => Subscription, now: () => number) {
  /** By time: the next one is the last. */
  const waiting: Timed[] = [];
  let timer: Subscription | undefined;
  let timerAt = Infinity;

  /** Of the first that is not later. */
  function indexOf(dueAt: number): number {
    let low = 0;
    let high = waiting.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((waiting[middle] as Timed).dueAt > dueAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function startTimer(): void {
    const next = waiting.at(-1)?.dueAt ?? Infinity;
    // A timer that is early finds nothing due, and starts the next one: many entries may be cleared at a time.
    if (timerAt === next || (timerAt < next && next < Infinity)) return;
    timer?.unsubscribe();
    // Before anything is noted: the clock is the user's, and may throw.
    const delay = next - now();
    timerAt = next;
    timer = after(delay, fire);
  }

  function fire(): void {
    timerAt = Infinity;
    try {
      const time = now();
      for (let next = waiting.at(-1); next && next.dueAt <= time; next = waiting.at(-1)) {
        waiting.pop();
        next.dueAt = Infinity;
        next.onDue();
      }
    } finally {
      // Also after an error: the other keys wait still.
      startTimer();
    }
  }

  return (timed: Timed, dueAt: number): void => {
    if (timed.dueAt < Infinity) waiting.splice(waiting.indexOf(timed, indexOf(timed.dueAt)), 1);
    timed.dueAt = dueAt;
    if (dueAt < Infinity) waiting.splice(indexOf(dueAt), 0, timed);
    startTimer();
  };
}
