import { VirtualTimeScheduler, type SchedulerAction, type SchedulerLike, type Subscription } from 'rxjs';

const EPOCH = 1_700_000_000_000;

/** The time of a history: a scheduler, and a clock that can be set. */
export interface VirtualTime {
  readonly scheduler: VirtualTimeScheduler;
  /** The scheduler as the stream sees it: its timers are counted. */
  readonly watched: SchedulerLike;
  /** The pending timers of the stream. */
  readonly timers: ReadonlySet<Subscription>;
  /** What the stream is told the time is. */
  readonly wall: () => number;
  /** The same, as if it were never set back: all that is measured is measured by it. */
  readonly clock: () => number;
  /** The issuer's clock, which nobody sets. */
  readonly issuerClock: () => number;
  readonly setClock: (by: number) => void;
  readonly later: (delay: number, what: () => void) => Subscription;
}

/** @param happen runs what a timer is for */
export function createVirtualTime(happen: (what: () => void) => void): VirtualTime {
  const scheduler = new VirtualTimeScheduler();
  const timers = new Set<Subscription>();
  const issuerClock = () => scheduler.now() + EPOCH;
  let [offset, ahead] = [0, 0];
  return {
    scheduler,
    timers,
    issuerClock,
    wall: () => issuerClock() + offset,
    clock: () => issuerClock() + ahead,
    setClock: (by) => {
      offset += by;
      ahead += Math.max(0, by);
    },
    later: (delay, what) =>
      scheduler.schedule(() => {
        happen(what);
      }, delay),
    watched: {
      now: () => scheduler.now(),
      schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay?: number, state?: T): Subscription {
        const action = scheduler.schedule<T>(
          function (this: SchedulerAction<T>, given?: T) {
            happen(() => {
              work.call(this, given as T);
            });
          },
          delay,
          state,
        );
        timers.add(action);
        action.add(() => timers.delete(action));
        return action;
      },
    },
  };
}

/** Numbers from 0 up to 1, the same for the same seed. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
