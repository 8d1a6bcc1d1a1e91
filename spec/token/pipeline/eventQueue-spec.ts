import { createEventQueue } from '../../../src/token/pipeline/eventQueue.js';
import type { UntimedTokenEvent } from '../../../src/token/events.js';

const started = (attempt: number): UntimedTokenEvent => ({ type: 'refreshStarted', reason: 'manual', attempt });

function setUp() {
  let now = 0;
  const queue = createEventQueue(() => now);
  const log: string[] = [];
  const listen = (name: string, react: (attempt: number) => void = () => {}) =>
    queue.events$.subscribe({
      next: (event) => {
        const { attempt } = event as { attempt: number };
        log.push(`${name} ${String(attempt)}`);
        react(attempt);
      },
      complete: () => log.push(`${name} |`),
    });
  return { queue, log, listen, tick: () => now++ };
}

describe('createEventQueue', () => {
  it('should tell every listener, and say when', () => {
    const { queue, tick } = setUp();
    const events: unknown[] = [];
    queue.events$.subscribe((event) => events.push(event));
    queue.emit(started(1));
    tick();
    queue.emit(started(2));
    expect(events).toEqual([
      { at: 0, ...started(1) },
      { at: 1, ...started(2) },
    ]);
  });

  it('should let an event that a listener causes wait until all have heard of the one before', () => {
    const { queue, log, listen } = setUp();
    listen('a', (attempt) => {
      if (attempt < 3) queue.emit(started(attempt + 1));
    });
    listen('b');
    queue.emit(started(1));
    expect(log).toEqual(['a 1', 'b 1', 'a 2', 'b 2', 'a 3', 'b 3']);
  });

  it('should complete after the events that are still in the queue', () => {
    const { queue, log, listen } = setUp();
    listen('a', (attempt) => {
      if (attempt > 1) return;
      queue.emit(started(2));
      queue.complete();
    });
    listen('b');
    queue.emit(started(1));
    expect(log).toEqual(['a 1', 'b 1', 'a 2', 'b 2', 'a |', 'b |']);
  });

  it('should give an event the time at which it happened, not the one at which it is told', () => {
    const { queue, tick } = setUp();
    const times: number[] = [];
    queue.events$.subscribe(({ at }) => {
      if (at === 0 && times.length === 0) {
        queue.emit(started(2));
        tick();
      }
      times.push(at);
    });
    queue.emit(started(1));
    expect(times).toEqual([0, 0]);
  });
});
