import { Subject } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { setUp, type Rig } from './rig.js';

const times = ({ asked }: Pick<Rig, 'asked'>): number[] => asked.map((entry) => parseInt(entry));
const MINUTE = 60_000;
const down = new Error('down');
/** Full jitter in the middle. */
const random = () => 0.5;

describe('29: pauses after failures', () => {
  cases(
    'grow while an endpoint says no for ever: at most 12 requests in the first minute, then about one a minute',
    (m, { fail }) => {
      const rig = setUp(m, () => ({ fail }), { random });
      for (let ms = 0; ms < 4 * MINUTE; ms += 100) rig.ask(ms, `${ms}`);
      m.flush();
      const asked = times(rig);
      expect(asked.filter((ms) => ms < MINUTE).length).toBeLessThanOrEqual(12);
      for (let minute = 2; minute < 4; minute++)
        expect(asked.filter((ms) => Math.floor(ms / MINUTE) === minute).length).toBeLessThanOrEqual(1);
      expect(asked.filter((ms) => ms >= 2 * MINUTE).length).toBeGreaterThanOrEqual(1);
      // Every caller fails at once, or with the attempt that it waits for.
      expect(rig.log).toHaveLength(2400);
      for (const entry of rig.log) {
        const [at, came] = entry.split(' ').map(Number) as [number, number];
        expect(at - came).toBeLessThanOrEqual(200);
      }
    },
    [
      { name: 'invalid_client', fail: { error: 'invalid_client' } },
      { name: '400 with another body', fail: { status: 400, data: { message: 'no' } } },
      { name: "got's 401", fail: { response: { statusCode: 401 } } },
    ],
  );

  it(
    'are counted since the last token, whichever callers have left meanwhile',
    marbles((m) => {
      const [many, one] = [0, 1].map(() => setUp(m, () => ({ took: 20, fail: down }), { random })) as [Rig, Rig];
      for (let ms = 0; ms < 12_000; ms += 200) many.ask(ms, 'a', { maxWait: 200 });
      one.at(0, () => {
        const staying = one.token$.subscribe({ error: () => undefined });
        one.at(12_000, () => staying.unsubscribe());
      });
      m.flush();
      expect(many.log).toHaveLength(60);
      expect(one.asked.length).toBeGreaterThan(4);
      expect(many.asked.length).toBeLessThanOrEqual(one.asked.length + 1);
    }),
  );

  it(
    'keep callers from asking a source over and over that may recover: a page of a firewall, say',
    marbles((m) => {
      const fail = { response: { status: 403, headers: { 'content-type': 'text/html' } } };
      const rig = setUp(m, () => ({ fail }), { random });
      for (let ms = 0; ms < 12_000; ms += 100) rig.ask(ms, `${ms}`, { maxWait: 1000 });
      m.flush();
      expect(rig.asked.length).toBeLessThanOrEqual(12);
      expect(rig.log).toHaveLength(120);
    }),
  );

  it(
    'are short again after a token',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 4 ? { took: 0, life: 1 } : { took: 0, fail: down }), { random: () => 1 });
      const watching = rig.token$.subscribe({ error: () => undefined });
      rig.at(5000, () => watching.unsubscribe());
      m.flush();
      // The failures before the token: 250, 500, 1000. It is due 500 ms before its end at the latest.
      expect(times(rig).slice(0, 4)).toEqual([0, 250, 750, 1750]);
      const [renewal, next] = times(rig).slice(4, 6) as [number, number];
      expect(next - renewal).toBeLessThanOrEqual(250);
    }),
  );

  it(
    'grow across refreshes that fail permanently while the token lives',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? {} : { took: 0, fail: { status: 400 } }));
      rig.ask(0, 'a');
      for (let ms = 25_000; ms < 28_000; ms += 50) rig.ask(ms, 'b');
      m.flush();
      expect(times(rig).slice(0, 5)).toEqual([0, 25_000, 25_250, 25_750, 26_750]);
      expect(new Set(rig.log.map((entry) => entry.split(' ').pop()))).toEqual(new Set(['T1']));
    }),
  );

  cases(
    'last 5 minutes at most, whatever Retry-After says',
    (m, { fail }) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail } : { took: 0 }), { maxWait: 10 * MINUTE });
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual([`${5 * MINUTE} a T2`]);
    },
    [
      { name: 'a day in seconds', fail: { status: 503, headers: { 'retry-after': '86400' } } },
      { name: 'a day in a field of an error', fail: { status: 503, retryAfter: 86_400_000 } },
      {
        name: 'a day as a date',
        fail: {
          status: 429,
          headers: { 'retry-after': 'Fri, 02 Jan 1970 00:00:00 GMT', date: 'Thu, 01 Jan 1970 00:00:00 GMT' },
        },
      },
    ],
  );

  cases(
    'are not told by a Retry-After that is no number of seconds',
    (m, { header }) => {
      const fail = { status: 503, headers: { 'retry-after': header } };
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail } : { took: 0 }), { random: () => 1 });
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['250 a T2']);
    },
    [{ header: '0x10' }, { header: '1e3' }, { header: '5 minutes' }].map((row) => ({ name: row.header, ...row })),
  );

  const retryAfter = { status: 503, headers: { 'retry-after': '10' } };

  cases(
    'end when somebody says so',
    (m, { how, fail }) => {
      const wake = new Subject<void>();
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail } : { took: 0 }), { wake });
      const keep = rig.token$.subscribe({ error: () => undefined });
      rig.at(3000, () => {
        if (how === 'wake') wake.next();
        else rig.tell('r', rig.token$.refresh());
      });
      rig.at(3001, () => expect(rig.token$.current?.value).toBe('T2'));
      rig.at(3002, () => keep.unsubscribe());
      m.flush();
      expect(times(rig).slice(0, 2)).toEqual([0, 3000]);
    },
    [
      { name: 'by wake, after Retry-After', how: 'wake', fail: retryAfter },
      { name: 'by refresh(), after Retry-After', how: 'refresh', fail: retryAfter },
      { name: 'by refresh(), after a permanent failure', how: 'refresh', fail: { status: 400, retryAfter: 10_000 } },
    ],
  );

  cases(
    'end for whoever comes when nobody waited any more',
    (m, { how }) => {
      const wake = new Subject<void>();
      const fail = { status: 503, retryAfter: 86_400_000 };
      const rig = setUp(m, (n) => (n === 1 ? { took: 30, fail } : { took: 0 }), { wake, idleTimeout: 0 });
      rig.ask(0, 'a', { maxWait: 0 });
      rig.ask(57, 'b', { maxWait: 100 });
      rig.at(200, () => wake.next());
      rig.at(1000, () => {
        if (how === 'signOut') rig.token$.signOut();
        if (how === 'refresh') rig.tell('c', rig.token$.refresh());
        else rig.ask(1000, 'c');
      });
      m.flush();
      expect(rig.log[2]).toMatch(/ c T2$/);
      expect(parseInt(rig.log[2]!)).toBeLessThanOrEqual(how === 'ask' ? 300_030 : 1000);
    },
    [
      { name: 'by refresh()', how: 'refresh' },
      { name: 'by signOut()', how: 'signOut' },
    ],
  );

  cases(
    'end when somebody says so, though the clock was set back during the fetch',
    (m, { how }) => {
      let setBack = 0;
      const wake = new Subject<void>();
      const fail = { status: 503, headers: { 'retry-after': '250' } };
      const rig = setUp(m, (n) => (n === 1 ? { took: 1000, fail } : {}), {
        wake,
        now: () => m.scheduler.now() - setBack,
      });
      rig.ask(0, 'a');
      rig.at(500, () => (setBack = 3_600_000));
      rig.at(3000, () => {
        if (how === 'wake') wake.next();
        else rig.tell('r', rig.token$.refresh());
      });
      rig.at(4000, () => rig.token$.close());
      m.flush();
      expect(rig.log[0]).toMatch(/ a T2$/);
    },
    [
      { name: 'by wake', how: 'wake' },
      { name: 'by refresh()', how: 'refresh' },
    ],
  );

  it(
    'end by wake when a browser is online again, whatever has grown meanwhile',
    marbles((m) => {
      const wake = new Subject<void>();
      const rig = setUp(m, (n) => (n < 8 ? { took: 0, fail: down } : { took: 0 }), {
        wake,
        random: () => 1,
        maxWait: MINUTE,
      });
      rig.ask(0, 'a');
      rig.at(20_000, () => wake.next());
      m.flush();
      expect(rig.log).toEqual(['20000 a T8']);
    }),
  );

  cases(
    'never let more than one request out per backoff.initial, however often somebody says so',
    (m, { how, fail }) => {
      const wake = new Subject<void>();
      const rig = setUp(m, () => ({ took: 0, fail }), { wake, random, backoff: { initial: 400 } });
      rig.at(0, () => {
        const staying = rig.token$.subscribe({ error: () => undefined });
        rig.at(4000, () => staying.unsubscribe());
      });
      for (let ms = 1; ms < 4000; ms += 10)
        rig.at(ms, () => {
          if (how === 'wake') wake.next();
          else rig.token$.refresh().subscribe({ error: () => undefined });
        });
      rig.at(4000, () => rig.token$.close());
      m.flush();
      expect(rig.asked.length).toBeGreaterThan(3);
      const asked = times(rig);
      // The pause that runs by itself may be shorter: full jitter.
      const forced = asked.slice(3);
      for (let i = 1; i < forced.length; i++) expect(forced[i]! - forced[i - 1]!).toBeGreaterThanOrEqual(400);
    },
    [
      { name: 'by wake', how: 'wake', fail: down },
      { name: 'by refresh()', how: 'refresh', fail: down },
      { name: 'by refresh(), after permanent failures', how: 'refresh', fail: { status: 401 } },
    ],
  );

  cases(
    'let refresh() wait for backoff.initial after a permanent failure: the user may have signed in meanwhile',
    (m, { asksAgain }) => {
      const fail = { status: 400, error: 'invalid_client' };
      const rig = setUp(m, (n) => (n === 2 ? { took: 10, fail } : { took: 0, life: 3600 }));
      rig.ask(0, 'a');
      rig.at(1000, () => rig.tell('r', rig.token$.refresh()));
      rig.at(asksAgain, () => rig.tell('again', rig.token$.refresh()));
      rig.ask(asksAgain, 'b');
      rig.at(2000, () => rig.token$.close());
      m.flush();
      expect(rig.log.slice(2)).toEqual(
        expect.arrayContaining(['1250 again T3', `${asksAgain} b ${asksAgain < 1250 ? 'T1' : 'T3'}`]),
      );
    },
    [
      { name: 'after 90 ms', asksAgain: 1100 },
      { name: 'after 239 ms', asksAgain: 1249 },
      { name: 'no longer after 240 ms', asksAgain: 1250 },
    ],
  );

  it(
    'let a refreshFailed listener refresh: those who wait hear of the failure all the same',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail: { status: 401 } } : { took: 0 }));
      rig.token$.events.subscribe((event) => {
        if (event.type === 'refreshFailed') rig.tell('again', rig.token$.refresh());
      });
      rig.ask(0, 'a');
      rig.at(1000, () => rig.token$.close());
      m.flush();
      expect(rig.log).toEqual(['0 a !TokenUnavailableError(!401)', '250 again T2']);
    }),
  );

  cases(
    'end the wait of refresh() with the reason why it is in vain',
    (m, { maxWait, meanwhile, at, outcome }) => {
      const rig = setUp(m, () => ({ took: 0, fail: { status: 401 } }), { maxWait });
      rig.ask(0, 'a');
      rig.at(10, () => rig.tell('r', rig.token$.refresh()));
      rig.at(20, () => {
        if (meanwhile) rig.token$[meanwhile]();
      });
      m.flush();
      expect(rig.log.at(-1)).toMatch(`${at} r ${outcome}`);
    },
    [
      { name: 'it fails again', maxWait: 30_000, at: 250, outcome: '!TokenUnavailableError(!401)' },
      { name: 'it would be longer than maxWait', maxWait: 200, at: 10, outcome: '!TokenUnavailableError(!401)' },
      { name: 'signOut()', maxWait: 30_000, meanwhile: 'signOut', at: 20, outcome: '!TokenUnavailableError' },
      { name: 'close()', maxWait: 30_000, meanwhile: 'close', at: 20, outcome: '!TokenStreamClosedError' },
    ] as { name: string; maxWait: number; meanwhile?: 'signOut' | 'close'; at: number; outcome: string }[],
  );

  it(
    'do not exist where nothing has failed: refresh() asks at once, each time',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }));
      for (const ms of [0, 10, 20]) rig.at(ms, () => rig.tell('r', rig.token$.refresh()));
      m.flush();
      expect(rig.log).toEqual(['0 r T1', '10 r T2', '20 r T3']);
    }),
  );
});
