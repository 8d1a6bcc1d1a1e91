import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { map, Subject, take, takeUntil, timer, of } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createTokenStream } from 'rx-fresh-token';
import { bundle } from '../setup/bundle.js';
import { jwt, plain, setUp, type Reply } from './rig.js';

const first =
  (reply: Reply, others: Reply = { took: 9000 }) =>
  (n: number) =>
    n === 1 ? reply : others;

describe('1: the lead time', () => {
  cases(
    'is min(lifetime / 6, 5 min), at least 1.5 x the fetch + margin, at most lifetime / 2',
    (m, { life, took, due, ...options }) => {
      const { token$, asked } = setUp(m, first({ life, took }), options);
      m.expect(token$.pipe(takeUntil(timer(due + 1)))).toBeObservable(`${took}ms t ${due - took}ms |`, {
        t: expect.anything() as never,
      });
      m.flush();
      expect(asked.slice(0, 2)).toEqual(['0 initial', `${due} scheduled`]);
    },
    [
      { name: '30 s token in 0.2 s: 25 s', life: 30, took: 200, due: 25_000 },
      { name: '60 min token: 55 min', life: 3600, took: 200, due: 3_300_000 },
      { name: '1 s token in 0.4 s: 0.5 s', life: 1, took: 400, due: 500 },
      { name: '29 min: still a sixth', life: 1740, took: 200, due: 1_450_000 },
      { name: '31 min: five minutes', life: 1860, took: 200, due: 1_560_000 },
      { name: '30 s in 4 s: 1.5 x 4 s + 1 s before the end', life: 30, took: 4000, due: 23_000 },
      { name: '6 s in 1 s: margin of a thirtieth', life: 6, took: 1000, due: 4300 },
      { name: '30 s in 9.9 s: half its life', life: 30, took: 9900, due: 15_000 },
      { name: '30 s in 4 s, margin 3 s', life: 30, took: 4000, due: 21_000, expiryMargin: 3000 },
      { name: 'jitter is added', life: 30, took: 200, due: 24_500, jitter: 0.2, random: () => 0.5 },
      { name: 'jitter is 0.2 by default', life: 30, took: 200, due: 24_500, jitter: undefined, random: () => 0.5 },
      { name: 'jitter of nothing', life: 30, took: 200, due: 25_000, jitter: 1, random: () => 0 },
      { name: 'jitter stays within half the life', life: 1, took: 200, due: 500, jitter: 1, random: () => 0.99 },
      { name: 'refreshBefore as a number', life: 30, took: 200, due: 20_000, refreshBefore: 10_000 },
      { name: 'refreshBefore as a function', life: 30, took: 200, due: 27_000, refreshBefore: () => 3000 },
      { name: 'refreshBefore beyond half the life', life: 30, took: 200, due: 15_000, refreshBefore: 20_000 },
      {
        name: 'a refreshBefore that is no number is the default',
        life: 30,
        took: 200,
        due: 25_000,
        refreshBefore: () => NaN,
      },
    ],
  );

  it(
    'begins earlier by what the margin of a JWT in whole seconds is wider',
    marbles((m) => {
      const { token$, asked } = setUp(m, first({ life: 10, took: 200, value: jwt({ iat: 100, exp: 110 }) }));
      m.expect(token$.pipe(takeUntil(timer(7667)))).toBeObservable('200ms t 7466ms |', {
        t: expect.anything() as never,
      });
      m.flush();
      expect(asked.slice(0, 2)).toEqual(['0 initial', '7666 scheduled']);
    }),
  );

  it(
    'follows the last fetch, not the first',
    marbles((m) => {
      const { token$, asked, at } = setUp(m, (n) => ({ took: n === 2 ? 4000 : 200 }));
      const watching = token$.subscribe();
      at(60_000, () => watching.unsubscribe());
      m.flush();
      expect(asked.slice(0, 4)).toEqual(['0 initial', '25000 scheduled', '48000 scheduled', '73000 scheduled']);
    }),
  );
});

describe('2: life counts from the moment the token was asked for', () => {
  it(
    'leaves 25 s of 30 s fetched in 5 s',
    marbles((m) => {
      const { token$, log, ask, at } = setUp(m, first({ took: 5000 }));
      ask(0, 'a');
      at(5001, () => expect(token$.current).toMatchObject({ issuedAt: 0, expiresAt: 30_000 }));
      ask(28_999, 'b');
      ask(29_000, 'c');
      m.flush();
      expect(log).toEqual(['5000 a T1', '28999 b T1', '30500 c T2']); // renewed at 21 500 = 30 000 - (1.5 x 5000 + 1000)
    }),
  );
});

describe('3: what a response says of its life', () => {
  cases(
    'is believed',
    (m, { reply, expiresAt, issuedAt = 1_000_000, ...options }) => {
      const { token$, requests, at } = setUp(m, () => ({ took: 0, ...reply }), {
        now: () => 1_000_000 + m.scheduler.now(),
        ...options,
      });
      const watching = token$.subscribe();
      expect(token$.current).toMatchObject({ issuedAt, expiresAt });
      expect(requests[0]).toMatchObject({ attempt: 1, reason: 'initial', previous: null });
      at(1, () => watching.unsubscribe());
      token$.close();
      m.flush();
    },
    [
      { name: 'a number of seconds', reply: { life: 30 }, expiresAt: 1_030_000 },
      { name: 'a fraction', reply: { life: 0.25 }, expiresAt: 1_000_250 },
      { name: 'a numeric string', reply: { life: '30' }, expiresAt: 1_030_000 },
      {
        name: "Zoho's seconds, not its milliseconds",
        reply: { response: { access_token: 'T1', expires_in_sec: 30, expires_in: 30_000 } },
        expiresAt: 1_030_000,
      },
      {
        name: "a JWT's exp - iat, whatever the clock says",
        reply: { life: 'unknown', value: jwt({ iat: 5, exp: 65 }) },
        expiresAt: 1_060_000,
      },
      { name: "a JWT's exp - now", reply: { life: 'unknown', value: jwt({ exp: 1030 }) }, expiresAt: 1_030_000 },
      { name: 'expires_in before the JWT', reply: { life: 10, value: jwt({ iat: 5, exp: 65 }) }, expiresAt: 1_010_000 },
      {
        name: 'the option lifetime before both',
        reply: { life: 10, value: jwt({ iat: 5, exp: 65 }) },
        expiresAt: 1_000_500,
        lifetime: (): number | undefined => 500,
      },
      {
        name: 'lifetime without an opinion',
        reply: { life: 10 },
        expiresAt: 1_010_000,
        lifetime: (): number | undefined => undefined,
      },
      {
        name: 'an expires_in that is a Unix time, as that',
        reply: { life: 1_800_000_030 },
        expiresAt: 1_800_000_030_000,
        now: () => 1_800_000_000_000,
        issuedAt: 1_800_000_000_000,
      },
      { name: 'an expires_in in words, as none', reply: { life: 'soon' }, expiresAt: Infinity },
      { name: 'an expires_in with a unit, as none', reply: { life: '3600s' }, expiresAt: Infinity },
      { name: 'an empty expires_in, as none', reply: { life: '' }, expiresAt: Infinity },
      { name: 'an expires_in that is NaN, as none', reply: { life: NaN }, expiresAt: Infinity },
      {
        name: "a JWT's exp, where expires_in is a date",
        reply: { life: '2026-11-28T00:00:00Z', value: jwt({ iat: 5, exp: 65 }) },
        expiresAt: 1_060_000,
      },
      { name: 'neither', reply: { life: 'unknown', value: 'opaque' }, expiresAt: Infinity },
      { name: 'a JWT without exp', reply: { life: 'unknown', value: jwt({ iat: 5 }) }, expiresAt: Infinity },
      { name: 'what only looks like a JWT', reply: { life: 'unknown', value: 'a.b.c' }, expiresAt: Infinity },
    ],
  );

  it(
    'sets no timer for a life that nobody knows',
    marbles((m) => {
      const { token$, asked, at, pendingAt } = setUp(m, () => ({ life: 'unknown', value: 'opaque' }));
      const watching = token$.subscribe();
      at(202, () => watching.unsubscribe());
      const pending = pendingAt(201);
      m.flush();
      expect(pending.count).toBe(1); // the test's own, at 202
      expect(asked).toEqual(['0 initial']);
    }),
  );

  cases(
    'serves those who wait, once, and caches nothing',
    (m, { reply, from = 200, ...options }) => {
      const { token$, asked, log, at, ask, tell } = setUp(m, () => reply, {
        fetchTimeout: 60_000,
        maxWait: 90_000,
        ...options,
      });
      ask(0, 'a');
      ask(0, 'b');
      at(0, () => {
        tell('c', token$.pipe(take(1)));
      });
      at(from + 1, () => expect(token$.current).toBeNull());
      ask(from + 1, 'd');
      m.flush();
      expect(log).toEqual([`${from} a T1`, `${from} b T1`, `${from} c T1`, `${Math.max(1000, from + 1) + from} d T2`]);
      expect(asked).toEqual(['0 initial', `${Math.max(1000, from + 1)} expired`]);
    },
    [
      { name: 'zero', reply: { life: 0 } },
      { name: 'negative', reply: { life: -30 } },
      { name: 'over on arrival', reply: { life: 0.1 } },
      { name: 'within the margin on arrival', reply: { life: 6, took: 5800 }, from: 5800, idleTimeout: 0 },
    ],
  );

  it(
    'caches what arrives a millisecond before the margin',
    marbles((m) => {
      const { token$, at } = setUp(m, () => ({ took: 28_999 }), { fetchTimeout: 60_000, idleTimeout: 0 });
      const watching = token$.subscribe();
      at(28_999, () => expect(token$.current?.value).toBe('T1'));
      at(28_999, () => watching.unsubscribe());
      m.flush();
    }),
  );

  it(
    'asks at most once a second, however many want a token that cannot be kept',
    marbles((m) => {
      const { token$, asked, log, at, ask, tell } = setUp(m, () => ({ life: 0, took: 0 }));
      const watching = token$.subscribe();
      for (let ms = 1; ms < 3000; ms += 100) ask(ms, `${ms}`);
      at(1500, () => {
        tell('forced', token$.refresh());
      });
      at(3500, () => watching.unsubscribe());
      m.flush();
      expect(asked.map((when) => parseInt(when))).toEqual([0, 1000, 2000, 3000]);
      expect(log).toHaveLength(31);
      expect(log).toContain('2000 forced T3');
    }),
  );
});

describe('4: two windows', () => {
  it(
    'lets requests go on with the token while it is renewed, and makes them wait within the margin of its end only',
    marbles((m) => {
      const { asked, log, ask, at, token$ } = setUp(m, first({}, { took: 6000 }));
      ask(0, 'a');
      ask(24_999, 'b');
      ask(25_000, 'c');
      ask(28_999, 'd');
      ask(29_000, 'e');
      at(28_999, () => expect(token$.current?.value).toBe('T1'));
      at(29_000, () => expect(token$.current).toBeNull());
      ask(31_001, 'f');
      m.flush();
      expect(log).toEqual(['200 a T1', '24999 b T1', '25000 c T1', '28999 d T1', '31000 e T2', '31001 f T2']);
      expect(asked.slice(0, 2)).toEqual(['0 initial', '25000 scheduled']);
    }),
  );
});

describe('5: the timer or the clock, whichever speaks first', () => {
  cases(
    'does not lengthen a life when the clock is set back an hour',
    (m, { when }) => {
      let offset = 0;
      const { token$, asked, at, after } = setUp(m, first({}, { took: 9999 }), {
        now: () => 1e9 + offset + m.scheduler.now(),
        fetchTimeout: 20_000,
      });
      const watching = token$.subscribe();
      at(when, () => (offset = -3_600_000));
      after(28_999, () => expect(token$.current?.value).toBe('T1'));
      after(29_000, () => expect(token$.current).toBeNull());
      at(40_000, () => watching.unsubscribe());
      m.flush();
      expect(asked.slice(0, 2)).toEqual(['0 initial', '25000 scheduled']);
    },
    [
      { name: 'right after it came', when: 201 },
      { name: 'midway', when: 15_000 },
      { name: 'while it is renewed', when: 26_000 },
      { name: 'at the last moment', when: 28_998 },
    ],
  );

  it(
    'keeps no token for longer than its life after an arrival before which the clock was set back',
    marbles((m) => {
      let offset = 3_600_000;
      const { token$, asked, at } = setUp(m, undefined, { now: () => offset + m.scheduler.now() });
      const watching = token$.subscribe();
      at(100, () => (offset = 0));
      at(31_000, () => watching.unsubscribe());
      at(31_000, () => token$.close());
      m.flush();
      expect(asked).toHaveLength(2);
      expect(parseInt(asked[1]!)).toBeLessThanOrEqual(30_200);
    }),
  );

  cases(
    'never sends the old token after a sleep past its end',
    (m, { idleTimeout }) => {
      let offset = 0;
      const { token$, log, at, ask } = setUp(m, undefined, { now: () => offset + m.scheduler.now(), idleTimeout });
      ask(0, 'a');
      at(10_000, () => {
        offset = 3_600_000;
        expect(token$.current).toBeNull();
      });
      ask(10_000, 'b');
      ask(10_100, 'c');
      m.flush();
      expect(log).toEqual(['200 a T1', '10200 b T2', '10200 c T2']);
    },
    [
      { name: 'in use', idleTimeout: undefined },
      { name: 'idle', idleTimeout: 0 },
    ],
  );

  it(
    'renews in the background when a sleep ended between due and over',
    marbles((m) => {
      let offset = 0;
      const { asked, log, at, ask } = setUp(m, undefined, {
        now: () => offset + m.scheduler.now(),
        idleTimeout: 10_000,
      });
      ask(0, 'a');
      at(10_000, () => (offset = 15_000));
      ask(10_000, 'b');
      ask(10_201, 'c');
      m.flush();
      expect(log).toEqual(['200 a T1', '10000 b T1', '10201 c T2']);
      expect(asked).toEqual(['0 initial', '10000 scheduled']);
    }),
  );

  it(
    'looks at the clock when woken, and only then',
    marbles((m) => {
      let offset = 0;
      const wake = new Subject<void>();
      const { token$, asked, at } = setUp(m, undefined, { now: () => offset + m.scheduler.now(), wake });
      const watching = token$.subscribe();
      at(5000, () => wake.next());
      at(10_000, () => (offset = 3_600_000));
      at(11_000, () => wake.next());
      at(12_000, () => watching.unsubscribe());
      at(12_001, () => token$.close());
      m.flush();
      expect(asked).toEqual(['0 initial', '11000 expired']);
      expect(wake.observed).toBe(false);
    }),
  );

  it(
    'ends the token of an idle stream by its second timer',
    marbles((m) => {
      // A clock that stands still says nothing.
      const { token$, events, asked, ask, after, pendingAt } = setUp(m, () => ({ took: 0 }), {
        now: () => 7,
        idleTimeout: 0,
      });
      ask(0, 'a');
      after(28_999, () => expect(token$.current?.value).toBe('T1'));
      after(29_000, () => expect(token$.current).toBeNull());
      const pending = pendingAt(30_000);
      m.flush();
      expect(events).toContain('7 idle');
      expect(pending.count).toBe(0);
      expect(asked).toEqual(['0 initial']);
    }),
  );

  const DAY = 86_400_000;

  it(
    'renews a 40-day token on time in virtual time',
    marbles((m) => {
      const { token$, asked, at } = setUp(m, () => ({ life: 40 * 86_400 }), { idleTimeout: 0 });
      const watching = token$.subscribe();
      at(40 * DAY, () => watching.unsubscribe());
      m.flush();
      expect(asked).toEqual(['0 initial', `${40 * DAY - 300_000} scheduled`]);
    }),
  );

  it('renews a 40-day token on time, and not at once, with timers that know 32 bits only', () => {
    jest.useFakeTimers({ now: 0 });
    try {
      const delays: number[] = [];
      const { setInterval } = globalThis;
      jest.spyOn(globalThis, 'setInterval').mockImplementation(((work: () => void, delay: number) => {
        if (delay > 2 ** 31 - 1) throw new RangeError(`a delay of ${delay} ms would end at once`);
        delays.push(delay);
        return setInterval(work, delay);
      }) as never);
      const asked: number[] = [];
      const token$ = createTokenStream(
        () => of({ access_token: `T${asked.push(Date.now())}`, expires_in: 40 * 86_400 }),
        { jitter: 0 },
      );
      const watching = token$.subscribe();
      jest.advanceTimersByTime(40 * DAY - 300_001);
      expect(asked).toEqual([0]);
      jest.advanceTimersByTime(1);
      expect(asked).toEqual([0, 40 * DAY - 300_000]);
      expect(Math.max(...delays)).toBe(2 ** 31 - 1);
      watching.unsubscribe();
      token$.close();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.restoreAllMocks();
      jest.useRealTimers();
    }
  });
});

describe('6: an idle stream costs nothing', () => {
  it(
    'renews while someone is subscribed',
    marbles((m) => {
      const { token$, asked } = setUp(m, undefined, { idleTimeout: 0 });
      m.expect(plain(token$), '^ 120s !').toBeObservable('200ms a 24999ms b 24999ms c 24999ms d 24999ms e', {
        a: 'T1',
        b: 'T2',
        c: 'T3',
        d: 'T4',
        e: 'T5',
      });
      m.flush();
      expect(asked).toEqual(['0 initial', '25000 scheduled', '50000 scheduled', '75000 scheduled', '100000 scheduled']);
    }),
  );

  it(
    'renews while the token was used within one lifetime, then stops; the next use fetches again',
    marbles((m) => {
      const { asked, events, log, ask, at, pendingAt } = setUp(m);
      ask(0, 'a');
      ask(20_000, 'b');
      // 25 s: used 5 s ago. 50 s: 30 s ago, which is not within a lifetime any more.
      const pending = pendingAt(56_000);
      at(56_000, () => expect(events.filter((event) => event.endsWith('idle'))).toEqual(['50000 idle']));
      ask(100_000, 'c');
      m.flush();
      expect(asked.slice(0, 3)).toEqual(['0 initial', '25000 scheduled', '100000 expired']);
      expect(log).toEqual(['200 a T1', '20000 b T1', '100200 c T3']);
      expect(pending.count).toBe(1); // the test's own, at 100 s
    }),
  );

  cases(
    'obeys idleTimeout to the millisecond',
    (m, { idleTimeout, renewed }) => {
      const { asked, ask, at, token$ } = setUp(m, undefined, { idleTimeout });
      ask(0, 'a');
      ask(15_000, 'b');
      at(20_000, () => token$.current); // looking is no use
      m.flush();
      expect(asked).toEqual(renewed ? ['0 initial', '25000 scheduled'] : ['0 initial']);
    },
    [
      { name: '10 s', idleTimeout: 10_000, renewed: false },
      { name: '10.001 s', idleTimeout: 10_001, renewed: true },
      { name: 'none', idleTimeout: 0, renewed: false },
    ],
  );

  it(
    'counts the last subscriber as a user until it leaves',
    marbles((m) => {
      const { token$, asked, at } = setUp(m, undefined, { idleTimeout: 10_001 });
      const watching = token$.subscribe();
      at(15_000, () => watching.unsubscribe());
      m.flush();
      expect(asked).toEqual(['0 initial', '25000 scheduled']);
    }),
  );

  it(
    'keeps the cache beyond the last subscriber: sequential requests share one token',
    marbles((m) => {
      const { asked, log, ask } = setUp(m, undefined, { idleTimeout: 0 });
      for (let i = 0; i < 10; i++) ask(i * 1000, 'a');
      m.flush();
      expect(asked).toEqual(['0 initial']);
      expect(log.map((entry) => entry.split(' ')[2])).toEqual(Array(10).fill('T1'));
    }),
  );

  it(
    'wakes to the next use of a token that is due already, and uses it meanwhile',
    marbles((m) => {
      const { asked, log, ask } = setUp(m, undefined, { idleTimeout: 0 });
      ask(0, 'a');
      ask(27_000, 'b');
      m.flush();
      expect(log).toEqual(['200 a T1', '27000 b T1']);
      expect(asked).toEqual(['0 initial', '27000 scheduled']);
    }),
  );

  it(
    'is not kept awake by watching events',
    marbles((m) => {
      const { token$, asked } = setUp(m);
      token$.events.pipe(map(() => 0)).subscribe();
      m.flush();
      expect(asked).toEqual([]);
    }),
  );
});

describe('7: what keeps a process alive', () => {
  const program = bundle(join(__dirname, 'process.main.ts'), 'external');
  afterAll(program.remove);
  const run = (mode: string) =>
    new Promise<string>((resolve) => {
      execFile(process.execPath, [program.file, mode], { timeout: 25_000 }, (error, stdout, stderr) => {
        resolve(stdout + stderr + (error ? ` failed: ${String(error.signal ?? error.code)}` : ''));
      });
    });

  it.each([
    ['cached', 'T1 ended', 'a cached token does not'],
    ['left', 'T1 ended', 'a subscription that ended does not'],
    ['idle', 'T1 ended', 'renewals of an unsubscribed stream do not'],
    ['subscribed', 'T1 T2 ended', 'a subscription does'],
    ['waiting', 'TokenUnavailableError ended', 'a request that waits for a token does'],
    ['closed', 'T1 ended', 'a subscription that was closed does not'],
  ])(
    '%s: %s (%s)',
    async (mode, output) => {
      await expect(run(mode)).resolves.toBe(output);
    },
    30_000,
  );
});
