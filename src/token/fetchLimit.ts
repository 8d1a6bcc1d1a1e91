/** The time limit of a fetch, which also ends it if its timer is lost. */
import { Subscription, type SchedulerLike } from 'rxjs';
import { ticksOf } from '../internal/stopwatch.js';
import { LAST_PART, timeLimit, type Timers } from '../internal/timers.js';

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
  let isLast = false;
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
      isLast = false;
      start(delay);
    },
    /** To be called by each request that may have to wait for the fetch. */
    look: (): void => {
      const time = ticks();
      const left = endsAt - time;
      // Not for each of many requests: a timer costs more than a look.
      if (left > 0 && time - startedAt >= LAST_PART) start(left);
      if (left > -LAST_PART) return;
      if (isLast) end();
      // If the process was stopped, its timers are late, too, and the answer may have arrived meanwhile.
      else start(LAST_PART);
      isLast = true;
    },
    stop: (): void => {
      timer.unsubscribe();
    },
  };
}
