/** The connector of the pipeline: a ReplaySubject(1), but it keeps no value: `replay` makes it of the state. */
import type { Observer, SubjectLike, Subscriber } from 'rxjs';
import { createStepQueue } from '../../internal/async/stepQueue.js';

export interface LatestOptions<T> {
  /** The value that a new subscriber is given at once; `undefined` when there is none that holds. */
  readonly replay: () => T | undefined;
  /** Takes the value up, before any subscriber is given it. */
  readonly apply: (value: T) => void;
  /** Whether the next subscriber is given the value, too: one before may have had it replaced. */
  readonly stillHolds: (value: T) => boolean;
  /** The number of subscribers has changed. */
  readonly onCount: (count: number) => void;
}

/** The subscribers are in a Set, because a plain Subject takes quadratic time when 100,000 of them leave one by one. */
export function latest<T>({ replay, apply, stillHolds, onCount }: LatestOptions<T>): SubjectLike<T> {
  const subscribers = new Set<Observer<T>>();
  const emissions = createStepQueue();
  return {
    next: (value) => {
      // A copy: a subscriber that comes while the value is emitted waits for the next one.
      const present = [...subscribers];
      // A value that a subscriber causes waits until all have this one, which may be the end of their session. The
      // state does not wait, hence `stillHolds`. Added before `apply`, whose listeners may cause the next value.
      emissions.add(() => {
        for (const subscriber of present) {
          if (!stillHolds(value)) return;
          subscriber.next(value);
        }
      });
      apply(value);
      emissions.run();
    },
    error: (error) => {
      for (const subscriber of [...subscribers]) subscriber.error(error);
    },
    complete: () => {
      for (const subscriber of [...subscribers]) subscriber.complete();
    },
    subscribe: (observer) => {
      // A Subscriber of `share`, or the waiter of `firstToken`: both are Subscriptions.
      const subscriber = observer as Subscriber<T>;
      subscribers.add(subscriber);
      onCount(subscribers.size);
      subscriber.add(() => {
        subscribers.delete(subscriber);
        onCount(subscribers.size);
      });
      const value = replay();
      if (value !== undefined) subscriber.next(value);
      return subscriber;
    },
  };
}
