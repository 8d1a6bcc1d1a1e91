/** The time limit of a fetch, which also ends it if its timer is lost. */
import { Subscription, type SchedulerLike } from 'rxjs';
import { ticksOf } from '../internal/stopwatch.js';
import { LAST_PART, timeLimit, type Timers } from '../internal/timers.js';

/** Node reads its sockets in the middle of a limit of this length. Milliseconds. */
const LEAST_WAIT = 2;

export type FetchLimit = ReturnType<typeof createFetchLimit>;

/**
 * Some platforms drop the fetches and the timers of a request once that has been answered, as Cloudflare Workers do. So
 * the timer moves to later requests, and these look whether the limit is over. By the clock of the timers: it stops
 * while the machine sleeps, as they do.
 */
export function createFetchLimit(timers: Timers, scheduler: SchedulerLike) {
  const ticks = ticksOf(scheduler);
  let timer = Subscription.EMPTY;
  let startedAt = 0;
  let endsAt = Infinity;
  let isInLastPart = false;
  let end: () => void;

  function start(delay: number): void {
    timer.unsubscribe();
    startedAt = ticks();
    endsAt = startedAt + delay;
    timer = timeLimit(timers, delay).subscribe(end);
  }

  return {
    /** Begins a limit, in the place of the one before. */
    set: (delay: number, onEnd: () => void): void => {
      end = onEnd;
      isInLastPart = false;
      start(delay);
    },
    /** To be called by each request that may have to wait for the fetch. */
    look: (): void => {
      const time = ticks();
      // Once for all requests of the same millisecond: a timer costs more than a look.
      if (time - startedAt < 1) return;
      const left = endsAt - time;
      if (left >= 0) start(left);
      else {
        // If the process was stopped or busy, its timers are late, too, and the answer may have arrived meanwhile.
        start(isInLastPart ? LEAST_WAIT : LAST_PART);
        isInLastPart = true;
      }
    },
    stop: (): void => {
      timer.unsubscribe();
    },
  };
}
