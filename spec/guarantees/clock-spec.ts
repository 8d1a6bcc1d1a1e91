import { readFile } from 'node:fs/promises';
import { BehaviorSubject, firstValueFrom, of, Subject, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, withToken } from 'rx-fresh-token';
import { setUp, subscribeUntil } from './rig.js';

const HOUR = 3_600_000;

describe('5: a wake', () => {
  it(
    'may emit at once, at creation and when an idle stream wakes up',
    marbles((m) => {
      const wake = new BehaviorSubject(0);
      const started = setUp(m, undefined, { initial: { access_token: 'I', expires_in: 30 }, wake });
      expect(started.token$.current?.value).toBe('I');
      const idle = setUp(m, undefined, { wake, idleTimeout: 0 });
      idle.ask(0, 'a');
      idle.ask(27_000, 'b');
      idle.at(28_000, () => {
        idle.token$.reject(idle.token$.current!);
      });
      idle.at(29_000, () => {
        idle.token$.close();
      });
      idle.at(29_000, () => {
        started.token$.close();
      });
      m.flush();
      expect(idle.log).toEqual(['200 a T1', '27000 b T1']);
      expect(idle.asked).toEqual(['0 initial', '27000 scheduled', '28000 rejected']);
    }),
  );

  it(
    'should tell of its error by an event, and end nothing',
    marbles((m) => {
      const rig = setUp(m, undefined, { wake: throwError(() => new Error('wake')) });
      rig.ask(0, 'a');
      rig.at(1000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['200 a T1']);
      expect(rig.events[0]).toBe('0 refreshFailed !Error wake 1 null');
    }),
  );

  it(
    'should end a pause that was slept through, even if nobody was there when the fetch failed',
    marbles((m) => {
      let slept = 0;
      const wake = new Subject<void>();
      const rig = setUp(m, (n) => (n === 1 ? { fail: { status: 503, retryAfter: HOUR } } : {}), {
        wake,
        now: () => m.scheduler.now() + slept,
        maxWait: 2 * HOUR,
      });
      rig.at(0, () => {
        rig.token$.subscribe().unsubscribe();
      });
      rig.ask(1000, 'a');
      rig.at(2000, () => {
        slept = HOUR;
        wake.next();
      });
      m.flush();
      expect(rig.log).toEqual(['2200 a T2']);
    }),
  );
});

describe('5: a clock that is set, and a machine that sleeps', () => {
  it.each([700, 1000])(
    'takes the answer that arrived in a stop of %d ms, though its time limit is over',
    async (ms) => {
      let asked = 0;
      const source = async () => {
        asked++;
        const answer = readFile(__filename);
        process.nextTick(sleep);
        await answer;
        return { access_token: 'T', expires_in: 60 };
      };
      // Of all that is under way, nothing is read until this ends.
      const sleep = () => {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
        token$.subscribe().unsubscribe();
      };
      const token$ = createTokenStream(source, { fetchTimeout: 600 });
      expect((await firstValueFrom(token$)).value).toBe('T');
      expect(asked).toBe(1);
      token$.close();
    },
  );

  it(
    '5: a clock set back during the fetch does not lengthen the life',
    marbles((m) => {
      let offset = 3_600_000;
      const rig = setUp(m, () => ({ took: 5000 }), { now: () => offset + m.scheduler.now() });
      subscribeUntil(rig, 40_000);
      rig.at(2000, () => (offset = 0));
      let current: unknown;
      rig.at(30_001, () => (current = rig.token$.current?.value));
      m.flush();
      expect([current, parseInt(rig.asked[1]!) < 30_000]).toEqual(['T2', true]);
    }),
  );

  it(
    '3: the same with tokens that cannot be kept: a subscriber does not starve for an hour',
    marbles((m) => {
      let offset = 3_600_000;
      const rig = setUp(m, () => ({ took: 500, life: 0 }), { now: () => offset + m.scheduler.now() });
      subscribeUntil(rig, 6000);
      rig.at(200, () => (offset = 0));
      m.flush();
      expect(rig.asked.length).toBeGreaterThan(4);
    }),
  );

  it(
    '3 and 5: a machine that sleeps while a token is fetched sends none that has expired meanwhile',
    marbles((m) => {
      let slept = 0;
      const rig = setUp(m, undefined, { now: () => m.scheduler.now() + slept, maxWait: 2 * HOUR, random: () => 1 });
      rig.ask(0, 'a');
      rig.at(100, () => (slept = HOUR));
      rig.at(2000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['650 a T2']);
      expect(rig.events).toContainEqual(expect.stringMatching(/refreshFailed !TokenFetchTimeoutError/));
    }),
  );

  it(
    '3 and 5: a token whose life the sleep has not ended is used',
    marbles((m) => {
      let slept = 0;
      const rig = setUp(m, undefined, { now: () => m.scheduler.now() + slept });
      rig.ask(0, 'a');
      rig.at(100, () => (slept = 15_000));
      rig.at(2000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['200 a T1']);
    }),
  );

  it(
    '5 and 12: a wake after a sleep ends a backoff whose time is over by the clock',
    marbles((m) => {
      let offset = 0;
      const wake = new Subject<void>();
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail: { retryAfter: 60_000 } } : {}), {
        now: () => offset + m.scheduler.now(),
        wake,
      });
      subscribeUntil(rig, 5000);
      rig.at(1000, () => {
        offset = 3_600_000;
        wake.next();
      });
      m.flush();
      expect(rig.asked[1]).toMatch(/^1000 /);
    }),
  );

  it(
    '5: a token that the clock once called over stays over when the clock is set back, and nobody waits in vain',
    marbles((m) => {
      let offset = 0;
      const rig = setUp(m, (n) => (n === 2 ? { fail: { status: 400 } } : {}), {
        now: () => m.scheduler.now() + offset,
        idleTimeout: 0,
      });
      rig.ask(0, 'a');
      rig.at(1000, () => {
        offset = 3_600_000;
        rig.tell(
          'b',
          withToken(rig.token$, ({ value }) => of(value)),
        );
        offset = 0;
      });
      m.flush();
      expect(rig.log).toEqual(['200 a T1', '1200 b !TokenUnavailableError(!400)']);
    }),
  );

  it(
    '19: a pause takes as long as it was meant to, though the clock is set back',
    marbles((m) => {
      let offset = 0;
      const rig = setUp(m, (n) => [{ took: 0 }, { took: 0, fail: new Error('down') }][n - 1] ?? { took: 400 }, {
        now: () => 1e9 + offset + m.scheduler.now(),
        random: () => 1,
      });
      subscribeUntil(rig, 3000);
      rig.at(1000, () => rig.token$.reject(rig.token$.current!));
      rig.at(1001, () => (offset = -300));
      rig.at(1001, () => rig.token$.refresh().subscribe());
      rig.at(1310, () => rig.token$.reject(rig.token$.current!));
      rig.ask(1310, 'a');
      m.flush();
      expect(rig.asked.slice(0, 3)).toEqual(['0 initial', '1000 rejected', '1250 rejected #2']);
      expect(rig.log).toEqual(['1650 a T3']);
    }),
  );
});

describe('12: a clock that fails', () => {
  it(
    'fails whoever waits with its error, and the next one gets a token',
    marbles((m) => {
      let isBroken = false;
      const now = () => {
        if (!isBroken) return m.scheduler.now();
        isBroken = false;
        throw new Error('no clock');
      };
      const fails = (n: number) => {
        isBroken = n === 1;
        return n === 1 ? { took: 0, fail: new Error('down') } : { took: 0 };
      };
      const rig = setUp(m, fails, { now });
      rig.ask(0, 'a');
      rig.ask(1, 'b');
      m.flush();
      expect(rig.log).toEqual(['0 a !Error no clock', '1 b T2']);
    }),
  );
});
