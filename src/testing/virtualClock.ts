/** The public function `virtualClock`: shows a test what a sleeping machine or a wrong clock does. */
import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { FINITE, numbersIn, requireMethod } from '../internal/values/validate.js';

/** A machine's clock that can go wrong, see {@link virtualClock}. The functions need no `this`. */
export interface VirtualClock {
  /** What the machine's clock shows, in ms: give it to the stream as `now`. */
  readonly now: () => number;
  /**
   * What the clock of a server shows, in ms: it goes on while the machine sleeps, and is never set back. Give it to the
   * fakes.
   */
  readonly serverNow: () => number;
  /** The machine sleeps for this many ms: the clock jumps ahead, and the timers do not run meanwhile. Finite, >= 0. */
  readonly sleep: (ms: number) => void;
  /** The machine's clock is set back by this many ms. Timers are not affected. Finite, >= 0. */
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

/** There is no default: NaN is out of range. */
const milliseconds = (ms: number): number => numbersIn({ ms }, { ms: [0, FINITE, NaN] }).ms;
