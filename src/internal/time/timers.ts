/** Timers of any length, which keep a Node process alive only while their stream has a subscriber. */
import { map, Observable, type SchedulerLike, type Subscription } from 'rxjs';
import type { SteadyClock } from './steadyClock.js';

/** The longest delay that `setTimeout` takes; anything longer fires at once. */
const LONGEST = 2 ** 31 - 1;

/** The timers of one stream. */
export interface Timers {
  /**
   * Emits once after `delay` ms, however long, then completes; `Infinity` never does. `keepsAlive`: it keeps the
   * process alive in any case. `last`: the last part of the delay, which gets a timer of its own.
   */
  after(delay: number, keepsAlive?: boolean, last?: number): Observable<void>;
  /** Whether the timers keep a Node process alive. At first they do not. */
  keepAlive(isAlive: boolean): void;
}

/** @param clock is told what time it is when a timer has fired */
export function createTimers(scheduler: SchedulerLike, clock?: SteadyClock): Timers {
  const running = new Set<Subscription>();
  let alive = false;

  return {
    // Hand-made, since RxJS' timer neither chains long delays nor lets its handle be unref'd.
    after: (delay, keepsAlive, last = 0) =>
      new Observable((subscriber) => {
        let action: Subscription | undefined;
        const stop = () => {
          if (!action) return;
          running.delete(action);
          // Node keeps 150 bytes of an unref'd timer that is cleared, until it would have fired.
          setRef(action, true);
          action.unsubscribe();
        };
        const end = clock && clock.now() + delay;
        const arm = (left: number) => {
          const part = Math.min(left > last ? left - last : left, LONGEST);
          action = scheduler.schedule(() => {
            stop();
            if (left > part) arm(left - part);
            else {
              if (end !== undefined) clock?.reach(end);
              subscriber.next();
              subscriber.complete();
            }
          }, part);
          if (keepsAlive) return;
          running.add(action);
          if (!alive) setRef(action, false);
        };
        if (delay < Infinity) arm(Math.max(0, delay));
        return stop;
      }),
    keepAlive: (isAlive) => {
      if (isAlive === alive) return;
      alive = isAlive;
      running.forEach((action) => setRef(action, isAlive));
    },
  };
}

/** The last part of a time limit, or half of it if that is shorter. Milliseconds. */
const LAST_PART = 250;

/**
 * Emits after `delay` ms, in two parts: if the process is stopped during the first one (the machine sleeps), Node runs
 * the timers that are over before it reads its sockets. In the last part it reads the answer that arrived meanwhile.
 */
export const timeLimit = (timers: Timers, delay: number, keepsAlive?: boolean): Observable<unknown> =>
  timers.after(delay, keepsAlive, Math.min(LAST_PART, delay / 2));

/** Errors after `delay` ms. */
export const failAfter = (
  timers: Timers,
  delay: number,
  errorOf: () => unknown,
  keepsAlive?: boolean,
): Observable<never> =>
  timeLimit(timers, delay, keepsAlive).pipe(
    map((): never => {
      throw errorOf();
    }),
  );

/**
 * RxJS' asyncScheduler keeps the interval's handle in the action's `id`; a foreign scheduler's timers stay as they are.
 */
function setRef(action: Subscription, keepsAlive: boolean): void {
  const { id } = action as { id?: { ref?(): void; unref?(): void } };
  if (keepsAlive) id?.ref?.();
  else id?.unref?.();
}
