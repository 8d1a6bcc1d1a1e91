/* eslint rxjs-x/throw-error: off -- sources throw what they like */
import { catchError, map, of, Subject, take, throwError, timer, type Observable } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, withToken, type AccessToken, type StoredToken, type TokenStream } from 'rx-fresh-token';
import { ON_CLOSE } from '../../src/internal/sourceHooks.js';
import { answer, errorText, openStream, rejection, setUp } from './rig.js';

const timersAlive = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

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
    'should hear the mistake when isPermanent throws',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0, fail: new Error('down') }), {
        maxWait: 10,
        isPermanent: () => {
          throw new Error('a mistake');
        },
      });
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['10 a !TokenUnavailableError(!Error a mistake)']);
    }),
  );
});

describe('14: a token without life', () => {
  it(
    'should not be heard after a better one that its announcement brought about',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: n === 1 ? 200 : 0, life: n === 1 ? 0 : 30 }), { idleTimeout: 0 });
      let once = true;
      rig.token$.events.subscribe((event) => {
        if (event.type !== 'tokenChanged' || !once) return;
        once = false;
        rig.tell('s', rig.token$);
      });
      rig.tell('s', rig.token$.pipe(take(1)));
      rig.at(1300, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['200 s T1', '1000 s T2']);
    }),
  );
});

describe('15 to 18: who pays for a refresh', () => {
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
    'a token that was rejected, and is rejected again, is paid for again',
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
    'a token that was rejected, and that the issuer gives again later, is vouched for',
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

describe('4: the very moment at which a token is over', () => {
  it(
    'should find no request that still takes it',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 200 }), { refreshBefore: 0, idleTimeout: 0 });
      rig.ask(29_000, 'b');
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['200 a T1', '29200 b T2']);
    }),
  );
});

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

describe('a store that pushes', () => {
  const stored = (access_token: string, age: number): StoredToken => ({
    response: { access_token, expires_in: 30 },
    age,
    origin: 'shared',
  });

  function pushed(scheduler: Parameters<typeof setUp>[0]['scheduler'], fails = false) {
    const changes = new Subject<StoredToken>();
    const asked: number[] = [];
    const events: string[] = [];
    const hook = jest.fn();
    const source = Object.assign(() => of({ access_token: 'S', expires_in: 30 }), { [ON_CLOSE]: hook });
    const token$ = createTokenStream(source, {
      scheduler,
      jitter: 0,
      random: () => 1,
      store: {
        changes,
        refresh: () => (
          asked.push(scheduler.now()),
          fails && asked.length > 1 ? throwError(() => new Error('down')) : of(stored('T1', 1000))
        ),
      },
    });
    token$.events.subscribe((event) => {
      if (event.type === 'tokenChanged') events.push(`${event.token.value} ${event.reason} ${event.origin}`);
    });
    return { token$, changes, asked, events, hook };
  }

  it(
    'should not bring back a token that is older than the one at hand, but another of the same age',
    marbles((m) => {
      const { token$, changes, events } = pushed(m.scheduler);
      const watching = token$.subscribe();
      changes.next(stored('older', 1001));
      expect(token$.current?.value).toBe('T1');
      changes.next(stored('other', 1000));
      expect(token$.current?.value).toBe('other');
      expect(events).toEqual(['T1 initial shared', 'other scheduled shared']);
      watching.unsubscribe();
      token$.close();
    }),
  );

  it(
    'should not end the pause after a failure with the token that is at hand already',
    marbles((m) => {
      const { token$, changes, asked } = pushed(m.scheduler, true);
      token$.subscribe({ error: () => undefined });
      m.scheduler.schedule(() => {
        changes.next(stored('T1', 25_050));
      }, 24_050);
      m.scheduler.schedule(() => {
        token$.close();
      }, 24_700);
      m.flush();
      expect(asked).toEqual([0, 24_000, 24_250]);
    }),
  );

  it(
    'should not cut off a fetch that is under way, whose token may be newer still',
    marbles((m) => {
      const changes = new Subject<StoredToken>();
      const signals: AbortSignal[] = [];
      const token$ = createTokenStream(
        ({ signal }) => (
          signals.push(signal),
          timer(500, m.scheduler).pipe(map(() => ({ access_token: 'mine', expires_in: 30 })))
        ),
        {
          scheduler: m.scheduler,
          jitter: 0,
          store: {
            changes,
            refresh: (_request, fetch) =>
              fetch().pipe(map((response) => ({ response, age: 500, origin: 'fetched' as const }))),
          },
        },
      );
      const log: string[] = [];
      token$.subscribe(({ value }) => log.push(`${m.scheduler.now()} ${value}`));
      m.scheduler.schedule(() => {
        changes.next(stored('theirs', 600));
      }, 200);
      m.scheduler.schedule(() => {
        token$.close();
      }, 1000);
      m.flush();
      expect(log).toEqual(['200 theirs', '500 mine']);
      expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    }),
  );

  it(
    'should keep its token when the stream closes: that is not for this one to revoke',
    marbles((m) => {
      const { token$, hook } = pushed(m.scheduler);
      token$.pipe(take(1)).subscribe();
      token$.close();
      expect(hook).not.toHaveBeenCalled();
    }),
  );

  it(
    'may fetch twice in one refresh, with what it kept each time',
    marbles((m) => {
      const lasts: unknown[] = [];
      const token$ = createTokenStream(
        ({ last }) => (
          lasts.push(last?.access_token),
          lasts.length === 1 ? throwError(() => new Error('down')) : of({ access_token: 'T1', expires_in: 30 })
        ),
        {
          scheduler: m.scheduler,
          store: {
            refresh: (_request, fetch) =>
              fetch({ access_token: 'first' }).pipe(
                catchError(() => fetch({ access_token: 'second' })),
                map((response) => ({ response, age: 0, origin: 'fetched' as const })),
              ),
          },
        },
      );
      const log: string[] = [];
      token$
        .pipe(take(1))
        .subscribe({ next: ({ value }) => log.push(value), error: (error: unknown) => log.push(errorText(error)) });
      expect([log, lasts]).toEqual([['T1'], ['first', 'second']]);
      token$.close();
    }),
  );
});

it('withToken should refuse an isRejection that is no function', () => {
  const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
  expect(() => withToken(token$, () => of(1), { isRejection: 5 as never })).toThrow(/isRejection/);
  expect(() => withToken(token$, 5 as never)).toThrow(/function/);
});

it('streams should be known by a name on which two copies of the package agree', () => {
  const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
  expect(Object.getOwnPropertySymbols(token$).map((symbol) => Symbol.keyFor(symbol))).toContain(
    'rx-fresh-token/manager@2',
  );
  for (const stranger of [null, undefined, {}, of(1)])
    expect(() => withToken(stranger as never, () => of(1))).toThrow(/createTokenStream/);
});
