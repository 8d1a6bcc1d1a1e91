import { CLOCKS, stopwatch } from '../../src/internal/stopwatch.js';

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
