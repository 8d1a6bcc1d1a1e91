/** Delivers the events of a stream, so that every listener sees them in the same order. */
// An event that a listener causes waits until all listeners have heard of the one before.
import { Subject } from 'rxjs';
import type { TokenEvent, UntimedTokenEvent } from './events.js';
import { createRunToEnd } from './steps.js';

export type EventQueue = ReturnType<typeof createEventQueue>;

export function createEventQueue(shownNow: () => number) {
  const events = new Subject<TokenEvent>();
  const steps = createRunToEnd();

  const deliver = (step: () => void): void => {
    steps.add(step);
    steps.run();
  };

  return {
    events$: events.asObservable(),
    emit: (untimed: UntimedTokenEvent): void => {
      if (!events.observed) return;
      const event = { ...untimed, at: shownNow() };
      deliver(() => {
        events.next(event);
      });
    },
    complete: (): void => {
      deliver(() => {
        events.complete();
      });
    },
  };
}
