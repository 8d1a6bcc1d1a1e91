/** Measures durations by two clocks, so that neither a sleep nor a clock that was set makes them too short. */
import type { SchedulerLike } from 'rxjs';

/**
 * Two clocks, since neither is enough: one stops while the machine sleeps, the other can be set. Both in milliseconds.
 */
export interface Clocks {
  /** Only grows. */
  readonly ticks: () => number;
  readonly wall: () => number;
}

export const CLOCKS: Clocks = { ticks: () => performance.now(), wall: () => Date.now() };

/** A response, and how many ms ago it was asked for, never too few. */
export interface Aged<R> {
  readonly response: R;
  readonly age: () => number;
}

/** A scheduler that differs so much from the wall clock runs in virtual time. Milliseconds. */
const VIRTUAL = 1000;

/**
 * A clock that only grows, in whole ms, for what is timed by the scheduler. In virtual time nothing sets the
 * scheduler's own.
 */
export const ticksOf = (scheduler: SchedulerLike, { ticks, wall }: Clocks = CLOCKS): (() => number) =>
  Math.abs(scheduler.now() - wall()) < VIRTUAL ? () => Math.floor(ticks()) : () => scheduler.now();

/** Starts to measure, from `age` on: the result says how many ms ago that was, never too few. */
export function stopwatch(age = 0, { ticks, wall }: Clocks = CLOCKS): () => number {
  const [tick, time] = [ticks(), wall()];
  return () => age + Math.max(0, ticks() - tick, wall() - time);
}
