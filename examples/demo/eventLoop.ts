/** Between two looks at the clock. Milliseconds. */
const EVERY = 50;
/**
 * A look that comes this much late means that the process did not run: it was stopped, or the machine was busy.
 * Milliseconds.
 */
const LATE = 250;

/** When this process did not run, as the delay of its event loop tells. */
export interface EventLoop {
  /** Milliseconds in all. */
  stalled(): number;
  /** Whether it did not run at some time between these two, by `performance.now()`. */
  stalledBetween(from: number, to: number): boolean;
  close(): void;
}

export function watchEventLoop(now: () => number = () => performance.now()): EventLoop {
  const gaps: { readonly from: number; readonly to: number }[] = [];
  let last = now();
  const look = (): void => {
    const at = now();
    if (at - last > EVERY + LATE) gaps.push({ from: last, to: at });
    last = at;
  };
  const timer = setInterval(look, EVERY).unref();
  return {
    stalled: () => {
      look();
      return gaps.reduce((sum, { from, to }) => sum + (to - from), 0);
    },
    // The answer to a request may be read before the timer fires.
    stalledBetween: (from, to) => {
      look();
      return gaps.some((gap) => gap.from <= to && gap.to >= from);
    },
    close: () => clearInterval(timer),
  };
}
