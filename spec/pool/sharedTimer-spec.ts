import { config, VirtualTimeScheduler } from 'rxjs';
import { createTimers } from '../../src/internal/time/timers.js';
import { createSharedTimer, type Timed } from '../../src/pool/sharedTimer.js';

interface Named extends Timed {
  readonly name: string;
}

function setUp(onDue: (timed: Named) => void = () => undefined) {
  const scheduler = new VirtualTimeScheduler();
  const timers = createTimers(scheduler);
  const called: string[] = [];
  let running = 0;
  const after = (delay: number, fire: () => void) => {
    if (delay < Infinity) running++;
    const timer = timers.after(delay).subscribe(fire);
    if (delay < Infinity) timer.add(() => running--);
    return timer;
  };
  const setTimer = createSharedTimer(after, () => scheduler.now());
  const timed = (name: string): Named => ({
    name,
    dueAt: Infinity,
    onDue() {
      called.push(`${String(scheduler.now())} ${name}`);
      onDue(this);
    },
  });
  const set = (what: Named, delay: number) => {
    setTimer(what, scheduler.now() + delay);
  };
  return { setTimer, set, timed, called, scheduler, timersRunning: () => running };
}

describe('a shared timer', () => {
  it('should call for each at its time, in the order in which they were set, with one timer for all', () => {
    const { set, timed, called, scheduler, timersRunning } = setUp();
    const delays = [30, 10, 20, 10, 0, -5, 40];
    delays.forEach((delay, i) => {
      set(timed(String(i)), delay);
    });
    expect(timersRunning()).toBe(1);
    scheduler.flush();
    expect(called).toEqual(['0 5', '0 4', '10 1', '10 3', '20 2', '30 0', '40 6']);
    expect(timersRunning()).toBe(0);
  });

  it('should not call for one that was cleared, and for one that was set anew at the new time only', () => {
    const { setTimer, set, timed, called, scheduler, timersRunning } = setUp();
    const [cleared, moved, never] = ['cleared', 'moved', 'never'].map(timed) as [Named, Named, Named];
    set(cleared, 10);
    set(moved, 10);
    set(moved, 50);
    set(never, 20);
    set(never, Infinity);
    setTimer(cleared, Infinity);
    setTimer(cleared, Infinity);
    expect(timersRunning()).toBe(1);
    scheduler.flush();
    expect(called).toEqual(['50 moved']);
  });

  it('should allow that a call sets its own again, and clears another that is due', () => {
    let times = 0;
    const { setTimer, set, timed, called, scheduler, timersRunning } = setUp((due) => {
      setTimer(other, Infinity);
      if (++times < 3) set(due, 5);
    });
    const other = timed('other');
    set(timed('first'), 10);
    set(other, 10);
    scheduler.flush();
    expect(called).toEqual(['10 first', '15 first', '20 first']);
    expect(timersRunning()).toBe(0);
  });

  it('should go on with the others when one that is called throws, and when the clock does', async () => {
    const reported: string[] = [];
    config.onUnhandledError = ({ message }: Error) => reported.push(message);
    const { set, timed, called, scheduler } = setUp((due) => {
      if (due.name === 'broken') throw new Error('broken');
    });
    set(timed('broken'), 10);
    set(timed('next'), 10);
    set(timed('last'), 20);
    scheduler.flush();
    expect(called).toEqual(['10 broken', '10 next', '20 last']);

    let readings = 0;
    const clock = new VirtualTimeScheduler();
    const after = (delay: number, fire: () => void) => createTimers(clock).after(delay).subscribe(fire);
    const setTimer = createSharedTimer(after, () => {
      if (++readings === 2) throw new Error('no time');
      return clock.now();
    });
    const onDue = jest.fn();
    setTimer({ dueAt: Infinity, onDue }, 10);
    clock.flush();
    expect(onDue).toHaveBeenCalledTimes(1);

    await new Promise((done) => setTimeout(done, 5));
    config.onUnhandledError = null;
    expect(reported).toEqual(['broken', 'no time']);
  });
});
