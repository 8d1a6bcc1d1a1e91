import { map, of, Subject, throwError, timer } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createFetch, createTokenStream, withToken, type TokenStream } from 'rx-fresh-token';
import { answer, jwt, rejection, setUp } from './rig.js';

const until = (rig: ReturnType<typeof setUp>, ms: number) => {
  const s = rig.token$.subscribe({ error: () => undefined });
  rig.at(ms, () => s.unsubscribe());
  rig.at(ms, () => rig.token$.close());
};

describe('the edges of the promises', () => {
  it(
    '3 and 24: a subscriber does not starve when tokens that cannot be kept follow one that has ended',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ life: n === 1 ? 30 : 0 }));
      until(rig, 33_500);
      m.flush();
      expect(rig.asked.map((x) => parseInt(x))).toEqual([
        0, 25_000, 26_000, 27_000, 28_000, 29_000, 30_000, 31_000, 32_000, 33_000,
      ]);
    }),
  );

  it(
    '3: the same after an outage past the end',
    marbles((m) => {
      const rig = setUp(
        m,
        (n) =>
          n === 1 ? {} : m.scheduler.now() < 31_000 ? { took: 0, fail: new Error('down') } : { took: 0, life: 0 },
        { random: () => 1 },
      );
      until(rig, 60_000);
      m.flush();
      expect(rig.asked.length).toBeGreaterThan(20);
    }),
  );

  it(
    'events: tokenExpired comes once, when a token ends with no successor',
    marbles((m) => {
      const rig = setUp(m, undefined, { idleTimeout: 0 });
      rig.ask(0, 'a');
      m.flush();
      expect(rig.events.slice(-2)).toEqual(['25000 idle', '30000 tokenExpired T1']);
    }),
  );

  it(
    '26: a source that closes the stream synchronously: no late answer, no timer',
    marbles((m) => {
      const token$: TokenStream = createTokenStream(
        () => {
          token$.close();
          return of({ access_token: 'T', expires_in: 30 });
        },
        { scheduler: m.scheduler, jitter: 0 },
      );
      token$.subscribe();
      expect([token$.current, m.scheduler.actions.length]).toEqual([null, 0]);
    }),
  );

  it(
    '26: close() inside refreshStarted: the source is not asked, no late answer',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }));
      rig.token$.events.subscribe(({ type }) => {
        if (type === 'refreshStarted') rig.token$.close();
      });
      rig.token$.subscribe({ error: () => undefined });
      expect([rig.token$.current, rig.asked, m.scheduler.actions.length]).toEqual([null, [], 0]);
    }),
  );

  it(
    '18: rejections in the block after a permanent failure force no refresh, and spend none',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 2 ? { took: 0, fail: { status: 400 } } : { took: 0, life: 300 }));
      until(rig, 3000);
      for (let i = 0; i < 20; i++) rig.at(1000 + i, () => withToken(rig.token$, () => of(answer(403))).subscribe());
      rig.at(2000, () => withToken(rig.token$, ({ value }) => of(answer(value === 'T1' ? 403 : 200))).subscribe());
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '1000 rejected', '2000 rejected']);
      expect(rig.events.filter((e) => /^10[01]\d tokenRejected T1 refreshing/.test(e))).toHaveLength(1);
    }),
  );

  it(
    '5: a clock set back during the fetch does not lengthen the life',
    marbles((m) => {
      let offset = 3_600_000;
      const rig = setUp(m, () => ({ took: 5000 }), { now: () => offset + m.scheduler.now() });
      until(rig, 40_000);
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
      until(rig, 6000);
      rig.at(200, () => (offset = 0));
      m.flush();
      expect(rig.asked.length).toBeGreaterThan(4);
    }),
  );

  it(
    '19: a pause that is over stays over when the clock, set back, reaches its time again',
    marbles((m) => {
      let offset = 0;
      const rig = setUp(m, (n) => [{ took: 0 }, { took: 0, fail: new Error('down') }][n - 1] ?? { took: 400 }, {
        now: () => 1e9 + offset + m.scheduler.now(),
        random: () => 1,
      });
      until(rig, 3000);
      rig.at(1000, () => rig.token$.reject(rig.token$.current!));
      // Set back behind the pause of 250 ms, the clock ends it.
      rig.at(1001, () => (offset = -300));
      rig.at(1001, () => rig.token$.refresh().subscribe());
      rig.at(1310, () => rig.token$.reject(rig.token$.current!));
      rig.ask(1310, 'a');
      m.flush();
      expect(rig.asked.slice(0, 3)).toEqual(['0 initial', '1000 rejected', '1001 rejected #2']);
      expect(rig.log).toEqual(['1401 a T3']);
    }),
  );

  it(
    '34: an explicitly rejected token that the issuer gives again after its successor serves',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, value: ['T1', 'T2', 'T1', 'T3'][n - 1] ?? `T${n}` }));
      until(rig, 40_000);
      rig.tell('s', rig.token$);
      rig.at(1000, () => rig.token$.reject(rig.token$.current!));
      m.flush();
      expect(rig.log).toEqual(['0 s T1', '1000 s T2', '26000 s T1']);
    }),
  );

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

  it(
    '3 and 25: a store that shares an expired token is not asked in a loop within one moment',
    marbles((m) => {
      let n = 0;
      const token$ = createTokenStream(() => of(), {
        scheduler: m.scheduler,
        jitter: 0,
        store: {
          refresh: () =>
            ++n > 50
              ? new Subject<never>()
              : of({ response: { access_token: 'X', expires_in: 1 }, age: 5000, origin: 'shared' as const }),
        },
      });
      const s = token$.subscribe();
      m.scheduler.schedule(() => s.unsubscribe(), 3000);
      m.scheduler.schedule(() => token$.close(), 3000);
      m.flush();
      expect(n).toBeLessThan(5);
    }),
  );

  it('17: a forbidden resource with a stream body costs at most one refresh per token lifetime', async () => {
    let n = 0;
    const token$ = createTokenStream(() => of({ access_token: `T${++n}`, expires_in: 30 }));
    const api = createFetch(token$, { baseUrl: 'https://api.example.com', fetch: () => Promise.resolve(answer(403)) });
    for (let i = 0; i < 5; i++)
      await api('/a', { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit);
    token$.close();
    expect(n).toBeLessThanOrEqual(2);
  });

  it(
    '17: nor when refresh() overtakes its first repeat',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 100 }));
      until(rig, 8000);
      const call = (took: number) => () =>
        withToken(rig.token$, ({ value }) => timer(value === 'T1' ? 100 : took).pipe(map(() => answer(403))), {
          key: 'K',
        }).subscribe();
      rig.at(1000, call(5000));
      rig.at(1500, () => rig.token$.refresh().subscribe());
      rig.at(2000, call(100));
      m.flush();
      expect(rig.asked.filter((e) => e.endsWith('rejected'))).toHaveLength(1);
    }),
  );

  it('22: an error of authorize does not carry the secret in its properties', async () => {
    const { inspect } = await import('node:util');
    const token$ = createTokenStream(() => of({ access_token: 'S3CR3T', expires_in: 30 }));
    const api = createFetch(token$, {
      baseUrl: 'https://api.example.com',
      authorize: (h, { value }) => {
        h.set('x', new URL(`::${value}`).href);
      },
    });
    const error = await api('/a').catch((e: unknown) => e);
    token$.close();
    expect(inspect(error)).not.toContain('S3CR3T');
  });

  it(
    '3: an initial JWT ends at its exp, not exp - iat from now',
    marbles((m) => {
      const now = 1_000_000;
      const token$ = createTokenStream(() => of(), {
        scheduler: m.scheduler,
        now: () => now * 1000 + m.scheduler.now(),
        initial: { access_token: jwt({ iat: now - 3590, exp: now + 10 }) },
      });
      const expiresAt = token$.current!.expiresAt;
      token$.close();
      expect(expiresAt).toBe((now + 10) * 1000);
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
      until(rig, 5000);
      rig.at(1000, () => {
        offset = 3_600_000;
        wake.next();
      });
      m.flush();
      expect(rig.asked[1]).toMatch(/^1000 /);
    }),
  );

  it(
    'events: tokenChanged does not announce a token that replaced nothing',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, life: n === 1 ? 30 : 0 }));
      until(rig, 26_500);
      m.flush();
      expect(rig.events.filter((e) => e.includes('tokenChanged'))).toHaveLength(1);
    }),
  );

  it(
    '16: a token that was rejected, was replaced, and comes again does not go with the repeat',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, life: n === 1 ? 0 : 30, value: 'T1' }), { idleTimeout: 0 });
      const sent: string[] = [];
      rig.at(0, () => {
        rig.tell(
          'a',
          withToken(rig.token$, ({ value }) => of(answer(sent.push(value) && 403))),
        );
      });
      m.flush();
      expect(sent).toEqual(['T1']);
      expect(rig.log).toEqual(['1000 a 403']);
    }),
  );

  it(
    '18: a forced refresh that waits for its pause counts from when it is made',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 2 ? { took: 0, life: 0 } : { took: 0, life: 300 }), {
        rejectionBudget: { max: 1, per: 500 },
      });
      until(rig, 4000);
      rig.at(500, () => void rig.token$.refresh().subscribe());
      const reject = () => {
        rig.token$.reject(rig.token$.current!);
      };
      rig.at(1000, reject);
      rig.at(1700, reject);
      rig.ask(2099, 'accepted');
      rig.at(2100, reject);
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '500 manual', '1500 rejected', '2100 rejected']);
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
