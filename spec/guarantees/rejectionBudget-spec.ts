import { map, of, Subject, throwError, timer, type Observable } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { withToken, type AccessToken, type TokenStream } from 'rx-fresh-token';
import { answer, rejection, setUp, subscribeUntil } from './rig.js';

describe('15 to 18: what a rejection costs', () => {
  it(
    'a token that is over costs no budget: its refresh is due anyway',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0, rejectionBudget: { max: 0 } });
      let first: AccessToken | null = null;
      rig.ask(0, 'a');
      rig.at(1, () => (first = rig.token$.current));
      rig.at(29_500, () => {
        rig.token$.reject(first!);
      });
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '29500 expired']);
      expect(rig.events).toContain('29500 tokenRejected T1 refreshing');
    }),
  );

  it(
    'a token that was rejected, and is rejected again, counts again',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 0 } : { took: 0, fail: { status: 400 } }), {
        idleTimeout: 0,
        rejectionBudget: { max: 1 },
      });
      let first: AccessToken | null = null;
      rig.ask(0, 'a');
      rig.at(1, () => (first = rig.token$.current));
      rig.at(1000, () => {
        rig.token$.reject(first!);
      });
      rig.at(10_000, () => {
        rig.token$.reject(first!);
      });
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '1000 rejected']);
      expect(rig.events).toContain('10000 tokenRejected T1 suppressed');
    }),
  );

  it(
    'a token that was rejected, and that the issuer gives again later, is used',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, value: n === 4 ? 'T1' : `T${String(n)}` }), { idleTimeout: 0 });
      for (let n = 0; n < 4; n++) rig.ask(n * 10, 'a');
      for (let n = 0; n < 3; n++)
        rig.at(n * 10 + 5, () => {
          rig.token$.reject(rig.token$.current!);
        });
      m.flush();
      expect(rig.log).toEqual(['0 a T1', '10 a T2', '20 a T3', '30 a T1']);
      expect(rig.events.filter((event) => event.includes('refreshFailed'))).toEqual([]);
    }),
  );

  it(
    'a late rejection of an old token is repeated with the current one, and costs no token, though its resource is known',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
      const sent: string[] = [];
      const forbidden = (latency: number) =>
        withToken(
          rig.token$,
          ({ value }) => timer(latency, m.scheduler).pipe(map(() => (sent.push(value), answer(403)))),
          { key: 'GET /x' },
        );
      rig.at(0, () => {
        rig.tell('late', forbidden(500));
      });
      rig.at(100, () => {
        rig.tell('first', forbidden(0));
      });
      m.flush();
      expect(rig.log).toEqual(['100 first 403', '1000 late 403']);
      expect(sent).toEqual(['T1', 'T2', 'T1', 'T2']);
      expect(rig.asked).toHaveLength(2);
    }),
  );

  const rejections = (outcomes: (number | Observable<unknown>)[], token$: TokenStream) =>
    withToken(
      token$,
      () => {
        const outcome = outcomes.shift() ?? 200;
        return typeof outcome === 'number'
          ? outcome === 500
            ? throwError(() => rejection(500))
            : of(answer(outcome))
          : outcome;
      },
      { key: 'GET /x' },
    );

  it.each([
    ['fails otherwise', (): number => 500],
    ['is given up by its caller', (): Observable<unknown> => new Subject()],
  ] as const)(
    'a repeat that %s leaves a resource, rejected without a reason, its one refresh of this token life',
    (_what, second) => {
      marbles((m) => {
        const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
        const outcomes: (number | Observable<unknown>)[] = [403, second(), 403, 200, 403, 200];
        rig.at(0, () => {
          const leaving = rejections(outcomes, rig.token$).subscribe({ error: () => undefined });
          rig.at(10, () => {
            leaving.unsubscribe();
          });
        });
        // The first is passed on, the second accepted, so that the third is worth another refresh.
        for (const ms of [100, 200, 300])
          rig.at(ms, () => {
            rig.tell('b', rejections(outcomes, rig.token$));
          });
        m.flush();
        expect(rig.log).toEqual(['100 b 403', '200 b 200', '300 b 200']);
        expect(rig.asked).toEqual(['0 initial', '0 rejected', '300 rejected']);
      })();
    },
  );
});

describe('18: the rejection budget', () => {
  it(
    '18: rejections in the block after a permanent failure force no refresh, and spend none',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 2 ? { took: 0, fail: { status: 400 } } : { took: 0, life: 300 }));
      subscribeUntil(rig, 3000);
      for (let i = 0; i < 20; i++) rig.at(1000 + i, () => withToken(rig.token$, () => of(answer(403))).subscribe());
      rig.at(2000, () => withToken(rig.token$, ({ value }) => of(answer(value === 'T1' ? 403 : 200))).subscribe());
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '1000 rejected', '2000 rejected']);
      expect(rig.events.filter((e) => /^10[01]\d tokenRejected T1 refreshing/.test(e))).toHaveLength(1);
    }),
  );

  it(
    '18: a forced refresh that waits for its pause counts from when it is made',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 2 ? { took: 0, life: 0 } : { took: 0, life: 300 }), {
        rejectionBudget: { max: 1, per: 500 },
      });
      subscribeUntil(rig, 4000);
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
    '18: should count a forced refresh when it is made, not when it was asked for',
    marbles((m) => {
      let slept = 0;
      const wake = new Subject<void>();
      const rig = setUp(m, (n) => ({ took: 0, life: n === 2 ? 0 : 60 }), {
        wake,
        now: () => m.scheduler.now() + slept,
        rejectionBudget: { max: 1, per: 5000 },
      });
      const reject = (ms: number) => {
        rig.at(ms, () => {
          rig.token$.reject(rig.token$.current!);
        });
      };
      rig.at(0, () => {
        rig.tell('s', rig.token$);
      });
      rig.at(1000, () => {
        rig.token$.refresh().subscribe();
      });
      // What that brought cannot be kept: no fetch for a second.
      reject(1100);
      rig.at(1200, () => {
        slept = 10_000;
        wake.next();
      });
      reject(6199);
      reject(6200);
      rig.at(7000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '1000 manual', '1200 rejected', '6200 rejected']);
      expect(rig.events.filter((line) => line.includes('Rejected'))).toEqual([
        '1100 tokenRejected T1 refreshing',
        '16199 tokenRejected T3 suppressed',
        '16200 tokenRejected T3 refreshing',
      ]);
    }),
  );
});
