/** A clock that is never set back, for all decisions about a token. */
import type { SchedulerLike } from 'rxjs';
import { ticksOf } from './stopwatch.js';

/** Two clocks run apart by less than this between two looks, unless one of them was set back. Milliseconds. */
const SLACK = 1000;

/** Milliseconds. It jumps ahead when the machine has slept. */
export interface SteadyClock {
  readonly now: () => number;
  /** Moves the clock to this time, unless it is later already: a timer has fired. */
  readonly reach: (time: number) => void;
}

/**
 * Goes on as `wall` does, and as `ticks` do while that is set back. Neither is enough: ticks stop while the machine
 * sleeps.
 *
 * @param ticks only grows
 */
export function steadyClock(ticks: () => number, wall: () => number): SteadyClock {
  let time = wall();
  let lastTick = ticks();
  let lastShown = time;

  function now(): number {
    const tick = ticks();
    const shown = wall();
    const ticked = Math.max(0, tick - lastTick);
    const went = shown - lastShown;
    time += went < 0 || ticked - went > SLACK ? ticked : went;
    lastTick = tick;
    lastShown = shown;
    return time;
  }

  return {
    now,
    reach: (moment) => {
      time = Math.max(now(), moment);
    },
  };
}

/** The steady clock of a stream. */
export const clockOf = ({ scheduler, now }: { scheduler: SchedulerLike; now: () => number }): SteadyClock =>
  steadyClock(ticksOf(scheduler), now);
