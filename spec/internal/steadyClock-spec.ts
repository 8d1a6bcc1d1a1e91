import { steadyClock } from '../../src/internal/time/steadyClock.js';

/** A machine that has run for 7 ms, at the time 1,000,000. */
function machine() {
  const shows = { tick: 7, wall: 1_000_000 };
  const clock = steadyClock(
    () => shows.tick,
    () => shows.wall,
  );
  const pass = (ms: number) => {
    shows.tick += ms;
    shows.wall += ms;
  };
  return { shows, clock, pass, passed: () => clock.now() - 1_000_000 };
}

describe('a steady clock', () => {
  it('should show what the wall clock shows', () => {
    const { clock, pass } = machine();
    pass(30_000);
    expect(clock.now()).toBe(1_030_000);
  });

  it.each<[string, number]>([
    ['an hour', -3_600_000],
    ['two seconds', -2000],
    ['some milliseconds more than have passed', -101],
  ])('should go on when the wall clock is set back by %s', (_by, set) => {
    const { shows, passed, pass } = machine();
    pass(100);
    shows.wall += set;
    expect(passed()).toBe(100);
    pass(200);
    expect(passed()).toBe(300);
  });

  it('should not go back, nor stand still, when less is set back than has passed', () => {
    const { shows, passed, pass } = machine();
    pass(10_000);
    shows.wall -= 5000;
    expect(passed()).toBe(10_000);
    pass(500);
    shows.wall -= 400;
    expect(passed()).toBe(10_100);
  });

  it('should jump ahead when the machine has slept, also after the wall clock was set back', () => {
    const { shows, passed } = machine();
    shows.wall += 60_000;
    expect(passed()).toBe(60_000);
    shows.wall -= 3_600_000;
    expect(passed()).toBe(60_000);
    shows.wall += 50_000;
    expect(passed()).toBe(110_000);
  });

  it('should keep what the wall clock showed for a moment only', () => {
    const { shows, passed, pass } = machine();
    shows.wall += 3_600_000;
    passed();
    shows.wall -= 3_600_000;
    pass(10);
    expect(passed()).toBe(3_600_010);
  });

  it('should show a clock of whole seconds as it is', () => {
    const shows = { tick: 0 };
    const clock = steadyClock(
      () => shows.tick,
      () => Math.floor(shows.tick / 1000) * 1000,
    );
    for (; shows.tick < 60_000; shows.tick += 10) clock.now();
    shows.tick += 999;
    expect(clock.now()).toBe(60_000);
  });

  it('should go no faster by ticks that go back, as those of fake timers do when they begin', () => {
    const { shows, passed, pass } = machine();
    pass(100);
    passed();
    shows.tick = 0;
    expect(passed()).toBe(100);
    pass(10);
    expect(passed()).toBe(110);
  });

  it('should reach the time at which a timer fired, where neither clock has moved, and never go back for one', () => {
    const { clock, passed, pass } = machine();
    clock.reach(1_025_000);
    expect(passed()).toBe(25_000);
    pass(10_000);
    expect(passed()).toBe(35_000);
    clock.reach(1_001_000);
    expect(passed()).toBe(35_000);
  });
});
