import { map, of, throwError, timer } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { withToken } from 'rx-fresh-token';
import { rejection, setUp } from './rig.js';

describe('12: those who wait', () => {
  it(
    'should not count as users once they have given up: attempts stop with the last of them',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0, fail: new Error('down') }), {
        idleTimeout: 60_000,
        maxWait: 1000,
        random: () => 1,
      });
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['1000 a !TokenUnavailableError(!Error down)']);
      expect(rig.asked.every((line) => parseInt(line) <= 1000)).toBe(true);
    }),
  );

  it(
    'should fail at once when whoever hears of their refresh closes the stream',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
      rig.ask(0, 'a');
      rig.at(26_000, () => {
        rig.token$.events.subscribe(({ type }) => {
          if (type === 'refreshStarted') rig.token$.close();
        });
        rig.tell(
          'b',
          withToken(rig.token$, ({ value }) => of(value)),
        );
      });
      m.flush();
      expect(rig.log).toEqual(['0 a T1', '26000 b !TokenStreamClosedError']);
    }),
  );

  it(
    'should be served when they come on hearing that a refresh gave up',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 2 ? { took: 100, fail: new Error('down') } : { took: 0 }), {
        idleTimeout: 0,
        random: () => 1,
      });
      rig.ask(0, 'a');
      let forced = false;
      rig.token$.events.subscribe(({ type }) => {
        if (type !== 'refreshFailed' || forced) return;
        forced = true;
        rig.tell('r', rig.token$.refresh());
      });
      rig.at(1000, () =>
        rig.token$
          .refresh()
          .subscribe({ error: () => undefined })
          .unsubscribe(),
      );
      m.flush();
      expect(rig.log).toEqual(['0 a T1', '1250 r T3']);
    }),
  );

  it(
    'should hear the mistake when isPermanent throws, and the failure that it was asked about',
    marbles((m) => {
      const fail = new Error('down');
      const rig = setUp(m, () => ({ took: 0, fail }), {
        maxWait: 10,
        isPermanent: () => {
          throw new Error('a mistake');
        },
      });
      const told: unknown[] = [];
      rig.token$.events.subscribe((event) => {
        if (event.type === 'refreshFailed') told.push(event.message, (event.error as Error).cause);
      });
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['10 a !TokenUnavailableError(!TypeError(!Error down))']);
      expect(told).toEqual(['option "isPermanent" failed for "down": a mistake', fail]);
    }),
  );
});

describe('12: a request that has waited', () => {
  it.each(['signOut', 'close'] as const)(
    'should get its answer, as one that has not, when it calls %s() as it is sent',
    (end) => {
      marbles((m) => {
        const rig = setUp(m, undefined, { idleTimeout: 0 });
        rig.at(0, () => {
          rig.tell(
            'a',
            withToken(rig.token$, ({ value }) => {
              rig.token$[end]();
              return timer(10, m.scheduler).pipe(map(() => value));
            }),
          );
        });
        m.flush();
        expect(rig.log).toEqual(['210 a T1']);
      })();
    },
  );
});

describe('19: waiters, when one of them rejects the token', () => {
  it(
    '19: waiters in the same round get no token that one of them rejected explicitly',
    marbles((m) => {
      const rig = setUp(m, undefined, { idleTimeout: 0 });
      rig.at(0, () => {
        rig.tell(
          'a',
          withToken(rig.token$, ({ value }) => (value === 'T1' ? throwError(() => rejection(401)) : of(value))),
        );
      });
      rig.ask(1, 'b');
      m.flush();
      expect([...rig.log].sort()).toEqual(['400 a T2', '400 b T2']);
    }),
  );

  it(
    '19: a token without life that a waiter rejected explicitly goes to nobody after it in the round',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ value: n < 3 ? 'T1' : 'T2', life: n === 2 ? 0 : 30 }), { idleTimeout: 0 });
      rig.ask(0, 'a');
      rig.at(40_000, () => {
        rig.tell(
          'b',
          withToken(rig.token$, ({ value }) => (value === 'T1' ? throwError(() => rejection(401)) : of(value))),
        );
        rig.ask(40_001, 'c');
      });
      m.flush();
      expect(rig.log.filter((line) => line.includes(' c '))).toEqual([expect.stringMatching(/ c T2$/)]);
    }),
  );
});

describe('refresh()', () => {
  it(
    'refresh(): forced inside tokenChanged, it brings the next token, not the one just announced',
    marbles((m) => {
      const rig = setUp(m, undefined, { idleTimeout: 0 });
      let once = true;
      rig.token$.events.subscribe(({ type }) => {
        if (type === 'tokenChanged' && once) {
          once = false;
          rig.tell('r', rig.token$.refresh());
        }
      });
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['200 a T1', '400 r T2']);
    }),
  );
});
