import { map, of, Subject, timer } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { ON_CLOSE, ON_SIGN_OUT } from '../../src/internal/hiddenMembers.js';
import {
  createFetch,
  createTokenStream,
  takeToken,
  withToken,
  type AccessToken,
  type TokenResponse,
  type TokenSource,
  type TokenStore,
} from 'rx-fresh-token';
import { answer, openStream, serving, setUp, type Rig } from './rig.js';

const broken = (): never => {
  throw new Error('the channel is closed');
};

describe('36: signOut() ends the session, not the stream', () => {
  it(
    'forgets the token: the next use asks the source anew',
    marbles((m) => {
      const rig = setUp(m, undefined, { idleTimeout: 0 });
      rig.ask(0, 'a');
      rig.at(1000, () => {
        rig.token$.signOut();
        expect(rig.token$.current).toBeNull();
      });
      rig.ask(5000, 'b');
      m.flush();
      expect(rig.log).toEqual(['200 a T1', '5200 b T2']);
      expect(rig.asked).toEqual(['0 initial', '5000 initial']);
      expect(rig.requests[1]!.previous).toBeNull();
      expect(rig.events).toContain('1000 signedOut');
    }),
  );

  it(
    'but reject() of a copy of the token that came since has it replaced',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
      rig.ask(0, 'a');
      rig.at(1000, () => rig.token$.signOut());
      rig.ask(2000, 'b');
      rig.at(3000, () => {
        rig.token$.reject({ value: rig.token$.current!.value, type: 'Bearer' } as AccessToken);
      });
      m.flush();
      expect(rig.log).toEqual(['0 a T1', '2000 b T2']);
      expect(rig.asked).toEqual(['0 initial', '2000 initial', '3000 rejected']);
    }),
  );

  it(
    'ends the pauses between tokens that no server accepts',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
      const reject = () => {
        takeToken(rig.token$).subscribe((token) => rig.token$.reject(token));
      };
      for (const at of [0, 100, 200]) rig.at(at, reject);
      rig.at(300, () => rig.token$.signOut());
      for (const at of [400, 500]) rig.at(at, reject);
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '0 rejected', '400 initial', '400 rejected']);
    }),
  );

  cases(
    'fails whoever waits',
    (m, { wait }) => {
      const rig = setUp(m);
      rig.at(0, () => rig.tell('a', wait(rig)));
      rig.at(100, () => rig.token$.signOut());
      m.flush();
      expect(rig.log).toEqual(['100 a !TokenUnavailableError']);
    },
    [
      { name: 'a request', wait: ({ token$ }) => withToken(token$, () => of(1)) },
      { name: 'takeToken', wait: ({ token$ }) => takeToken(token$) },
      { name: 'refresh()', wait: ({ token$ }) => token$.refresh() },
    ] as { name: string; wait: (rig: ReturnType<typeof setUp>) => ReturnType<typeof takeToken> }[],
  );

  describe('sends no request of one session with a token of the next one', () => {
    it(
      'when a subscriber that a permanent failure ends signs out, and asks at once',
      marbles((m) => {
        const rig = setUp(m, (n) => (n === 1 ? { fail: { status: 401 } } : { took: 0 }));
        const { token$ } = rig;
        token$.subscribe({
          error: () => {
            token$.signOut();
            rig.tell(
              'next',
              withToken(token$, ({ value }) => of(value)),
            );
          },
        });
        // It was not told before the session ended, so it stays for the next one.
        rig.tell('s', token$);
        rig.ask(0, 'a');
        rig.at(1000, () => token$.close());
        m.flush();
        expect(rig.log.sort()).toEqual(['200 a !TokenUnavailableError', '200 next T2', '200 s T2']);
      }),
    );

    cases(
      'when the session ends in the renewal that the request causes',
      (m, { wait }) => {
        const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
        const { token$ } = rig;
        rig.ask(0, 'a');
        rig.at(26_000, () => {
          const events = token$.events.subscribe(({ type }) => {
            if (type !== 'refreshStarted') return;
            events.unsubscribe();
            token$.signOut();
            rig.tell('next', takeToken(token$));
          });
          rig.tell('b', wait(rig));
        });
        m.flush();
        expect(rig.log).toEqual(['0 a T1', '26000 next T2', '26000 b !TokenUnavailableError']);
      },
      [
        { name: 'withToken', wait: ({ token$ }: Rig) => withToken(token$, ({ value }) => of(value)) },
        { name: 'takeToken', wait: ({ token$ }: Rig) => takeToken(token$) },
      ],
    );

    it(
      'when the session ends with the token for the repeat of a request',
      marbles((m) => {
        const rig = serving(m, () => ({ took: 0 }));
        const { token$ } = rig;
        rig.call(1000, 'a', () => of(answer(401)));
        token$.events.subscribe(({ type }) => {
          if (type !== 'refreshStarted' || rig.sent.length === 0) return;
          token$.subscribe(({ value }) => {
            if (value === 'T2') token$.signOut();
          });
        });
        rig.end(2000);
        expect([rig.sent, rig.log]).toEqual([['1000 a T1'], ['1000 a !TokenUnavailableError']]);
      }),
    );

    it('when the session ends with the token that a request of createFetch waited for', async () => {
      let n = 0;
      const first = new Subject<TokenResponse>();
      const token$ = openStream(() => (n++ === 0 ? first : of({ access_token: `T${String(n)}`, expires_in: 30 })));
      const sent: unknown[] = [];
      const fetch = createFetch(token$, {
        baseUrl: 'https://api.example.com',
        fetch: (_input, init) => {
          sent.push(new Headers(init?.headers).get('authorization'));
          return Promise.resolve(new Response('ok'));
        },
      });
      const failure = fetch('/a').catch((error: unknown) => error);
      const watching = token$.subscribe(({ value }) => {
        if (value === 'T1') token$.signOut();
      });
      first.next({ access_token: 'T1', expires_in: 30 });
      expect(await failure).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', message: 'the session was signed out' });
      expect(sent).toEqual([]);
      watching.unsubscribe();
    });
  });

  it(
    'takes the tokens of the next session for its own, though the clock is set back meanwhile',
    marbles((m) => {
      let setBack = 0;
      const rig = serving(m, undefined, { now: () => m.scheduler.now() - setBack });
      rig.at(10_000, () => rig.token$.signOut());
      rig.call(11_000, 'a', () => of(answer(200)));
      rig.at(11_100, () => (setBack = 60_000));
      rig.call(20_000, 'b', (token) => of(answer(token === 'T2' ? 401 : 200)));
      rig.end(21_000);
      expect(rig.log.map((entry) => entry.replace(/^\S+ /, ''))).toEqual(['a 200', 'b 200']);
    }),
  );

  it(
    'is left alone by the failure for which isPermanent signs out: the next session asks at once',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { fail: { status: 401 } } : {}), {
        isPermanent: () => {
          rig.token$.signOut();
          return true;
        },
      });
      rig.ask(0, 'a');
      rig.at(201, () => rig.tell('b', takeToken(rig.token$).pipe(map(({ value }) => value))));
      m.flush();
      expect(rig.log).toEqual(['200 a !TokenUnavailableError', '401 b T2']);
      expect(rig.events.slice(0, 4)).toEqual([
        '0 refreshStarted initial 1',
        '200 signedOut',
        '201 refreshStarted initial 1',
        '401 tokenChanged - T2 initial 200 fetched',
      ]);
    }),
  );

  it(
    'gives a rejected request that waits for its repeat the rejection it had',
    marbles((m) => {
      const rig = serving(m);
      rig.call(1000, 'a', () => of(answer(401)));
      rig.at(1100, () => rig.token$.signOut());
      rig.end(3000);
      expect(rig.log).toEqual(['1100 a 401']);
      expect(rig.sent).toEqual(['1000 a T1']);
    }),
  );

  it(
    'gives its token to no waiter after that, though the next session begins with the same one',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: n === 1 ? 200 : 0, value: 'same' }));
      let isOver = false;
      rig.token$.events.subscribe(({ type }) => {
        if (type === 'signedOut') rig.tell('next', takeToken(rig.token$));
      });
      rig.at(0, () => {
        rig.token$.subscribe(() => {
          if (!isOver) {
            isOver = true;
            rig.token$.signOut();
          }
        });
      });
      rig.at(100, () => rig.tell('waiter', takeToken(rig.token$)));
      rig.at(1000, () => {
        rig.token$.close();
      });
      m.flush();
      expect(rig.log).toEqual(['200 waiter !TokenUnavailableError', '200 next same']);
    }),
  );

  it(
    'asks for nothing until somebody needs a token: subscribers stay, and get that of the next session',
    marbles((m) => {
      const rig = setUp(m);
      rig.at(0, () => rig.tell('s', rig.token$));
      rig.at(1000, () => rig.token$.signOut());
      rig.ask(100_000, 'b');
      rig.at(101_000, () => rig.token$.close());
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '100000 initial']);
      expect(rig.log).toEqual(['200 s T1', '100200 s T2', '100200 b T2']);
    }),
  );

  it(
    'takes what still arrives for nobody’s',
    marbles((m) => {
      const rig = setUp(m, (n) => ({ took: n === 1 ? 1000 : 200 }));
      rig.ask(0, 'a');
      rig.at(500, () => rig.token$.signOut());
      rig.at(600, () => expect(rig.requests[0]!.signal.aborted).toBe(true));
      rig.at(1001, () => expect(rig.token$.current).toBeNull());
      rig.ask(2000, 'b');
      m.flush();
      expect(rig.log).toEqual(['500 a !TokenUnavailableError', '2200 b T2']);
      expect(rig.events.find((event) => event.includes('tokenChanged'))).toBe(
        '2200 tokenChanged - T2 initial 200 fetched',
      );
    }),
  );

  cases(
    'gives a request the rejection it had, when a listener of that rejection calls it, and asks for nothing',
    (m, { status }) => {
      const rig = serving(m);
      rig.token$.events.subscribe(({ type }) => {
        if (type === 'tokenRejected') rig.token$.signOut();
      });
      rig.call(1000, 'a', () => of(answer(status)), { key: 'GET /a' });
      rig.end(5000);
      expect(rig.log).toEqual([`1000 a ${String(status)}`]);
      expect(rig.asked).toEqual(['0 initial']);
    },
    [
      { name: '401', status: 401 },
      { name: 'a bare 403', status: 403 },
    ],
  );

  it(
    'never repeats a request of one session with the token of the next',
    marbles((m) => {
      const rig = serving(m);
      rig.call(1000, 'a', (token) => timer(2000).pipe(map(() => answer(token === 'T1' ? 401 : 200))));
      rig.at(1500, () => rig.token$.signOut());
      rig.ask(2000, 'b');
      rig.end(5000);
      expect(rig.sent).toEqual(['1000 a T1']);
      expect(rig.log).toEqual(['2200 b T2', '3000 a 401']);
      expect(rig.asked).toEqual(['0 initial', '2000 initial']);
    }),
  );

  it(
    'forgets pauses and what resources rejected',
    marbles((m) => {
      const rig = serving(m, (n) => (n === 3 ? { took: 0, fail: { status: 400, retryAfter: 60_000 } } : { took: 0 }));
      rig.call(1000, 'a', () => of(answer(403)), { key: 'GET /a' });
      rig.at(2000, () => rig.token$.refresh().subscribe({ error: () => undefined }));
      rig.at(3000, () => rig.token$.signOut());
      rig.ask(3001, 'b');
      rig.call(4000, 'c', (token) => of(answer(token === 'T4' ? 403 : 200)), { key: 'GET /a' });
      rig.end(5000);
      expect(rig.log).toEqual(['1000 a 403', '3001 b T4', '4000 c 200']);
    }),
  );

  it(
    'is told once, however often it is called, and again in the next session',
    marbles((m) => {
      const rig = setUp(m);
      rig.ask(0, 'a');
      for (const ms of [1000, 1001, 1002]) rig.at(ms, () => rig.token$.signOut());
      rig.ask(2000, 'b');
      rig.at(3000, () => rig.token$.signOut());
      m.flush();
      expect(rig.events.filter((event) => event.includes('signedOut'))).toEqual(['1000 signedOut', '3000 signedOut']);
    }),
  );

  cases(
    'fails those who wait, also where somebody signs in at once and the source answers at once',
    (m, { signInAgain }) => {
      const rig = setUp(m, (n) => ({ took: n === 1 ? 5000 : 0 }));
      signInAgain(rig, () => {
        rig.tell('new', takeToken(rig.token$));
      });
      rig.at(0, () => {
        rig.tell('b', takeToken(rig.token$));
        rig.tell('w', rig.token$.pipe(withToken(({ value }) => of(value))));
      });
      rig.at(100, () => rig.token$.signOut());
      rig.at(6000, () => rig.token$.close());
      m.flush();
      expect(rig.log).toEqual(
        expect.arrayContaining(['100 b !TokenUnavailableError', '100 w !TokenUnavailableError', '100 new T2']),
      );
    },
    [
      {
        name: 'a listener of the events',
        signInAgain: ({ token$ }: Rig, use: () => void) => {
          token$.events.subscribe(({ type }) => {
            if (type === 'signedOut') use();
          });
        },
      },
      {
        name: 'one of those who waited',
        signInAgain: ({ at, token$ }: Rig, use: () => void) => {
          at(0, () => takeToken(token$).subscribe({ error: use }));
        },
      },
    ],
  );

  it(
    'gives subscribers the token of the next session, though it is the same',
    marbles((m) => {
      const rig = setUp(m, () => ({ value: 'static', life: 3600 }));
      rig.at(0, () => rig.tell('s', rig.token$));
      rig.at(1000, () => rig.token$.signOut());
      rig.ask(2000, 'a');
      rig.at(3000, () => rig.token$.close());
      m.flush();
      expect(rig.log.filter((entry) => entry.includes(' s '))).toEqual(['200 s static', '2200 s static']);
    }),
  );

  it.each<[string, Partial<TokenStore>, object]>([
    ['the store', { signOut: broken }, {}],
    ['the source', {}, { [ON_SIGN_OUT]: broken }],
  ])('ends the session here, though %s throws', (_who, parts, hooks) => {
    const fetch: TokenSource = () => of({ access_token: 'T1', expires_in: 3600 });
    const store: TokenStore = {
      refresh: (_request, fetch) => fetch().pipe(map((response) => ({ response, age: 0, origin: 'fetched' as const }))),
      ...parts,
    };
    const token$ = openStream(Object.assign(fetch, hooks), { store });
    const told: string[] = [];
    takeToken(token$).subscribe();
    token$.events.subscribe((event) => told.push(event.type === 'refreshFailed' ? event.message : event.type));
    token$.signOut();
    expect(token$.current).toBeNull();
    expect(told.sort()).toEqual(['signedOut', 'the channel is closed']);
  });

  it('leaves nothing of the token behind', () => {
    const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
    token$.subscribe();
    token$.signOut();
    expect(token$.current).toBeNull();
    const seen: AccessToken[] = [];
    token$.events.subscribe((event) => {
      if (event.type === 'tokenChanged' && event.previous) seen.push(event.previous);
    });
    takeToken(token$).subscribe();
    expect(seen).toEqual([]);
    token$.close();
  });

  it(
    'tells the source, with the last token and the request under way',
    marbles((m) => {
      const told: unknown[] = [];
      const hooks = {
        [ON_SIGN_OUT]: (token: AccessToken | null, pending?: AbortSignal) =>
          told.push(['signed out', token?.value, pending?.aborted]),
        [ON_CLOSE]: (token: AccessToken | null) => told.push(['closed', token?.value]),
      };
      let asked = 0;
      const source: TokenSource = () =>
        timer(200, m.scheduler).pipe(map(() => ({ access_token: `T${String(++asked)}`, expires_in: 30 })));
      const token$ = createTokenStream(Object.assign(source, hooks), { scheduler: m.scheduler, idleTimeout: 0 });
      const at = (ms: number, act: () => unknown) => m.scheduler.schedule(() => void act(), ms);
      at(0, () => takeToken(token$).subscribe());
      at(1000, () => token$.refresh().subscribe({ error: () => undefined }));
      at(1100, () => token$.signOut());
      at(2000, () => token$.close());
      m.flush();
      expect(told).toEqual([
        ['signed out', 'T1', false],
        ['closed', undefined],
      ]);
    }),
  );

  it('tells the source again, if another stream on it has begun a session meanwhile', () => {
    const told: unknown[] = [];
    const source = Object.assign(() => of({ access_token: 'T1', expires_in: 30 }), {
      [ON_SIGN_OUT]: (token: AccessToken | null) => told.push(token ? token.value : 'no token'),
    });
    const [token$, other$] = [openStream(source), openStream(source)];
    takeToken(token$).subscribe();
    token$.signOut();
    takeToken(other$).subscribe();
    token$.signOut();
    expect(told).toEqual(['T1', 'no token']);
  });

  it(
    'does not take up what a store still pushes',
    marbles((m) => {
      const changes = new Subject<{ response: TokenResponse; age: number; origin: 'shared' }>();
      const rig = setUp(m, undefined, {
        store: {
          refresh: (_request, fetch) =>
            fetch().pipe(map((response) => ({ response, age: 0, origin: 'fetched' as const }))),
          changes,
        },
      });
      rig.at(0, () => rig.tell('s', rig.token$));
      rig.at(1000, () => rig.token$.signOut());
      rig.at(1001, () => changes.next({ response: { access_token: 'P', expires_in: 30 }, age: 0, origin: 'shared' }));
      rig.at(1002, () => expect(rig.token$.current).toBeNull());
      rig.at(2000, () => rig.token$.close());
      m.flush();
      expect(rig.log).toEqual(['200 s T1']);
    }),
  );

  it(
    'may be called from inside any event',
    marbles((m) => {
      for (const type of ['refreshStarted', 'tokenChanged', 'tokenRejected', 'signedOut'] as const) {
        const rig = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
        let isDone = false;
        rig.token$.events.subscribe((event) => {
          if (isDone || event.type !== type) return;
          isDone = true;
          rig.token$.signOut();
        });
        rig.at(0, () =>
          rig.tell(
            type,
            withToken(rig.token$, () => of(answer(401))),
          ),
        );
        rig.at(10, () => rig.token$.signOut());
        rig.ask(20, `${type} next`);
        rig.at(30, () => {
          expect([type, isDone, rig.token$.current === null]).toEqual([type, true, false]);
          expect(rig.log.at(-1)).toMatch(new RegExp(`^20 ${type} next T`));
        });
      }
      m.flush();
    }),
  );

  cases(
    'and what a listener of signedOut asks for belongs to the next session',
    (m, { act }) => {
      const rig = setUp(m, undefined, { idleTimeout: 0 });
      let isDone = false;
      rig.token$.events.subscribe(({ type }) => {
        if (type !== 'signedOut' || isDone) return;
        isDone = true;
        rig.tell('next', act(rig.token$));
      });
      rig.ask(0, 'a');
      rig.at(1000, () => rig.token$.signOut());
      m.flush();
      expect(rig.log).toEqual(['200 a T1', '1200 next T2']);
      expect(rig.asked.slice(0, 3)).toHaveLength(2);
    },
    [
      { name: 'refresh()', act: (token$) => token$.refresh() },
      { name: 'takeToken', act: (token$) => takeToken(token$) },
      { name: 'a request', act: (token$) => withToken(token$, ({ value }) => of(value)) },
    ] as { name: string; act: (token$: ReturnType<typeof setUp>['token$']) => ReturnType<typeof takeToken> }[],
  );

  it('after close() does nothing', () => {
    const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
    const events: string[] = [];
    token$.events.subscribe(({ type }) => events.push(type));
    token$.close();
    token$.signOut();
    expect(events).toEqual(['closed']);
  });
});

it('36, 38: a token that has expired on arrival is told of before a listener can end its session', () => {
  const token$ = openStream(() => of({ access_token: 'T1', expires_in: 0 }));
  const told: string[] = [];
  token$.events.subscribe(({ type }) => {
    told.push(type);
    if (type === 'refreshFailed') token$.signOut();
  });
  token$.subscribe();
  expect(told.slice(0, 4)).toEqual(['refreshStarted', 'tokenChanged', 'refreshFailed', 'signedOut']);
  token$.close();
});
