import { filter, of, Subject, takeUntil } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { withToken, type TokenEvent, type TokenStream } from 'rx-fresh-token';
import { answer, setUp, type Rig } from './rig.js';

/** Acts once, from inside the callback of the first event of that type at or after the given moment. */
function inside({ token$ }: Rig, type: TokenEvent['type'], from: number, act: () => unknown): void {
  let done = false;
  token$.events.subscribe((event) => {
    if (done || event.type !== type || event.at < from) return;
    done = true;
    act();
  });
}

it(
  '15: a request that is rejected in the pause after a failed attempt joins the next one, though nobody waited',
  marbles((m) => {
    const rig = setUp(m, (n) => ({ took: 0, life: 3600, ...(n === 2 && { fail: { status: 503 } }) }), {
      idleTimeout: 0,
      random: () => 1,
      backoff: { initial: 500 },
    });
    const revoked = withToken(rig.token$, ({ value }) => of(answer(value === 'T1' ? 401 : 200)));
    for (const ms of [1000, 1200])
      rig.at(ms, () => {
        rig.tell('a', revoked);
      });
    rig.at(2000, () => {
      rig.token$.close();
    });
    m.flush();
    expect(rig.asked).toEqual(['1000 initial', '1000 rejected', '1500 rejected #2']);
    expect(rig.log).toEqual(['1000 a 401', '1500 a 200']);
  }),
);

describe('whoever acts from inside an event', () => {
  it(
    '17: should not make a resource cost a second refresh, when it has the same token fetched again by subscribing',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, life: 'unknown', value: n > 2 ? 'T3' : 'T1' }), { idleTimeout: 0 });
      const forbidden = withToken(rig.token$, () => of(answer(401)), { key: 'r' });
      rig.ask(0, 'first');
      inside(rig, 'tokenRejected', 0, () => {
        rig.tell('s', rig.token$);
      });
      rig.at(10, () => {
        rig.tell('a', forbidden);
      });
      rig.at(100, () => {
        rig.tell('b', forbidden);
      });
      rig.at(200, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '10 rejected']);
      expect(rig.log).toEqual(['0 first T1', '10 s T1', '10 a 401', '100 b 401']);
    }),
  );

  it(
    '34: should have the resource remembered, when a renewal under way brings the same token at the call of a listener',
    marbles((m) => {
      const rig = setUp(m, (n) => ({
        took: 0,
        life: 60,
        value: n > 3 ? 'T2' : 'T1',
        ...(n === 2 && { fail: { status: 503, retryAfter: 900 } }),
      }));
      const forbidden = withToken(rig.token$, () => of(answer(403)), { key: 'r' });
      rig.ask(0, 'first');
      rig.tell('s', rig.token$);
      inside(rig, 'tokenRejected', 0, () => rig.token$.refresh().subscribe());
      for (const ms of [50_300, 50_400])
        rig.at(ms, () => {
          rig.tell('a', forbidden);
        });
      rig.at(50_500, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked).toHaveLength(3);
      expect(rig.log.slice(-2)).toEqual(['50300 a 403', '50400 a 403']);
    }),
  );

  it(
    '18: should have a rejected request wait for no second attempt, when the first one has failed by then',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, ...(n === 2 && { fail: { status: 503 } }) }), { idleTimeout: 0 });
      rig.ask(0, 'first');
      inside(rig, 'tokenRejected', 0, () => {
        rig.tell('s', rig.token$);
      });
      rig.at(10, () => {
        rig.tell(
          'a',
          withToken(rig.token$, () => of(answer(401))),
        );
      });
      rig.at(200, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked.slice(0, 2)).toEqual(['0 initial', '10 rejected']);
      expect(rig.log.slice(0, 3)).toEqual(['0 first T1', '10 s T1', '10 a 401']);
    }),
  );

  it(
    '15: should not have a second token fetched for a rejection, when its own brought one that cannot be kept',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, life: n === 2 ? 0 : 3600 }), { idleTimeout: 0 });
      const call = withToken(rig.token$, () => of(answer(403)));
      rig.ask(0, 'first');
      inside(rig, 'tokenRejected', 0, () => {
        rig.tell('b', call);
      });
      rig.at(10, () => {
        rig.tell('a', call);
      });
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '10 rejected']);
      expect(rig.log).toEqual(['0 first T1', '10 b 403', '10 a 403']);
    }),
  );

  it(
    '15: should not have a rejected token replaced twice, when it has already caused a token that cannot be kept',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: 0, life: n === 2 ? 0 : 30 }), { idleTimeout: 0 });
      rig.tell('s', rig.token$);
      inside(rig, 'tokenRejected', 0, () => {
        rig.tell(
          'b',
          withToken(rig.token$, ({ value }) => of(value)),
        );
      });
      rig.at(1000, () => {
        rig.token$.reject(rig.token$.current!);
      });
      rig.at(2001, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '1000 rejected', '2000 expired']);
      expect(rig.log).toEqual(['0 s T1', '1000 s T2', '1000 b T2', '2000 s T3']);
    }),
  );

  it(
    '1: should not have the successor renewed at once, when it fetched that on hearing of the end',
    marbles((m) => {
      let slept = 0;
      const rig = setUp(m, () => ({ took: 0 }), { now: () => m.scheduler.now() + slept, idleTimeout: 0 });
      rig.ask(0, 'a');
      inside(rig, 'tokenExpired', 0, () => {
        rig.tell(
          'b',
          withToken(rig.token$, ({ value }) => of(value)),
        );
      });
      rig.at(1000, () => {
        slept = 60_000;
        rig.tell('s', rig.token$);
      });
      rig.at(1001, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '1000 expired']);
      expect(rig.log).toEqual(['0 a T1', '1000 s T2', '1000 b T2']);
    }),
  );

  it(
    '12: should not make the stream give up on a call that is about to wait',
    marbles((m) => {
      let slept = 0;
      const rig = setUp(m, (n) => ({ took: 0, ...(n === 2 && { fail: new Error('down') }) }), {
        now: () => m.scheduler.now() + slept,
        idleTimeout: 0,
      });
      rig.ask(0, 'a');
      let first: Parameters<typeof rig.token$.reject>[0] | null = null;
      rig.at(0, () => (first = rig.token$.current));
      inside(rig, 'tokenExpired', 0, () => {
        rig.token$.reject(first!);
      });
      rig.at(1000, () => {
        slept = 60_000;
        rig.tell(
          'b',
          withToken(rig.token$, ({ value }) => of(value)),
        );
      });
      m.flush();
      expect(rig.log).toEqual(['0 a T1', expect.stringMatching(/^\d+ b T3$/)]);
      expect(rig.events.filter((event) => event.includes('idle') && parseInt(event) === 61_000)).toEqual([]);
    }),
  );

  it(
    '6: should not be taken for nobody, when it subscribes on hearing that a forced refresh gave up',
    marbles((m) => {
      const wake = new Subject<void>();
      const rig = setUp(m, (n) => (n === 2 ? { took: 1000, fail: { status: 503 } } : { took: 0 }), {
        maxWait: 500,
        idleTimeout: 400,
        wake,
      });
      rig.at(0, () => {
        rig.tell(
          'a',
          withToken(rig.token$, ({ value }) => of(answer(value === 'T1' ? 403 : 200))),
        );
      });
      inside(rig, 'refreshFailed', 0, () => {
        rig.tell('s', rig.token$);
      });
      rig.at(2000, () => {
        expect(wake.observed).toBe(true);
        rig.token$.close();
      });
      m.flush();
      expect(rig.log.slice(0, 2)).toEqual(['500 a 403', '1000 s T1']);
      expect(rig.events.filter((event) => event.includes('idle'))).toEqual([]);
    }),
  );

  it(
    '1: should not have a fresh token renewed, when it used that on hearing that a forced refresh gave up',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 2 ? { took: 1000, fail: { status: 503 } } : { took: 0 }), {
        maxWait: 500,
        idleTimeout: 400,
      });
      rig.at(0, () => {
        rig.tell(
          'a',
          withToken(rig.token$, ({ value }) => of(answer(value === 'T1' ? 403 : 200))),
        );
      });
      inside(rig, 'refreshFailed', 0, () => {
        rig.tell(
          'b',
          withToken(rig.token$, ({ value }) => of(value)),
        );
      });
      rig.at(20_000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['500 a 403', '1000 b T1']);
      expect(rig.asked.filter((each) => each.includes('scheduled'))).toEqual([]);
    }),
  );

  it(
    '19: should not have a request repeated with a token that another call has just seen rejected',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: n < 3 ? 0 : 300 }));
      const sent: string[] = [];
      const send = (name: string, rejects: (value: string) => boolean) =>
        rig.tell(
          name,
          withToken(rig.token$, ({ value }) => {
            sent.push(`${name} ${value}`);
            return of(answer(rejects(value) ? 401 : 200));
          }),
        );
      rig.ask(0, 'accepted');
      inside(rig, 'tokenRejected', 0, () => {
        inside(rig, 'refreshStarted', 0, () => {
          send('b', (value) => value === 'T2');
        });
      });
      rig.at(0, () => {
        send('a', (value) => value === 'T1');
      });
      rig.at(1000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(sent).toEqual(['a T1', 'b T2', 'b T3', 'a T3']);
      expect(rig.log.sort()).toEqual(['0 accepted T1', '300 a 200', '300 b 200']);
    }),
  );

  it.each([
    ['refresh()', (token$: TokenStream) => token$.refresh().subscribe()],
    [
      'a sign of `wake`',
      (_token$: TokenStream, wake: Subject<unknown>) => {
        wake.next(undefined);
      },
    ],
  ] as const)(
    '15: should have the rejected request wait for the attempt, when %s ends the pause before it',
    (_name, endPause) => {
      marbles((m) => {
        const wake = new Subject<unknown>();
        const busy = { status: 503, headers: { 'retry-after': '1' } };
        const replies = [{ took: 0 }, { took: 0, fail: busy }];
        const rig = setUp(m, (n) => replies[n - 1] ?? {}, { random: () => 1, backoff: { initial: 200 }, wake });
        rig.tell('s', rig.token$);
        inside(rig, 'tokenRejected', 0, () => endPause(rig.token$, wake));
        // The renewal has failed at 25 s, and is to be tried again after 1 s.
        rig.at(25_300, () => {
          const send = withToken(rig.token$, ({ value }) => of(answer(value === 'T1' ? 403 : 200)));
          rig.tell('a', send);
        });
        rig.at(26_500, () => {
          rig.token$.close();
        });
        m.flush();
        expect(rig.asked).toEqual(['0 initial', '25000 scheduled', '25300 scheduled #2']);
        expect(rig.log).toEqual(['0 s T1', '25500 s T3', '25500 a 200']);
      })();
    },
  );

  it(
    '12: should not leave refresh() waiting, when it rejects the token that came, and the attempt to replace it fails',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 0 } : { took: 0, fail: new Error('down') }), {
        random: () => 1,
      });
      inside(rig, 'tokenChanged', 0, () => {
        rig.token$.reject(rig.token$.current!);
      });
      rig.tell('r', rig.token$.refresh());
      rig.at(1, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked).toEqual(['0 manual', '0 rejected']);
      expect(rig.log).toEqual(['0 r T1']);
    }),
  );

  it.each([401, 403])(
    '15: should have the token replaced after %s, though a listener ends the rejected request at once',
    (status) => {
      marbles((m) => {
        const rig = setUp(m, () => ({ took: 0, life: 3600 }));
        rig.tell('s', rig.token$);
        const rejected$ = rig.token$.events.pipe(filter(({ type }) => type === 'tokenRejected'));
        rig.at(100, () =>
          withToken(rig.token$, () => of(answer(status)))
            .pipe(takeUntil(rejected$))
            .subscribe(),
        );
        rig.at(200, () => {
          rig.token$.close();
        });
        m.flush();
        expect(rig.asked).toEqual(['0 initial', '100 rejected']);
        expect(rig.log).toEqual(['0 s T1', '100 s T2']);
      })();
    },
  );

  it(
    '15: should not have the token replaced when the listener that ends the request signs out',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0, life: 3600 }), { idleTimeout: 0 });
      const ended$ = new Subject();
      inside(rig, 'tokenRejected', 0, () => {
        ended$.next(undefined);
        rig.token$.signOut();
      });
      rig.at(100, () =>
        withToken(rig.token$, () => of(answer(401)))
          .pipe(takeUntil(ended$))
          .subscribe(),
      );
      rig.at(200, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.asked).toEqual(['100 initial']);
    }),
  );

  it.each([401, 403])(
    '15: should wait for the next attempt with a request that is rejected by %s as the attempt before it fails',
    (status) => {
      marbles((m) => {
        const rig = setUp(m, (n) => (n === 2 ? { took: 0, fail: new Error('down') } : { took: 0 }), {
          random: () => 1,
        });
        inside(rig, 'refreshFailed', 0, () => {
          rig.tell(
            'a',
            withToken(rig.token$, ({ value }) => of(answer(value === 'T1' ? status : 200))),
          );
        });
        rig.tell('s', rig.token$);
        rig.at(26_000, () => {
          rig.token$.close();
        });
        m.flush();
        expect(rig.asked).toEqual(['0 initial', '25000 scheduled', '25250 scheduled #2']);
        expect(rig.log).toEqual(['0 s T1', '25250 s T3', '25250 a 200']);
      })();
    },
  );

  it(
    '18: should leave the token in use, when it is rejected as an attempt fails, and nobody waits for the next one',
    marbles((m) => {
      const wake = new Subject<unknown>();
      const down = { took: 9000, fail: { status: 503 } };
      const rig = setUp(m, (n) => (n === 1 ? { took: 0 } : down), { idleTimeout: 0, wake });
      // It ends the pause before the next attempt.
      inside(rig, 'refreshFailed', 0, () => {
        wake.next(undefined);
      });
      rig.ask(0, 'first');
      rig.at(1, () => {
        rig.token$.reject(rig.token$.current!);
      });
      rig.at(2, () => {
        const send = withToken(rig.token$, (token) => {
          rig.token$.reject(token);
          return of(token.value);
        });
        rig.tell('a', send);
      });
      rig.ask(9500, 'b');
      rig.at(9600, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['0 first T1', '9001 a T1', '9500 b T1']);
    }),
  );
});
