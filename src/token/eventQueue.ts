/**
 * Tells every listener of a stream the same events in the same order. An event that a listener causes waits until all
 * listeners have heard of the one before.
 */
import { Subject } from 'rxjs';
import type { TokenEvent, UntimedTokenEvent } from './events.js';

export type EventQueue = ReturnType<typeof createEventQueue>;

export function createEventQueue(now: () => number) {
  const events = new Subject<TokenEvent>();
  const queue: (() => void)[] = [];

  const deliver = (step: () => void): void => {
    if (queue.push(step) > 1) return;
    for (; queue[0]; queue.shift()) queue[0]();
  };

  return {
    events$: events.asObservable(),
    emit: (untimed: UntimedTokenEvent): void => {
      if (!events.observed) return;
      const event = { ...untimed, at: now() };
      deliver(() => {
        events.next(event);
      });
    },
    /** Completes the events, after those that are still in the queue. */
    complete: (): void => {
      deliver(() => {
        events.complete();
      });
    },
  };
}
