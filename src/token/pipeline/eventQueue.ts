/** Delivers the events of a stream, so that every listener sees them in the same order. */
import { Subject } from 'rxjs';
import type { TokenEvent, UntimedTokenEvent } from '../events.js';
import { loggable } from '../../internal/values/loggable.js';
import { createStepQueue } from '../../internal/async/stepQueue.js';

export type EventQueue = ReturnType<typeof createEventQueue>;

export function createEventQueue(userNow: () => number) {
  const events = new Subject<TokenEvent>();
  const { add, run } = createStepQueue();

  return {
    events$: events.asObservable(),
    emit: (untimed: UntimedTokenEvent): void => {
      if (!events.observed) return;
      const event = loggable({ ...untimed, at: userNow() });
      add(() => events.next(event));
      run();
    },
    complete: (): void => {
      add(() => events.complete());
      run();
    },
  };
}
