import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs';

/**
 * A scheduler whose timers belong to no zone: a pending renewal neither keeps the application unstable nor checks it
 * for changes.
 */
export const outside = (scheduler: SchedulerLike, leave: <T>(run: () => T) => T): SchedulerLike => ({
  now: () => scheduler.now(),
  schedule: <T>(work: (this: SchedulerAction<T>, state: T) => void, delay?: number, state?: T) =>
    leave(() => scheduler.schedule<T>(work, delay ?? 0, state as T)),
});

/** Runs its work at once, in a zone. For `observeOn` and `subscribeOn`. */
export const within = (enter: <T>(run: () => T) => T): SchedulerLike => ({
  now: () => 0,
  schedule: <T>(work: (this: SchedulerAction<T>, state: T) => void, _delay?: number, state?: T) => {
    const action = new Subscription();
    enter(() => {
      work.call(action as SchedulerAction<T>, state as T);
    });
    return action;
  },
});

/** Nothing is ever done. */
export const never: SchedulerLike = { now: () => 0, schedule: () => Subscription.EMPTY };
