import { firstValueFrom, map, NEVER, of, Subject, take, throwError, timer, type Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createFetch, createHttpClient, withToken, type TokenRequest, type TokenStream } from 'rx-fresh-token';
import { openStream, plain, setUp } from './rig.js';

describe('24: the stream neither completes nor errors of itself', () => {
  it(
    'completes on close()',
    marbles((m) => {
      const { token$, at } = setUp(m);
      at(1000, () => token$.close());
      m.expect(plain(token$)).toBeObservable('200ms a 799ms |', { a: 'T1' });
    }),
  );

  it(
    'errors a subscriber with no usable token on a permanent failure; it may subscribe again',
    marbles((m) => {
      const { token$ } = setUp(m, (n) => (n === 1 ? { fail: { status: 400 } } : {}), { idleTimeout: 0 });
      m.expect(plain(token$), '        ^ 3s !  ').toBeObservable('200ms #', {}, '!TokenUnavailableError(!400)');
      m.expect(plain(token$), ' 300ms   ^ 3s !  ').toBeObservable('300ms #', {}, '!TokenUnavailableError(!400)');
      m.expect(plain(token$), '451ms   ^ 3s !  ').toBeObservable('651ms a', { a: 'T2' });
    }),
  );

  it(
    'neither completes nor errors for a token of unknown life, or a source that fails',
    marbles((m) => {
      const unknown = setUp(m, () => ({ life: 'unknown', value: 'opaque' }));
      const failing = setUp(m, () => ({ fail: new Error('down') }));
      m.expect(plain(unknown.token$), '^ 60m !').toBeObservable('200ms a', { a: 'opaque' });
      m.expect(plain(failing.token$), '^ 60m !').toBeObservable('-');
    }),
  );
});

describe('25: virtual time', () => {
  it('holds under TestScheduler.run, with the scheduler it is given', () => {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ expectObservable, cold, expectSubscriptions }) => {
      const answer = cold('   200ms (t|)', { t: { access_token: 'T', expires_in: 30 } });
      const token$ = openStream(() => answer, { scheduler, jitter: 0, idleTimeout: 0 });
      expectObservable(plain(token$), '^ 26s !').toBe('200ms T');
      expectSubscriptions(answer.subscriptions).toBe(['^ 199ms !', '25s ^ 199ms !']);
    });
  });

  it('holds under TestScheduler.run without being given one', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(({ expectObservable }) => {
      let n = 0;
      const token$ = openStream(() => of({ access_token: `T${++n}`, expires_in: 30 }), { jitter: 0, idleTimeout: 0 });
      expectObservable(plain(token$), '^ 51s !').toBe('a 24999ms b 24999ms c', { a: 'T1', b: 'T2', c: 'T3' });
    });
  });

  it(
    'allows a synchronous source, with tokens of any life',
    marbles((m) => {
      for (const life of [30, 0.01, 0.002, 0, 'unknown']) {
        const { token$, at, asked } = setUp(m, () => ({ took: 0, life }), { idleTimeout: 0 });
        const watching = token$.subscribe();
        at(100, () => watching.unsubscribe());
        at(101, () => expect(asked.length).toBeLessThanOrEqual(101));
      }
      m.flush();
    }),
  );

  it(
    'survives subscribers that leave, come, reject, refresh and close inside an emission',
    marbles((m) => {
      for (const took of [0, 200]) {
        const { token$, log, at, tell } = setUp(m, () => ({ took }), { idleTimeout: 0, rejectionBudget: { max: 2 } });
        at(0, () => {
          const leaving = token$.subscribe(() => {
            queue(() => leaving.unsubscribe());
          });
          token$.pipe(take(1)).subscribe(() => {
            tell('came', token$.pipe(take(1)));
          });
          tell('all', token$);
          token$.subscribe((token) => {
            if (token.value === 'T1') token$.refresh().subscribe();
          });
          token$.subscribe((token) => {
            token$.reject(token);
          });
        });
        at(2000, () => token$.close());
        const queue = (act: () => void) => {
          m.scheduler.schedule(act, 0);
        };
        at(2001, () => {
          const heard = log.filter((entry) => entry.includes(' all ')).map((entry) => Number(entry.split(' T')[1]));
          expect(heard).toEqual([...new Set(heard)].sort((a, b) => a - b));
          expect(log.some((entry) => entry.includes(' came '))).toBe(true);
        });
      }
      m.flush();
    }),
  );

  it(
    'lets a source subscribe to its own stream',
    marbles((m) => {
      const inner: string[] = [];
      const token$: TokenStream = openStream(
        () => {
          token$.pipe(take(1)).subscribe(({ value }) => inner.push(value));
          return timer(200).pipe(map(() => ({ access_token: 'T1', expires_in: 30 })));
        },
        { scheduler: m.scheduler, jitter: 0, idleTimeout: 0 },
      );
      m.expect(plain(token$), '^ 1s !').toBeObservable('200ms a', { a: 'T1' });
      m.flush();
      expect(inner).toEqual(['T1']);
    }),
  );

  it(
    'fails a source that waits for its own token by the timeout, and goes on',
    marbles((m) => {
      let n = 0;
      const token$: TokenStream = openStream(
        () => (++n === 1 ? (token$.pipe(take(1)) as Observable<never>) : of({ access_token: 'T2', expires_in: 30 })),
        { scheduler: m.scheduler, jitter: 0, random: () => 1, idleTimeout: 0 },
      );
      m.expect(plain(token$), '^ 11s !').toBeObservable('10250ms a', { a: 'T2' });
    }),
  );

  it(
    'lets a subscriber resubscribe inside the error of a permanent failure',
    marbles((m) => {
      const { token$, asked } = setUp(m, () => ({ fail: { status: 400 } }));
      let errors = 0;
      const again = () => {
        token$.subscribe({
          error: () => {
            if (++errors < 10) again();
          },
        });
      };
      again();
      m.flush();
      expect([errors, asked]).toEqual([10, ['0 initial']]);
    }),
  );
});

describe('26: after close()', () => {
  const states: {
    name: string;
    reply: (n: number) => object;
    at: number;
    prepare?: (token$: TokenStream) => unknown;
  }[] = [
    { name: 'before the first use', reply: () => ({}), at: 1000, prepare: () => undefined },
    { name: 'while the first fetch is under way', reply: () => ({}), at: 100 },
    { name: 'with a fresh token', reply: () => ({}), at: 1000 },
    { name: 'while the token is renewed', reply: () => ({}), at: 25_100 },
    { name: 'in a backoff', reply: () => ({ fail: new Error('down') }), at: 220 },
    { name: 'in the block after a permanent failure', reply: () => ({ fail: { status: 400 } }), at: 300 },
    { name: 'between two tokens that cannot be kept', reply: () => ({ life: 0 }), at: 700 },
    {
      name: 'while a rejected token is replaced',
      reply: () => ({}),
      at: 1100,
      prepare: (token$) => {
        token$.subscribe();
        timer(1000).subscribe(() => {
          token$.reject(token$.current!);
        });
      },
    },
    { name: 'with a token of unknown life', reply: () => ({ life: 'unknown' }), at: 1000 },
    { name: 'when idle', reply: () => ({}), at: 60_000, prepare: (token$) => token$.refresh().subscribe() },
  ];

  cases(
    'leaves no timer, and takes no late answer',
    (m, { reply, at: when, prepare }) => {
      const { token$, at, requests, pendingAt, events, asked } = setUp(m, reply);
      const completed: string[] = [];
      const use =
        prepare ??
        ((stream$: TokenStream) => {
          stream$.subscribe({ error: () => undefined, complete: () => completed.push('stream') });
          withToken(stream$, () => of(1)).subscribe({
            error: (error: unknown) => completed.push((error as { code: string }).code),
          });
        });
      token$.events.subscribe({ complete: () => completed.push('events') });
      use(token$);
      let askedBefore = 0;
      at(when, () => {
        askedBefore = asked.length;
        token$.close();
        token$.close();
        expect(token$.current).toBeNull();
      });
      const pending = pendingAt(when);
      at(when + 400, () => undefined);
      m.flush();
      expect(completed.at(-1)).toBe('events');
      expect(pending.count).toBe(1); // this test's own
      expect(asked).toHaveLength(askedBefore);
      expect(token$.current).toBeNull();
      expect(events.at(-1)).toBe(`${when} closed`);
      expect(events.filter((event) => event.endsWith('closed'))).toHaveLength(1);
      const last = requests.at(-1);
      if (asked.length && /under way|renewed|replaced/.test(states.find(({ at: ms }) => ms === when)!.name))
        expect(last?.signal.aborted).toBe(true);
    },
    states,
  );

  it('takes no late answer of a source that does not hear the abort', () => {
    const answers: ((response: object) => void)[] = [];
    const token$ = openStream(() => new Promise((resolve) => answers.push(resolve as never)));
    const heard: unknown[] = [];
    token$.subscribe({ next: (token) => heard.push(token), complete: () => heard.push('complete') });
    token$.close();
    answers[0]!({ access_token: 'late', expires_in: 30 });
    return Promise.resolve().then(() => {
      expect(heard).toEqual(['complete']);
      expect(token$.current).toBeNull();
    });
  });

  it('aborts the fetch', () => {
    let request: TokenRequest | undefined;
    const token$ = openStream((asked) => ((request = asked), NEVER));
    token$.subscribe();
    expect(request?.signal.aborted).toBe(false);
    token$.close();
    expect(request?.signal.aborted).toBe(true);
  });

  it('fails whoever waits', async () => {
    const token$ = openStream(() => NEVER);
    const waiting = [
      firstValueFrom(token$.refresh()),
      firstValueFrom(withToken(token$, () => of(1))),
      createFetch(token$, { baseUrl: 'https://api.example.com' })('/a'),
    ].map((promise) => promise.catch((error: unknown) => (error as { code: string }).code));
    token$.close();
    expect(await Promise.all(waiting)).toEqual(Array(3).fill('ERR_TOKEN_STREAM_CLOSED'));
  });

  it('fails refresh, requests and withToken; reject throws; current is null; events has completed', async () => {
    const token$ = openStream(() => of({ access_token: 'T', expires_in: 30 }));
    token$.subscribe();
    const token = token$.current!;
    token$.close();
    const options = { baseUrl: 'https://api.example.com', fetch: () => Promise.reject(new Error('sent')) };
    const failures = await Promise.all(
      [
        firstValueFrom(token$.refresh()),
        firstValueFrom(withToken(token$, () => throwError(() => new Error('sent')))),
        createFetch(token$, options)('/a'),
        firstValueFrom(createHttpClient(token$, options).get('/a')),
        firstValueFrom(createHttpClient(token$, options).request('/a')),
      ].map((promise) =>
        promise.then(
          () => 'none',
          (error: unknown) => {
            const { name, code } = error as { name: string; code: string };
            return `${name} ${code}`;
          },
        ),
      ),
    );
    expect(failures).toEqual(Array(5).fill('TokenStreamClosedError ERR_TOKEN_STREAM_CLOSED'));
    expect(() => token$.reject(token)).toThrow(expect.objectContaining({ code: 'ERR_TOKEN_STREAM_CLOSED' }) as Error);
    expect(token$.current).toBeNull();
    const heard: string[] = [];
    token$.events.subscribe({ next: ({ type }) => heard.push(type), complete: () => heard.push('complete') });
    expect(heard).toEqual(['complete']);
    expect(() => token$.close()).not.toThrow();
  });

  it.each(['refreshFailed', 'tokenChanged', 'tokenRejected'])('may come inside an event (%s)', (type) => {
    const scheduler = new TestScheduler(() => undefined);
    scheduler.run(({ flush }) => {
      const { token$, log, tell } = setUp({ scheduler }, () =>
        type === 'refreshFailed' ? { took: 0, fail: new Error('down') } : { took: 0 },
      );
      token$.events.subscribe((event) => {
        if (event.type === type) token$.close();
      });
      tell('s', token$);
      if (type === 'tokenRejected') token$.reject(token$.current!);
      expect(token$.current).toBeNull();
      expect(scheduler.actions).toEqual([]);
      flush();
      expect(log).toEqual(type === 'tokenRejected' ? ['0 s T1'] : []);
    });
  });

  it('may come inside an emission, and no one else hears of the token', () => {
    const source = new Subject<{ access_token: string; expires_in: number }>();
    const token$ = openStream(() => source);
    const heard: string[] = [];
    token$.subscribe(() => token$.close());
    token$.subscribe({ next: () => heard.push('next'), complete: () => heard.push('complete') });
    source.next({ access_token: 'T', expires_in: 30 });
    expect(heard).toEqual(['complete']);
    expect(token$.current).toBeNull();
  });

  it('leaves no real timer', () => {
    jest.useFakeTimers();
    try {
      const token$ = openStream(() => of({ access_token: 'T', expires_in: 30 }));
      token$.subscribe();
      withToken(token$, () => NEVER).subscribe();
      expect(jest.getTimerCount()).toBeGreaterThan(0);
      token$.close();
      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('is what disposing does', () => {
    const token$ = openStream(() => NEVER) as TokenStream & Record<symbol, () => void>;
    const heard: string[] = [];
    token$.events.subscribe({ complete: () => heard.push('complete') });
    token$[Symbol.dispose]();
    expect(heard).toEqual(['complete']);
  });
});
