import { asyncScheduler, VirtualTimeScheduler, type SchedulerLike, type Subscription } from 'rxjs';
import { createTimers, failAfter, timeLimit, type Timers } from '../../src/internal/time/timers.js';

const LONGEST = 2 ** 31 - 1;
const DAY = 86_400_000;

describe('after', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  const watch = (timers: Timers, delay: number) => {
    const from = Date.now();
    const log: string[] = [];
    const subscription = timers.after(delay).subscribe({
      next: () => log.push(`next ${Date.now() - from}`),
      complete: () => log.push(`complete ${Date.now() - from}`),
    });
    return { log, subscription };
  };

  it.each([0, 1, 30_000, LONGEST, LONGEST + 1, 40 * DAY, 400 * DAY, 2 * LONGEST])(
    'should emit once and complete after %p ms, and not a millisecond sooner',
    (delay) => {
      const { log } = watch(createTimers(asyncScheduler), delay);
      expect(log).toEqual([]);
      if (delay > 0) jest.advanceTimersByTime(delay - 1);
      expect(log).toEqual([]);
      jest.advanceTimersByTime(1 + Number(delay === 0));
      expect(log).toEqual([`next ${delay}`, `complete ${delay}`]);
    },
  );

  it.each([-1, -1e12, -Infinity])('should emit in the next turn when the moment is over: %p', (delay) => {
    const { log } = watch(createTimers(asyncScheduler), delay);
    expect(log).toEqual([]);
    jest.advanceTimersByTime(0);
    expect(log).toEqual(['next 0', 'complete 0']);
  });

  it('should never emit after Infinity, and set no timer', () => {
    const { log } = watch(createTimers(asyncScheduler), Infinity);
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(LONGEST);
    expect(log).toEqual([]);
  });

  it.each([
    ['before it emits', 5, 1000],
    ['in a later leg of a long delay', LONGEST + 5, 3 * LONGEST],
  ])('should clear its timer when it is unsubscribed %s', (_when, at, delay) => {
    const { log, subscription } = watch(createTimers(asyncScheduler), delay);
    jest.advanceTimersByTime(at);
    expect(jest.getTimerCount()).toBe(1);
    subscription.unsubscribe();
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(delay);
    expect(log).toEqual([]);
  });

  it('should never ask for a delay that setTimeout cannot take', () => {
    const set = jest.spyOn(globalThis, 'setInterval');
    const { log } = watch(createTimers(asyncScheduler), 100 * DAY);
    jest.advanceTimersByTime(100 * DAY);
    expect(log).toHaveLength(2);
    expect(set.mock.calls.map(([, delay]) => delay)).toEqual([
      LONGEST,
      LONGEST,
      LONGEST,
      LONGEST,
      100 * DAY - 4 * LONGEST,
    ]);
    set.mockRestore();
  });

  it.each([0, 1, 1000, LONGEST + 1000])('should give the last part of %p ms a timer of its own', (delay) => {
    const set = jest.spyOn(globalThis, 'setInterval');
    const done = jest.fn();
    const last = Math.min(250, delay / 2);
    createTimers(asyncScheduler).after(delay, false, last).subscribe(done);
    jest.advanceTimersByTime(delay);
    expect(done).toHaveBeenCalledTimes(1);
    const delays = set.mock.calls.map(([, part]) => part!);
    expect([delays.at(-1), delays.reduce((sum, part) => sum + part)]).toEqual([last, delay]);
    set.mockRestore();
  });

  it('should start anew for each subscription', () => {
    const after$ = createTimers(asyncScheduler).after(10);
    const log: number[] = [];
    const from = Date.now();
    const note = () => log.push(Date.now() - from);
    after$.subscribe(note);
    jest.advanceTimersByTime(5);
    after$.subscribe(note);
    jest.advanceTimersByTime(10);
    expect(log).toEqual([10, 15]);
  });
});

type Handle = { hasRef(): boolean } | undefined;

describe('a time limit', () => {
  const delaysOf = (delay: number) => {
    const delays: number[] = [];
    const scheduler = new VirtualTimeScheduler();
    const { schedule } = scheduler;
    jest.spyOn(scheduler, 'schedule').mockImplementation((work, part, state) => {
      delays.push(part ?? 0);
      return schedule.call(scheduler, work as never, part, state);
    });
    let ended = 0;
    timeLimit(createTimers(scheduler), delay).subscribe(() => ended++);
    scheduler.flush();
    return { delays, ended };
  };

  it.each([
    [1000, [750, 250]],
    [100, [50, 50]],
  ])('of %p ms should have a last part in which an answer that has arrived is read: %j', (delay, parts) => {
    expect(delaysOf(delay)).toEqual({ delays: parts, ended: 1 });
  });

  it('should fail with the error of that moment, and tell the clock what time it is', () => {
    const scheduler = new VirtualTimeScheduler();
    const reach = jest.fn();
    const errorOf = jest.fn(() => new Error('late'));
    const failed = jest.fn();
    failAfter(createTimers(scheduler, { now: () => 5, reach }), 100, errorOf).subscribe({ error: failed });
    expect(errorOf).not.toHaveBeenCalled();
    scheduler.flush();
    expect(failed.mock.calls).toEqual([[new Error('late')]]);
    expect(reach.mock.calls).toEqual([[105]]);
  });
});

describe('whether a timer holds the process open', () => {
  /** RxJS' own scheduler; what it scheduled last can be looked at. */
  function recorded() {
    const actions: Subscription[] = [];
    const scheduler: SchedulerLike = {
      now: () => asyncScheduler.now(),
      schedule: (...args: Parameters<SchedulerLike['schedule']>) => {
        const action = asyncScheduler.schedule(...args);
        actions.push(action);
        return action;
      },
    };
    const held = () => actions.map((action) => (action as unknown as { id: Handle }).id?.hasRef());
    return { timers: createTimers(scheduler), held };
  }

  const subscriptions: Subscription[] = [];
  afterEach(() => {
    for (const subscription of subscriptions.splice(0)) subscription.unsubscribe();
  });
  const start = (timers: Timers, delay: number, pinned?: boolean) => {
    const subscription = timers.after(delay, pinned).subscribe();
    subscriptions.push(subscription);
    return subscription;
  };

  it('should not keep the process alive at first, and follow keepAlive', () => {
    const { timers, held } = recorded();
    start(timers, 10_000);
    start(timers, 20_000);
    expect(held()).toEqual([false, false]);
    timers.keepAlive(true);
    expect(held()).toEqual([true, true]);
    start(timers, 30_000);
    expect(held()).toEqual([true, true, true]);
    timers.keepAlive(true);
    expect(held()).toEqual([true, true, true]);
    timers.keepAlive(false);
    expect(held()).toEqual([false, false, false]);
  });

  it('should keep the process alive in any case by a pinned one', () => {
    const { timers, held } = recorded();
    start(timers, 10_000, true);
    expect(held()).toEqual([true]);
    timers.keepAlive(true);
    timers.keepAlive(false);
    expect(held()).toEqual([true]);
  });

  it('should leave timers of another stream alone', () => {
    const [one, other] = [recorded(), recorded()];
    start(one.timers, 10_000);
    start(other.timers, 10_000);
    one.timers.keepAlive(true);
    expect([one.held(), other.held()]).toEqual([[true], [false]]);
  });

  it('should forget a timer that is over', () => {
    const { timers, held } = recorded();
    start(timers, 10_000).unsubscribe();
    expect(held()).toEqual([undefined]);
    expect(() => timers.keepAlive(true)).not.toThrow();
  });

  it('should keep the process alive or not in each leg of a long delay', () => {
    jest.useFakeTimers();
    try {
      const { timers, held } = recorded();
      start(timers, 3 * LONGEST);
      jest.advanceTimersByTime(LONGEST);
      expect(held()).toEqual([undefined, false]);
      timers.keepAlive(true);
      expect(held()).toEqual([undefined, true]);
      jest.advanceTimersByTime(LONGEST);
      expect(held()).toEqual([undefined, undefined, true]);
    } finally {
      for (const subscription of subscriptions.splice(0)) subscription.unsubscribe();
      jest.useRealTimers();
    }
  });

  it('should not matter to a scheduler whose timers have no handle', () => {
    const scheduler = new VirtualTimeScheduler();
    const timers = createTimers(scheduler);
    const done = jest.fn();
    timers.after(10).subscribe({ complete: done });
    timers.keepAlive(true);
    timers.keepAlive(false);
    scheduler.flush();
    expect(done).toHaveBeenCalledTimes(1);
    expect(scheduler.now()).toBe(10);
  });
});
