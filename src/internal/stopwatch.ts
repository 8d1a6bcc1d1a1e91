/** Two clocks, since neither is enough: one stops while the machine sleeps, the other can be set. Both in milliseconds. */
export interface Clocks {
  /** Only grows. */
  readonly ticks: () => number;
  readonly wall: () => number;
}

export const CLOCKS: Clocks = { ticks: () => performance.now(), wall: () => Date.now() };

/** Starts to measure, from `age` on: the result says how many ms ago that was, never too few. */
export function stopwatch(age = 0, { ticks, wall }: Clocks = CLOCKS): () => number {
  const [tick, time] = [ticks(), wall()];
  return () => age + Math.max(0, ticks() - tick, wall() - time);
}
