import { asyncScheduler } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream } from 'rx-fresh-token';
import { fakeTokenSource, tokenMarbles, virtualClock } from 'rx-fresh-token/testing';

describe('virtualClock', () => {
  it(
    'should run with the scheduler, jump when the machine sleeps, and go back when it is set back',
    marbles((m) => {
      const { now, serverNow, sleep, setBack } = virtualClock(m.scheduler);
      const seen: number[][] = [];
      const at = (ms: number, act: () => void) =>
        m.scheduler.schedule(() => {
          act();
          seen.push([now(), serverNow()]);
        }, ms);
      at(1, () => undefined);
      at(2, () => {
        sleep(100);
      });
      at(3, () => {
        setBack(40);
      });
      at(4, () => undefined);
      m.flush();
      expect(seen).toEqual([
        [1, 1],
        [102, 102],
        [63, 103],
        [64, 104],
      ]);
    }),
  );

  it('should run with the real clock by default', () => {
    const before = asyncScheduler.now();
    expect(virtualClock().now()).toBeGreaterThanOrEqual(before);
  });

  it(
    'should make a stream see the end of its token after a sleep, though no timer has fired',
    marbles((m) => {
      const clock = virtualClock(m.scheduler);
      const source = fakeTokenSource({ scheduler: m.scheduler, now: clock.serverNow });
      const token$ = createTokenStream(source, { scheduler: m.scheduler, now: clock.now, jitter: 0, idleTimeout: 0 });
      const awake: unknown[] = [];
      m.expect(tokenMarbles(token$), '^ 10s !').toBeObservable('a');
      m.scheduler.schedule(() => {
        awake.push(token$.current?.value);
        clock.sleep(29_000);
        awake.push(token$.current);
      }, 5000);
      m.flush();
      expect(awake).toEqual(['a', null]);
      expect(source.fateOf('a')).toBe('expired');
    }),
  );
});
