import type { SchedulerLike } from 'rxjs';
import { CLOCKS, ticksOf, stopwatch } from '../../src/internal/time/stopwatch.js';

describe('ticksOf', () => {
  it.each<[string, number, number, number]>([
    ['the wall clock, as asyncScheduler does: the ticks, in whole milliseconds', 0, 1_000_000, 7],
    ['nearly the wall clock', 0, 1_000_999, 7],
    ['virtual time: the scheduler', 0, 1_001_000, 1_001_000],
    ['virtual time from 0 on: the scheduler', 0, 50, 50],
    ['the wall clock, both set back: the ticks', -3_600_000, 1_000_000 - 3_600_000, 7],
  ])('should be told, where the scheduler shows %s', (_what, walled, scheduled, time) => {
    const clocks = { ticks: () => 7.9, wall: () => 1_000_000 + walled };
    const scheduler = { now: () => scheduled } as SchedulerLike;
    expect(ticksOf(scheduler, clocks)()).toBe(time);
  });

  it('should only grow while the wall clock is set back', () => {
    let [tick, time] = [7, 1_000_000];
    const clock = ticksOf({ now: () => time } as SchedulerLike, { ticks: () => tick, wall: () => time });
    const before = clock();
    tick += 200;
    time -= 3_600_000;
    expect(clock() - before).toBe(200);
  });
});

describe('stopwatch', () => {
  it.each([
    ['both go', 500, 500, 500],
    ['the machine slept: only the wall clock knows', 20, 60_000, 60_000],
    ['the wall clock was set back', 500, -3_600_000, 500],
    ['the wall clock was set back while the machine slept', 0, -3_600_000, 0],
  ])('should never say too little: %s', (_what, ticked, walled, passed) => {
    let [tick, time] = [7, 1_000_000];
    const clocks = { ticks: () => tick, wall: () => time };
    const [elapsed, aged] = [stopwatch(undefined, clocks), stopwatch(250, clocks)];
    expect([elapsed(), aged()]).toEqual([0, 250]);
    tick += ticked;
    time += walled;
    expect([elapsed(), aged()]).toEqual([passed, 250 + passed]);
  });

  it("should go by the platform's clocks", () => {
    jest.useFakeTimers({ now: 5000 });
    try {
      const [tick, elapsed] = [CLOCKS.ticks(), stopwatch()];
      expect(CLOCKS.wall()).toBe(5000);
      jest.advanceTimersByTime(300);
      expect([CLOCKS.ticks() - tick, CLOCKS.wall(), elapsed()]).toEqual([300, 5300, 300]);
    } finally {
      jest.useRealTimers();
    }
  });
});
