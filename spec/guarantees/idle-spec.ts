import { defer, of, Subject } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { withToken } from 'rx-fresh-token';
import { answer, openStream, setUp } from './rig.js';

const timersAlive = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

const HOUR = 3_600_000;

describe('6: nobody needs the token', () => {
  it(
    'should be announced when a forced refresh is given up, though the token is fresh',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 2 ? { took: 500, fail: new Error('down') } : { took: 0 }), {
        idleTimeout: 100,
      });
      rig.ask(0, 'a');
      rig.at(1000, () => {
        const leaving = rig.token$.refresh().subscribe();
        rig.at(1100, () => {
          leaving.unsubscribe();
        });
      });
      m.flush();
      expect(rig.events).toContain('1500 idle');
    }),
  );
});

describe('6: no subscriber, and no request that waits', () => {
  it(
    'should leave nothing running after a permanent failure: requests that fail at once do not subscribe to wake again',
    marbles((m) => {
      const wake = new Subject<void>();
      let listened = 0;
      const rig = setUp(m, () => ({ took: 0, fail: { status: 400 } }), { wake: defer(() => (listened++, wake)) });
      rig.ask(0, 'a');
      rig.ask(100, 'b');
      const watched: boolean[] = [];
      for (const ms of [50, 150]) rig.at(ms, () => watched.push(wake.observed));
      m.flush();
      expect([watched, listened]).toEqual([[false, false], 1]);
      expect(rig.events).toEqual(['0 refreshStarted initial 1', '0 refreshFailed !400 1 null permanent']);
      expect(rig.log).toHaveLength(2);
    }),
  );

  it(
    'should leave nothing running in the end, if the lifetime of the token is unknown: attempts to replace it stop',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, life: 'unknown' } : { took: 0, fail: new Error('down') }));
      rig.at(0, () => {
        rig.tell(
          'a',
          withToken(rig.token$, () => of(answer(401))),
        );
      });
      rig.at(HOUR, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['0 a 401']);
      expect(rig.asked.length).toBeGreaterThan(3);
      expect(Math.max(...rig.asked.map((line) => parseInt(line)))).toBeLessThanOrEqual(60_000);
    }),
  );
});

describe('7: timers that keep a process alive', () => {
  it('should be those of subscribers, as long as there is one', () => {
    const before = timersAlive();
    const token$ = openStream(() => of({ access_token: 'T1', expires_in: 3600 }));
    const first = token$.subscribe();
    const second = token$.subscribe();
    expect(timersAlive()).toBeGreaterThan(before);
    first.unsubscribe();
    expect(timersAlive()).toBeGreaterThan(before);
    second.unsubscribe();
    expect(timersAlive()).toBe(before);
    expect(token$.current?.value).toBe('T1');
    const third = token$.subscribe();
    expect(timersAlive()).toBeGreaterThan(before);
    third.unsubscribe();
    expect(timersAlive()).toBe(before);
  });
});
