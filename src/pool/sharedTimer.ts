import { Subscription } from 'rxjs';

/** What waits for its time. */
export interface Timed {
  /** Milliseconds on the clock; Infinity: it waits for none. */
  dueAt: number;
}

export interface SharedTimer<S extends Timed> {
  /** In the place of the time before. `Infinity`: never. */
  readonly set: (timed: S, dueAt: number) => void;
  readonly clear: (timed: S) => void;
}

/**
 * One timer for all: a timer for each takes as much memory as all else that is kept of a key.
 *
 * @param after begins the timer
 * @param now a clock that is never set back, in milliseconds
 */
export function createSharedTimer<S extends Timed>(
  after: (delay: number, fire: () => void) => Subscription,
  now: () => number,
  onDue: (timed: S) => void,
): SharedTimer<S> {
  /** The next one is the last. */
  const waiting: S[] = [];
  let timer = Subscription.EMPTY;
  let timerAt = Infinity;

  /** Of the first that is not later. */
  function indexOf(dueAt: number): number {
    let [low, high] = [0, waiting.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((waiting[middle] as S).dueAt > dueAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function startTimer(): void {
    const next = waiting.at(-1)?.dueAt ?? Infinity;
    if (next === timerAt) return;
    timer.unsubscribe();
    timerAt = next;
    timer = after(next - now(), fire);
  }

  function fire(): void {
    const time = now();
    timerAt = Infinity;
    for (let next = waiting.at(-1); next && next.dueAt <= time; next = waiting.at(-1)) {
      waiting.pop();
      next.dueAt = Infinity;
      onDue(next);
    }
    startTimer();
  }

  function remove(timed: S): void {
    if (timed.dueAt === Infinity) return;
    waiting.splice(waiting.indexOf(timed, indexOf(timed.dueAt)), 1);
    timed.dueAt = Infinity;
  }

  return {
    set: (timed, dueAt) => {
      remove(timed);
      if (dueAt < Infinity) {
        timed.dueAt = dueAt;
        waiting.splice(indexOf(timed.dueAt), 0, timed);
      }
      startTimer();
    },
    clear: (timed) => {
      remove(timed);
      startTimer();
    },
  };
}
