/** Delivers the stream's events, in the same order to every listener. */
import { Subject, type Observable } from 'rxjs';
import type { TokenEvent, UntimedTokenEvent } from './events.js';

export interface EventQueue {
  readonly events$: Observable<TokenEvent>;
  readonly emit: (incident: UntimedTokenEvent) => void;
  /** Completes the events, after those that are still in the queue. */
  readonly complete: () => void;
}

/**
 * Tells every listener the same events in the same order. An event that a listener causes waits until all listeners
 * have heard of the one before.
 */
export function createEventQueue(now: () => number): EventQueue {
  const events = new Subject<TokenEvent>();
  const queue: (() => void)[] = [];

  const deliver = (step: () => void): void => {
    if (queue.push(step) > 1) return;
    for (; queue[0]; queue.shift()) queue[0]();
  };

  return {
    events$: events.asObservable(),
    emit: (incident) => {
      if (!events.observed) return;
      const at = now();
      deliver(() => {
        events.next({ ...incident, at });
      });
    },
    complete: () => {
      deliver(() => {
        events.complete();
      });
    },
  };
}
