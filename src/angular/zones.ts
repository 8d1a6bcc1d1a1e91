/** Schedulers that move timers and callbacks out of Angular's zone, or back into it. */
import {
  defer,
  subscribeOn,
  Subscription,
  type Observable,
  type ObservableInput,
  type SchedulerAction,
  type SchedulerLike,
} from 'rxjs';
import type { TokenStore } from '../token/tokenStore.js';

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
    enter(() => work.call(action as SchedulerAction<T>, state as T));
    return action;
  },
});

/** A store whose timers and messages belong to no zone, whoever the stream acts for when it asks. */
export function storeOutside(store: TokenStore, leave: <T>(run: () => T) => T): TokenStore {
  const leaving = <T>(work: () => ObservableInput<T>): Observable<T> => defer(work).pipe(subscribeOn(within(leave)));
  const { changes, signedOut } = store;
  return {
    refresh: (request, fetch) => leaving(() => store.refresh(request, fetch)),
    ...(changes && { changes: leaving(() => changes) }),
    ...(store.signOut && { signOut: () => leave(() => store.signOut?.()) }),
    ...(signedOut && { signedOut: leaving(() => signedOut) }),
  };
}

/** Nothing is ever done. */
export const never: SchedulerLike = { now: () => 0, schedule: () => Subscription.EMPTY };
