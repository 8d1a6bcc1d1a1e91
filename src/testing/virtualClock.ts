import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { FINITE, numbersIn, requireMethod } from '../internal/validate.js';

/** A machine's clock that can go wrong, see {@link virtualClock}. The functions need no `this`. */
export interface VirtualClock {
  /** What the machine's clock shows, in ms: hand it in as the stream's `now`. */
  readonly now: () => number;
  /**
   * What a clock elsewhere shows, in ms: it goes on while the machine sleeps, and is never set back. For fakes that
   * stand for servers.
   */
  readonly serverNow: () => number;
  /**
   * The machine slept for so many ms: the clock jumps ahead and timers do not, as they stand still meanwhile. Finite,
   * >= 0.
   */
  readonly sleep: (ms: number) => void;
  /** The machine's clock is set back by so many ms; timers do not notice. Finite, >= 0. */
  readonly setBack: (ms: number) => void;
}

/**
 * A clock that runs with a scheduler, until the machine sleeps or the clock is set back.
 *
 * ```
 * scheduler    0---1---2---3---4
 * sleep(10)            !
 * now          0---1---12--13--14
 * ```
 *
 * ```ts
 * const clock = virtualClock(scheduler);
 * const source = fakeTokenSource({ scheduler, now: clock.serverNow });
 * const token$ = createTokenStream(source, { scheduler, now: clock.now, jitter: 0 });
 * clock.sleep(60_000); // whatever token there is, it is over, and no timer has said so
 * ```
 *
 * @param scheduler Default `asyncScheduler`.
 * @throws TypeError for a scheduler that is none, or milliseconds out of range.
 */
export function virtualClock(scheduler: SchedulerLike = asyncScheduler): VirtualClock {
  requireMethod('scheduler', scheduler, 'now');
  let slept = 0;
  let back = 0;
  const serverNow = () => scheduler.now() + slept;
  return {
    now: () => serverNow() - back,
    serverNow,
    sleep: (ms) => {
      slept += milliseconds(ms);
    },
    setBack: (ms) => {
      back += milliseconds(ms);
    },
  };
}

const milliseconds = (ms: number): number => numbersIn({ ms }, { ms: [0, FINITE, NaN] }).ms;
