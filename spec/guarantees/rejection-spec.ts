import { Readable } from 'node:stream';
/* eslint rxjs-x/throw-error: off -- clients throw what they like */
import { defer, EMPTY, map, of, switchMap, take, throwError, timer, type Observable } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createFetch, createHttpClient, withToken, type AccessToken, type TokenStream } from 'rx-fresh-token';
import { answer, openStream, rejection, serving, setUp } from './rig.js';

/** Some server accepts the token at hand: without that, the next rejections would not force another. */
const accept = (token$: TokenStream): void => void withToken(token$, () => of('ok')).subscribe();

const after = (took: number, status: number, challenge?: string): Observable<Response> =>
  timer(took).pipe(map(() => answer(status, challenge)));
const failing = (took: number, status: number): Observable<never> =>
  timer(took).pipe(switchMap(() => throwError(() => rejection(status))));

describe('15: a rejected token is compared first', () => {
  it(
    'is refreshed once, if it is still current; whoever else is rejected meanwhile joins',
    marbles((m) => {
      const { call, end, asked, sent, log, outcomes } = serving(m);
      call(1000, 'a', (token) => after(100, token === 'T1' ? 401 : 200));
      call(1000, 'b', (token) => after(150, token === 'T1' ? 403 : 200));
      call(1050, 'c', (token) => failing(200, token === 'T1' ? 401 : 500));
      end(2000);
      expect(asked).toEqual(['0 initial', '1100 rejected']);
      expect(sent).toEqual(['1000 a T1', '1000 b T1', '1050 c T1', '1300 a T2', '1300 b T2', '1300 c T2']);
      expect(log).toEqual(['1400 a 200', '1450 b 200', '1500 c !500']);
      expect(outcomes()).toEqual(['1100 T1 refreshing', '1150 T1 refreshing', '1250 T1 refreshing']);
    }),
  );

  it(
    'is passed on at once in the pause after a permanent failure: nobody ends that pause',
    marbles((m) => {
      const { token$, at, call, end, asked, log } = serving(m, (n) =>
        n === 2 ? { took: 0, fail: { status: 400 } } : {},
      );
      at(1000, () => token$.refresh().subscribe({ error: () => undefined }));
      call(1100, 'a', () => of(answer(401)));
      end(40_000);
      expect(asked.slice(0, 2)).toEqual(['0 initial', '1000 manual']);
      expect(log).toEqual(['1100 a 401']);
    }),
  );

  it(
    'costs nothing, if it was replaced: the request is repeated with the current token',
    marbles((m) => {
      const { call, end, asked, log, outcomes } = serving(m);
      call(24_000, 'late', (token) => after(token === 'T1' ? 3000 : 0, token === 'T1' ? 403 : 200));
      end(28_000);
      expect(asked).toEqual(['0 initial', '25000 scheduled']);
      expect(log).toEqual(['27000 late 200']);
      expect(outcomes()).toEqual(['27000 T1 alreadyReplaced']);
    }),
  );

  it(
    'serves 500 rejections at once, and late ones, by one refresh',
    marbles((m) => {
      const { call, end, asked, log, sent } = serving(m);
      for (let i = 0; i < 500; i++) call(1000, 'a', (token) => after(i * 3, token === 'T1' ? [401, 403][i % 2]! : 200));
      end(5000);
      expect(asked).toEqual(['0 initial', '1000 rejected']);
      expect(log.filter((entry) => entry.endsWith('a 200'))).toHaveLength(500);
      expect(sent).toHaveLength(1000);
    }),
  );

  it(
    'serves every call of one resource that was in flight with the old token, though the first has cost a refresh',
    marbles((m) => {
      const { call, end, asked, log, outcomes } = serving(m, () => ({ took: 0, life: 3600 }));
      const key = 'GET /a';
      const serve = (token: string) => after(token === 'T1' ? 20_000 : 5000, token === 'T1' ? 401 : 200);
      call(1000, 'a', serve, { key });
      call(2000, 'b', serve, { key });
      call(3000, 'c', serve, { key });
      end(40_000);
      expect(asked).toEqual(['0 initial', '21000 rejected']);
      expect(log).toEqual(['26000 a 200', '27000 b 200', '28000 c 200']);
      expect(outcomes().map((outcome) => outcome.split(' ')[2])).toEqual([
        'refreshing',
        'alreadyReplaced',
        'alreadyReplaced',
      ]);
    }),
  );

  it(
    'compares in reject(), too',
    marbles((m) => {
      const { token$, at, end, asked, outcomes } = serving(m);
      let old: AccessToken;
      at(1000, () => {
        token$.reject((old = token$.current!));
      });
      at(1100, () => {
        token$.reject(old);
      });
      at(1300, () => {
        token$.reject(old);
      });
      end(2000);
      expect(asked).toEqual(['0 initial', '1000 rejected']);
      expect(outcomes()).toEqual(['1000 T1 refreshing', '1100 T1 refreshing', '1300 T1 alreadyReplaced']);
    }),
  );

  it(
    'joins a refresh that is under way for another reason',
    marbles((m) => {
      const { call, end, asked, log } = serving(m);
      call(25_100, 'a', (token) => of(answer(token === 'T1' ? 401 : 200)));
      end(26_000);
      expect(asked).toEqual(['0 initial', '25000 scheduled']);
      expect(log).toEqual(['25200 a 200']);
    }),
  );

  it(
    'waits for the next attempt of a refresh in its backoff; if that fails too, the rejection is passed on',
    marbles((m) => {
      const { call, end, asked, log } = serving(
        m,
        (n) => (n === 1 || n === 4 ? {} : { took: 0, fail: new Error('down') }),
        { random: () => 1, maxWait: 600 },
      );
      call(25_100, 'a', (token) => of(answer(token === 'T1' ? 403 : 200)));
      call(25_400, 'b', (token) => of(answer(token === 'T1' ? 403 : 200)));
      end(27_000);
      expect(asked).toEqual(['0 initial', '25000 scheduled', '25250 scheduled #2', '25750 scheduled #3']);
      expect(log).toEqual(['25250 a 403', '25950 b 200']);
    }),
  );
});

describe('15: in the pause after a failed renewal', () => {
  cases(
    'a rejection waits for an attempt that is near, and is passed on at once where it is far',
    (m, { retryAfter, logged }) => {
      const fail = Object.assign(new Error('down'), { retryAfter });
      const { call, end, log } = serving(m, (n) => (n === 1 ? {} : n === 2 ? { took: 0, fail } : {}), {
        random: () => 0,
      });
      call(25_100, 'a', (token) => after(10, token === 'T1' ? 401 : 200));
      call(25_200, 'b', (token) => after(10, token === 'T1' ? 403 : 200));
      end(26_500);
      expect(log).toEqual(logged);
    },
    [
      { name: 'near', retryAfter: 1000, logged: ['26210 a 200', '26210 b 200'] },
      { name: 'far', retryAfter: 3000, logged: ['25110 a 401', '25210 b 403'] },
    ],
  );
});

describe('16: a request is repeated once', () => {
  cases(
    'and the second rejection is the caller’s',
    (m, { serve, outcome }) => {
      const { call, end, asked, sent, log } = serving(m);
      call(1000, 'a', serve);
      end(3000);
      expect(sent).toEqual(['1000 a T1', '1300 a T2']);
      expect(log).toEqual([`1400 a ${outcome}`]);
      expect(asked).toEqual(['0 initial', '1100 rejected']);
    },
    [
      { name: 'a Response', serve: () => after(100, 403), outcome: '403' },
      { name: 'another Response', serve: (token: string) => after(100, token === 'T1' ? 401 : 403), outcome: '403' },
      { name: 'an error', serve: () => failing(100, 401), outcome: '!401' },
      { name: 'an answer', serve: (token: string) => after(100, token === 'T1' ? 401 : 204), outcome: '204' },
      { name: 'another failure', serve: (token: string) => failing(100, token === 'T1' ? 401 : 500), outcome: '!500' },
    ],
  );

  it('passes on the very Response and the very error', async () => {
    const token$ = openStream(({ attempt }) => of({ access_token: `T${attempt}${Math.random()}`, expires_in: 30 }));
    const responses = [answer(401), answer(403), answer(401), answer(403)];
    const errors = [rejection(401), rejection(403)];
    const given: unknown[] = [];
    const options = { baseUrl: 'https://api.example.com', fetch: () => Promise.resolve(responses[given.push(0) - 1]!) };
    expect(await createFetch(token$, options)('/a')).toBe(responses[1]);
    accept(token$);
    expect(await new Promise((resolve) => createHttpClient(token$, options).request('/b').subscribe(resolve))).toBe(
      responses[3],
    );
    accept(token$);
    const thrown = await new Promise((resolve) =>
      withToken(token$, () => throwError(() => errors.shift()), {}).subscribe({ error: resolve }),
    );
    expect(thrown).toMatchObject({ status: 403 });
    expect(errors).toEqual([]);
    expect(given).toHaveLength(4);
    token$.close();
  });

  cases(
    'never with the token that was rejected, when the new one is over as it comes',
    (m, { life }) => {
      const { call, end, sent } = serving(m, (n) => (n === 1 ? { took: 0 } : { took: 50, life }));
      call(1000, 'a', (token) => of(answer(token === 'T1' ? 403 : 200)));
      end(1500);
      expect(sent[0]).toBe('1000 a T1');
      expect(sent.filter((entry) => entry.endsWith('T1'))).toHaveLength(1);
    },
    [
      { name: 'no life', life: 0 },
      { name: 'a life shorter than the fetch', life: 0.04 },
    ],
  );

  it(
    'leaves alone what is no rejection',
    marbles((m) => {
      const { call, end, asked, sent, log } = serving(m);
      const row = { status: 403 };
      call(1000, 'data', () => of(row));
      call(1000, 'scope', () => of(answer(403, 'Bearer realm="x", error="insufficient_scope"')));
      call(1000, 'thrown scope', () => throwError(() => rejection(403, 'Bearer error=insufficient_scope')));
      call(1000, 'other', () => throwError(() => rejection(404)));
      call(1000, 'text', () => throwError(() => ({ status: '401' })));
      end(2000);
      expect(asked).toEqual(['0 initial']);
      expect(sent).toHaveLength(5);
      expect(log.map((entry) => entry.slice(5))).toEqual([
        'data 403',
        'scope 403',
        'thrown scope !403',
        'other !404',
        'text !401',
      ]);
    }),
  );

  cases(
    'knows a rejection by',
    (m, { outcome, isRejection }) => {
      const { call, end, sent } = serving(m);
      call(1000, 'a', () => outcome, { isRejection });
      end(2000);
      expect(sent).toHaveLength(2);
    },
    [
      { name: 'a thrown status', outcome: throwError(() => ({ status: 401 })), isRejection: undefined },
      {
        name: 'a thrown response.status',
        outcome: throwError(() => ({ response: { status: 403 } })),
        isRejection: undefined,
      },
      { name: 'an emitted Response', outcome: of(answer(403)), isRejection: undefined },
      { name: 'what looks like one', outcome: of({ status: 401, headers: {} }), isRejection: undefined },
      {
        name: 'the option isRejection, emitted',
        outcome: of('expired'),
        isRejection: (value: unknown) => value === 'expired',
      },
      { name: 'the option isRejection, null', outcome: of(null), isRejection: (value: unknown) => value === null },
      {
        name: 'the option isRejection, thrown',
        outcome: throwError(() => 'expired'),
        isRejection: (value: unknown) => value === 'expired',
      },
    ],
  );

  it(
    'ends with what a callback throws',
    marbles((m) => {
      const { call, end, asked, log } = serving(m);
      call(1000, 'send', () => {
        throw new Error('send');
      });
      call(1000, 'nothing', () => undefined as never);
      call(1000, 'emitted', () => of(1), {
        isRejection: () => {
          throw new Error('isRejection');
        },
      });
      call(1000, 'thrown', () => throwError(() => 1), {
        isRejection: () => {
          throw new Error('isRejection');
        },
      });
      call(1000, 'rejected', () => {
        throw rejection(401);
      });
      end(2000);
      expect(log).toEqual([
        '1000 send !Error send',
        '1000 nothing !TypeError',
        '1000 emitted !Error isRejection',
        '1000 thrown !Error isRejection',
        '1200 rejected !401',
      ]);
      expect(asked).toEqual(['0 initial', '1000 rejected']);
    }),
  );
});

describe('17: a fruitless refresh is not repeated', () => {
  const forbidden = () => of(answer(403));
  const key = 'GET /forbidden';

  it(
    'passes on further rejections of the resource until a scheduled refresh brings a token',
    marbles((m) => {
      const { call, end, asked, sent, log, outcomes } = serving(m);
      for (let ms = 1000; ms < 25_000; ms += 1000) call(ms, 'a', forbidden, { key });
      call(26_500, 'b', forbidden, { key });
      call(27_500, 'c', forbidden, { key });
      end(28_000);
      expect(asked).toEqual(['0 initial', '1000 rejected', '26000 scheduled', '26500 rejected']);
      expect(log.slice(0, 2)).toEqual(['1200 a 403', '2000 a 403']);
      expect(sent).toHaveLength(24 + 1 + 3);
      expect(outcomes().map((outcome) => outcome.split(' ')[2])).toEqual([
        'refreshing',
        ...Array<string>(23).fill('suppressed'),
        'refreshing',
        'suppressed',
      ]);
      expect(log.slice(-2)).toEqual(['26700 b 403', '27500 c 403']);
    }),
  );

  cases(
    'forgets by',
    (m, { change, then, outcome }) => {
      const { token$, call, at, end, outcomes } = serving(m);
      call(1000, 'a', forbidden, { key });
      at(5000, () => {
        change(token$).subscribe();
      });
      call(then, 'b', forbidden, { key });
      end(then + 1000);
      expect(outcomes().at(-1)).toBe(`${then} ${outcome}`);
    },
    [
      { name: 'a scheduled refresh', change: () => EMPTY, then: 26_500, outcome: 'T3 refreshing' },
      {
        name: 'not refresh()',
        change: (token$: TokenStream) => token$.refresh(),
        then: 6000,
        outcome: 'T3 suppressed',
      },
      {
        name: 'not a rejection',
        change: (token$: TokenStream) => defer(() => (token$.reject(token$.current!), EMPTY)),
        then: 6000,
        outcome: 'T3 suppressed',
      },
    ],
  );

  it(
    'forgets by an expired refresh',
    marbles((m) => {
      const { token$, asked, at, tell, events } = setUp(m, undefined, { idleTimeout: 0 });
      const call = () => withToken(token$, forbidden, { key });
      at(0, () => {
        tell('a', call());
      });
      at(1000, () => {
        tell('b', call());
      });
      at(40_000, () => {
        tell('c', call());
      });
      m.flush();
      expect(asked).toEqual(['0 initial', '200 rejected', '40000 expired', '40200 rejected']);
      expect(events.filter((event) => event.includes('tokenRejected'))).toEqual([
        '200 tokenRejected T1 refreshing',
        '1000 tokenRejected T2 suppressed',
        '40200 tokenRejected T3 refreshing',
      ]);
    }),
  );

  it(
    'heals every other resource meanwhile',
    marbles((m) => {
      const { call, end, asked, log } = serving(m);
      call(1000, 'a', forbidden, { key });
      call(2200, 'b', (token) => of(answer(token === 'T2' ? 401 : 200)), { key: 'GET /other' });
      call(3000, 'c', forbidden, { key });
      call(4400, 'd', (token) => of(answer(token === 'T3' ? 401 : 200)), { key: 'POST /forbidden' });
      end(5000);
      expect(asked.map((entry) => entry.split(' ')[0])).toEqual(['0', '1000', '2200', '4400']);
      expect(log).toEqual(['1200 a 403', '2400 b 200', '3000 c 403', '4600 d 200']);
    }),
  );

  it(
    'does not remember a resource whose repeat succeeded',
    marbles((m) => {
      const { call, end, asked, log } = serving(m);
      call(1000, 'a', (token) => of(answer(token === 'T1' ? 401 : 200)), { key });
      call(2000, 'b', (token) => of(answer(token === 'T2' ? 401 : 200)), { key });
      end(3000);
      expect(asked).toEqual(['0 initial', '1000 rejected', '2000 rejected']);
      expect(log).toEqual(['1200 a 200', '2200 b 200']);
    }),
  );

  it(
    'has no memory without a key',
    marbles((m) => {
      const { call, end, asked, ask } = serving(m);
      for (const ms of [1000, 2000, 3000]) {
        ask(ms - 1, 'accepted');
        call(ms, 'a', forbidden);
      }
      end(4000);
      expect(asked).toHaveLength(4);
    }),
  );

  /**
   * Three calls of the same resource that start together; how long each of the two answers of each takes, in every
   * order.
   */
  const orders = [100, 300, 500].flatMap((a) =>
    [100, 300, 500].flatMap((b) =>
      [
        [100, 300, 500],
        [500, 300, 100],
        [300, 500, 100],
        [100, 500, 300],
        [500, 100, 300],
        [300, 100, 500],
      ].map((c) => [[a, b, 300], c] as const),
    ),
  );

  it.each(orders)('counts calls that overlap or overtake each other as one: first %j, second %j', (first, second) => {
    marbles((m) => {
      const { call, end, asked, sent, log } = serving(m);
      first.forEach((took, i) => {
        call(1000 + i, `${i}`, (token) => after(token === 'T1' ? took : second[i]!, 403), { key });
      });
      for (const ms of [3000, 4000]) call(ms, 'later', forbidden, { key });
      end(5000);
      expect(asked).toHaveLength(2);
      expect(log.map((entry) => entry.slice(-3))).toEqual(Array(5).fill('403'));
      expect(sent.length).toBeLessThanOrEqual(8);
      expect(sent.filter((entry) => entry.endsWith('later T2'))).toHaveLength(2);
    })();
  });

  it(
    'passes on at once what is rejected while the first repeat is under way',
    marbles((m) => {
      const { call, end, asked, log } = serving(m);
      call(1000, 'a', (token) => after(token === 'T1' ? 0 : 2000, 403), { key });
      call(1500, 'b', forbidden, { key }); // with T2, which a tries still
      end(5000);
      expect(asked).toEqual(['0 initial', '1000 rejected']);
      expect(log).toEqual(['1500 b 403', '3200 a 403']);
    }),
  );

  cases(
    'is fruitless at once when the refresh returns the rejected value',
    (m, { status }) => {
      const { call, end, asked, sent, log } = serving(m, () => ({ value: 'same' }));
      call(1000, 'a', () => of(answer(status)), { key });
      call(1300, 'b', () => of(answer(status)), { key });
      end(1350);
      expect(sent).toHaveLength(2);
      expect(log[0]).toBe(`1200 a ${status}`);
      expect(asked).toEqual(['0 initial', '1000 rejected']);
    },
    [{ name: 'after a bare 403', status: 403 }],
  );

  it(
    'remembers 256 resources, the oldest is forgotten first',
    marbles((m) => {
      const reply = () => ({ took: 0, life: 3600 });
      const { call, end, asked, ask } = serving(m, reply, { rejectionBudget: { max: Infinity } });
      for (let i = 0; i < 257; i++) {
        call(1000 + i * 50, 'a', forbidden, { key: `GET /${i}` });
        ask(1001 + i * 50, 'accepted');
      }
      const before = 15_000;
      call(before, 'b', forbidden, { key: 'GET /1' });
      call(before + 1, 'c', forbidden, { key: 'GET /256' });
      call(before + 2, 'd', forbidden, { key: 'GET /0' });
      end(before + 1000);
      const last = asked.filter((entry) => Number(entry.split(' ')[0]) >= before);
      expect(last).toEqual([`${before + 2} rejected`]);
    }),
  );

  it('names a resource by method and path, not by its query', async () => {
    let fetched = 0;
    const token$ = openStream(() => of({ access_token: `T${++fetched}`, expires_in: 30 }));
    const fetch = createFetch(token$, {
      baseUrl: 'https://api.example.com',
      fetch: () => Promise.resolve(answer(403)),
    });
    const costs = async (path: string, method = 'GET') => {
      const before = fetched;
      await fetch(path, { method });
      accept(token$);
      return fetched - before;
    };
    expect([
      await costs('/a?x=1'),
      await costs('/a?x=2'),
      await costs('/a'),
      await costs('/a', 'get'),
      await costs('/a', 'POST'),
      await costs('/b'),
      await costs('/b#c'),
    ]).toEqual([2, 0, 0, 0, 1, 1, 0]);
    token$.close();
  });
});

describe('18: the rejection budget', () => {
  const revoked = () => of(answer(401));

  it(
    'is 10 in any 60 s; past it rejections are passed on, and the event says so',
    marbles((m) => {
      const { call, end, ask, asked, outcomes, log } = serving(m, () => ({ took: 0, life: 3600 }));
      for (let ms = 1000; ms <= 70_000; ms += 1000) {
        ask(ms - 1, 'accepted');
        call(ms, 'a', revoked);
      }
      end(75_000);
      const forced = asked.slice(1).map((entry) => Number(entry.split(' ')[0]));
      // At 61 s the refresh of 1 s has left the window: any 60 s hold at most ten.
      expect(forced).toEqual(
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70].map((s) => s * 1000),
      );
      expect(outcomes().filter((outcome) => outcome.endsWith('suppressed'))).toHaveLength(50);
      expect(log.filter((entry) => entry.endsWith('a 401'))).toHaveLength(70);
    }),
  );

  it(
    'is what the option says, to the millisecond, for reject() too',
    marbles((m) => {
      const { token$, at, ask, end, asked, outcomes } = serving(m, () => ({ took: 0, life: 3600 }), {
        rejectionBudget: { max: 2, per: 1000 },
      });
      for (const ms of [1000, 1500, 1501, 1999, 2000, 2001, 2499, 2500]) {
        ask(ms - 0.5, 'accepted');
        at(ms, () => {
          token$.reject(token$.current!);
        });
      }
      end(3000);
      expect(asked.slice(1)).toEqual(['1000 rejected', '1500 rejected', '2000 rejected', '2500 rejected']);
      expect(outcomes().map((outcome) => outcome.replace(/T\d+ /, ''))).toEqual([
        '1000 refreshing',
        '1500 refreshing',
        '1501 suppressed',
        '1999 suppressed',
        '2000 refreshing',
        '2001 suppressed',
        '2499 suppressed',
        '2500 refreshing',
      ]);
      expect(token$.current).toBeNull();
    }),
  );

  it(
    'counts a refresh from its first attempt, however many it takes',
    marbles((m) => {
      const { token$, at, end, asked } = serving(
        m,
        (n) => ({ took: 0, life: 3600, ...(n === 2 && { fail: { status: 503 } }) }),
        { rejectionBudget: { max: 1, per: 1500 }, backoff: { initial: 500 }, random: () => 1 },
      );
      for (const ms of [1000, 2500])
        at(ms, () => {
          token$.reject(token$.current!);
        });
      end(3000);
      expect(asked).toEqual(['0 initial', '1000 rejected', '1500 rejected #2', '2500 rejected']);
    }),
  );

  it(
    'may be nothing at all',
    marbles((m) => {
      const { call, end, asked, log } = serving(m, undefined, { rejectionBudget: { max: 0 } });
      call(1000, 'a', revoked);
      end(2000);
      expect([asked, log]).toEqual([['0 initial'], ['1000 a 401']]);
    }),
  );

  it(
    'is neither filled nor locked by a clock that is set back',
    marbles((m) => {
      let offset = 1e9;
      const { token$, at, end, asked } = serving(m, () => ({ took: 0, life: 3600 }), {
        rejectionBudget: { max: 1, per: 1000 },
        now: () => offset + m.scheduler.now(),
      });
      const reject = () => {
        if (token$.current) token$.reject(token$.current);
      };
      at(1000, reject);
      at(1100, () => (offset = 0));
      at(1200, reject);
      at(1999, reject);
      at(2000, reject);
      end(3000);
      expect(asked).toEqual(['0 initial', '1000 rejected', '2000 rejected']);
    }),
  );

  it(
    'bounds subscribers that reject every token they see, too: nobody has accepted any',
    marbles((m) => {
      const { token$, at, asked, log, tell } = setUp(m, () => ({ took: 0 }), { idleTimeout: 0 });
      const rejecting = token$.subscribe((token) => {
        token$.reject(token);
      });
      tell('b', token$.pipe(take(1)));
      at(1000, () => rejecting.unsubscribe());
      m.flush();
      expect(asked).toEqual(['0 initial', '0 rejected']);
      expect(log).toEqual(['0 b T2']);
    }),
  );

  cases(
    'gives the caller the rejection it had when the first attempt of the forced refresh fails',
    (m, { fail, ...options }) => {
      const { call, end, sent, log } = serving(m, (n) => (n === 1 ? {} : { fail }), options);
      call(1000, 'a', () => of(answer(403)));
      call(1000, 'b', () => throwError(() => rejection(401)));
      end(40_000);
      expect(log.slice(0, 2)).toEqual(['1200 a 403', '1200 b !401']);
      expect(sent.slice(0, 2)).toEqual(['1000 a T1', '1000 b T1']);
      expect(sent).toHaveLength(2);
    },
    [
      { name: 'permanent', fail: { status: 400 } },
      { name: 'for a while', fail: new Error('down') },
      { name: 'for a while, without a pause', fail: new Error('down'), backoff: { initial: 0 } },
    ],
  );
});

describe('19: requests while a rejected token is replaced', () => {
  cases(
    'wait for the new one after an explicit rejection',
    (m, { reject }) => {
      const { call, ask, end, at, token$, log } = serving(m);
      call(1000, 'a', (token) => (token === 'T1' ? reject : of(answer(200))));
      at(1001, () => expect(token$.current).toBeNull());
      ask(1001, 'b');
      ask(1100, 'c');
      end(2000);
      expect(log).toEqual(['1200 a 200', '1200 b T2', '1200 c T2']);
    },
    [
      { name: '401', reject: of(answer(401)) },
      { name: '401 thrown', reject: throwError(() => rejection(401)) },
      { name: '403 error="invalid_token"', reject: of(answer(403, 'Bearer realm="x", error="invalid_token"')) },
      {
        name: '403 error=invalid_token thrown',
        reject: throwError(() => rejection(403, 'Bearer error=invalid_token')),
      },
    ],
  );

  it(
    'wait after reject(), too',
    marbles((m) => {
      const { ask, end, at, token$, log } = serving(m);
      at(1000, () => {
        token$.reject(token$.current!);
      });
      ask(1001, 'b');
      end(2000);
      expect(log).toEqual(['1200 b T2']);
    }),
  );

  cases(
    'go on after a bare 403',
    (m, { reject }) => {
      const { call, ask, end, log } = serving(m);
      call(1000, 'a', (token) => (token === 'T1' ? reject : of(answer(200))));
      ask(1001, 'b');
      ask(1200, 'c');
      ask(1201, 'd');
      end(2000);
      expect(log).toEqual(['1001 b T1', '1200 c T1', '1200 a 200', '1201 d T2']);
    },
    [
      { name: 'without a challenge', reject: of(answer(403)) },
      { name: 'with another challenge', reject: of(answer(403, 'Basic realm="invalid_token"')) },
      { name: 'thrown', reject: throwError(() => rejection(403)) },
    ],
  );

  it(
    'wait from the moment on at which an explicit rejection joins a bare one',
    marbles((m) => {
      const { call, ask, end, log, asked } = serving(m);
      call(1000, 'bare', (token) => of(answer(token === 'T1' ? 403 : 200)));
      ask(1050, 'b');
      call(1100, 'explicit', (token) => of(answer(token === 'T1' ? 401 : 200)));
      ask(1150, 'c');
      end(2000);
      expect(asked).toEqual(['0 initial', '1000 rejected']);
      expect(log).toEqual(['1050 b T1', '1200 bare 200', '1200 explicit 200', '1200 c T2']);
    }),
  );

  cases(
    'wait for the first attempt to replace an explicitly rejected token; if that fails, they go on with it',
    (m, { fail }) => {
      const { ask, end, at, token$, log } = serving(m, (n) => (n === 1 ? {} : { fail }), { random: () => 1 });
      at(1000, () => {
        token$.reject(token$.current!);
      });
      for (const ms of [1001, 1199, 1201, 1500, 5000]) ask(ms, 'b');
      at(1199, () => expect(token$.current).toBeNull());
      end(6000);
      expect(log).toEqual(['1200 b T1', '1200 b T1', '1201 b T1', '1500 b T1', '5000 b T1']);
    },
    [
      { name: 'for a while', fail: new Error('down') },
      { name: 'permanent', fail: { status: 400 } },
    ],
  );

  cases(
    'go on with it in the pause after a failed attempt',
    (m, { reject }) => {
      const busy = { status: 503, headers: { 'retry-after': '1' } };
      const rig = serving(m, (n) => (n === 2 ? { took: 0, fail: busy } : {}));
      rig.at(25_300, () => {
        reject(rig);
      });
      rig.ask(25_400, 'b');
      rig.end(27_000);
      expect(rig.asked).toEqual(['0 initial', '25000 scheduled', '26000 scheduled #2']);
      expect(rig.log).toEqual(['25400 b T1']);
    },
    [
      {
        name: 'a 401',
        reject: ({ token$ }) => {
          withToken(token$, ({ value }) => of(answer(value === 'T1' ? 401 : 200))).subscribe();
        },
      },
      {
        name: 'reject()',
        reject: ({ token$ }) => {
          token$.reject(token$.current!);
        },
      },
    ] as { name: string; reject: (rig: { token$: TokenStream }) => void }[],
  );

  it(
    'go on with it when the source returns it again; the caller gets the rejection it had',
    marbles((m) => {
      const { call, ask, end, log, asked, events } = serving(m, () => ({ value: 'same' }));
      call(1000, 'a', () => of(answer(401)));
      ask(1001, 'b');
      ask(1300, 'c');
      end(3000);
      expect(log).toEqual(['1200 a 401', '1200 b same', '1300 c same']);
      expect(asked).toEqual(['0 initial', '1000 rejected']);
      expect(events.filter((event) => event.includes('refreshFailed'))).toEqual([]);
    }),
  );
});

describe('20: bodies', () => {
  const rig = (status: (n: number) => number) => {
    const bodies: string[] = [];
    let fetched = 0;
    const token$ = openStream(() => of({ access_token: `T${++fetched}`, expires_in: 30 }));
    const options = {
      baseUrl: 'https://api.example.com',
      fetch: (async (input, init) => {
        const request = new Request(input, { duplex: 'half', ...init } as RequestInit);
        const text = await request.text();
        return answer(
          status(bodies.push(`${request.headers.get('authorization')} ${text.replace(/-{4,}[\w-]+/g, '-')}`)),
        );
      }) as typeof fetch,
    };
    return { bodies, token$, options, fetched: () => fetched };
  };

  const bytes = new TextEncoder().encode('hi');
  const form = new FormData();
  form.set('a', 'hi');
  const expected: Record<string, string> = {
    URLSearchParams: 'a=hi',
    FormData: '-\r\nContent-Disposition: form-data; name="a"\r\n\r\nhi\r\n-',
  };

  it.each(
    Object.entries({
      string: 'hi',
      Uint8Array: bytes,
      ArrayBuffer: bytes.buffer,
      DataView: new DataView(bytes.buffer),
      Blob: new Blob(['hi']),
      FormData: form,
      URLSearchParams: new URLSearchParams({ a: 'hi' }),
    }),
  )('repeats a %s', async (name, body) => {
    const { bodies, token$, options } = rig((n) => (n === 1 ? 401 : 200));
    const response = await createFetch(token$, options)('/a', { method: 'POST', body: body as BodyInit });
    expect(response.status).toBe(200);
    expect(bodies.map((sent) => sent.trim())).toEqual([
      `Bearer T1 ${expected[name] ?? 'hi'}`,
      `Bearer T2 ${expected[name] ?? 'hi'}`,
    ]);
    token$.close();
  });

  it.each(['hi', new Blob(['hi']).stream()])(
    'repeats a Request, which is cloned before the first send (%#)',
    async (body) => {
      const { bodies, token$, options } = rig((n) => (n === 1 ? 401 : 200));
      const request = new Request('https://api.example.com/a', { method: 'POST', body, duplex: 'half' } as RequestInit);
      expect((await createFetch(token$, options)(request)).status).toBe(200);
      expect(bodies).toEqual(['Bearer T1 hi', 'Bearer T2 hi']);
      expect(request.bodyUsed).toBe(false);
      token$.close();
    },
  );

  async function* chunks() {
    yield await Promise.resolve(bytes);
  }

  it.each(
    Object.entries({
      ReadableStream: () => new Blob(['hi']).stream(),
      'async iterable': chunks,
      'Node stream': () => Readable.from([bytes]),
    }),
  )('never sends a %s twice: the rejection is passed on, and the refresh still happens', async (_name, body) => {
    for (const status of [401, 403]) {
      const { bodies, token$, options, fetched } = rig((n) => (n === 1 ? status : 200));
      const fetch = createFetch(token$, options);
      const response = await fetch('/a', { method: 'POST', body: body() as BodyInit, duplex: 'half' } as RequestInit);
      expect(response.status).toBe(status);
      expect(bodies).toEqual(['Bearer T1 hi']);
      expect(fetched()).toBe(2);
      await fetch('/b');
      expect(bodies).toEqual(['Bearer T1 hi', 'Bearer T2 ']);
      token$.close();
    }
  });
});
