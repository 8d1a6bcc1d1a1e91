/* eslint rxjs-x/throw-error: off -- sources and stores throw what they like */
import { inspect } from 'node:util';
import {
  defer,
  filter,
  finalize,
  map,
  NEVER,
  of,
  Subject,
  switchMap,
  take,
  throwError,
  timer,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { HEAD_START, originalOf } from '../../src/internal/hiddenMembers.js';
import {
  createTokenStream,
  withToken,
  type StoredToken,
  type TokenEvent,
  type TokenRequest,
  type TokenResponse,
  type TokenStore,
  type TokenStream,
  type TokenStreamOptions,
} from 'rx-fresh-token';

type Answer = (
  request: TokenRequest,
  fetch: (last?: TokenResponse | null) => Observable<TokenResponse>,
  n: number,
) => ObservableInput<StoredToken>;
type Incident<T> = Extract<TokenEvent, { type: T }>;

const response = (access_token: string, expires_in = 30): TokenResponse => ({ access_token, expires_in });
const shared = (access_token: string, age = 0): StoredToken => ({
  response: response(access_token),
  age,
  origin: 'shared',
});
const fetched: Answer = (_request, fetch) =>
  fetch().pipe(map((answer) => ({ response: answer, age: 0, origin: 'fetched' as const })));

/** A stream over a store in memory. Its source answers S1, S2, … after 200 ms. */
function setUp(scheduler: TokenStreamOptions['scheduler'] & object, answer: Answer, options: TokenStreamOptions = {}) {
  const asked: TokenRequest[] = [];
  const changes = new Subject<StoredToken>();
  const watchers = { count: 0 };
  const store: TokenStore = {
    refresh: (request, fetch) => answer(request, fetch, asked.push(request)),
    changes: defer(() => {
      watchers.count++;
      return changes.pipe(finalize(() => watchers.count--));
    }),
  };
  let sourced = 0;
  const source = jest.fn(() => timer(200, scheduler).pipe(map(() => response(`S${String(++sourced)}`))));
  // Idle as soon as nobody subscribes, or virtual time would go on until then.
  const token$ = createTokenStream(source, { scheduler, jitter: 0, store, idleTimeout: 0, ...options });
  const events: TokenEvent[] = [];
  token$.events.subscribe((event) => events.push(event));
  return {
    token$,
    asked,
    changes,
    watchers,
    source,
    at: (ms: number, action: () => unknown) => {
      scheduler.schedule(() => void action(), ms - scheduler.now());
    },
    ofType: <T extends TokenEvent['type']>(type: T) =>
      events.filter((event): event is Incident<T> => event.type === type),
    values$: token$.pipe(map(({ value }) => value)),
  };
}

/** Answers with an error to these tokens, 5 ms later, and to all others with their value. */
const requestFailing =
  (status: number) =>
  (...bad: string[]) =>
  ({ value }: { value: string }): Observable<string> =>
    timer(5).pipe(
      switchMap(() =>
        bad.includes(value) ? throwError(() => Object.assign(new Error('rejected'), { status })) : of(value),
      ),
    );
const requestRejecting = requestFailing(401);
const requestForbidding = requestFailing(403);

describe('the store', () => {
  it(
    "should leave the source its whole fetchTimeout, however long it had to wait for another's",
    marbles((m) => {
      const { values$, asked } = setUp(m.scheduler, (request, fetch, n) =>
        timer(9990, m.scheduler).pipe(switchMap(() => fetched(request, fetch, n))),
      );
      m.expect(values$.pipe(take(1))).toBeObservable('10190ms (a|)', { a: 'S1' });
      m.flush();
      expect(asked).toHaveLength(1);
    }),
  );

  it(
    'should hand on a token that is used once, however long it had to wait',
    marbles((m) => {
      const answer: Answer = (_request, fetch) =>
        timer(15_000, m.scheduler).pipe(
          switchMap(() => fetch()),
          map(({ access_token }) => ({
            response: { access_token, expires_in: 0 },
            age: 200,
            origin: 'fetched' as const,
          })),
        );
      const { values$ } = setUp(m.scheduler, answer);
      m.expect(values$.pipe(take(1))).toBeObservable('15200ms (a|)', { a: 'S1' });
      m.flush();
    }),
  );

  it(
    'should have its own fetch given up after fetchTimeout, like any, when it begins that at once or later',
    marbles((m) => {
      const answer: Answer = (_request, fetch, n) =>
        timer(n === 1 ? 0 : 70, m.scheduler).pipe(
          switchMap(() => fetch()),
          switchMap(() => NEVER),
        );
      const late = setUp(m.scheduler, answer, { fetchTimeout: 100, random: () => 0, maxWait: 400 });
      const prompt = setUp(m.scheduler, (_request, fetch) => fetch().pipe(switchMap(() => NEVER)), {
        fetchTimeout: 100,
        maxWait: 120,
      });
      for (const { token$ } of [late, prompt])
        withToken(token$, ({ value }) => of(value)).subscribe({ error: () => undefined });
      m.flush();
      expect(
        late
          .ofType('refreshFailed')
          .slice(0, 2)
          .map(({ at }) => at),
      ).toEqual([100, 320]);
      expect(prompt.ofType('refreshFailed')[0]).toMatchObject({
        at: 100,
        error: { message: 'no answer from the token source within 100 ms' },
      });
    }),
  );

  it(
    'should be asked again when nothing came of it within twice the fetchTimeout, and say why if it knows',
    marbles((m) => {
      const answer: Answer = (request, _fetch, n) => {
        if (n > 1) return of(shared('T'));
        (request as TokenRequest & { report: (error: unknown) => void }).report(new Error('the store is away'));
        return NEVER;
      };
      const { token$, values$, ofType } = setUp(m.scheduler, answer, { random: () => 0 });
      const waited: unknown[] = [];
      withToken(token$, ({ value }) => of(value), { maxWait: 15_000 }).subscribe({
        error: (error: unknown) => waited.push(error),
      });
      m.expect(values$.pipe(take(1))).toBeObservable('20050ms (a|)', { a: 'T' });
      m.flush();
      expect(waited).toMatchObject([{ code: 'ERR_TOKEN_UNAVAILABLE', cause: { message: 'the store is away' } }]);
      expect(
        ofType('refreshFailed').map(({ at, error }) => [at, (error as Error).message, (error as Error).cause]),
      ).toEqual([
        [0, 'the store is away', undefined],
        [20_000, 'no answer from the token store within 20000 ms', new Error('the store is away')],
      ]);
    }),
  );

  it(
    'should be asked before the source, and its token count from the age that it has',
    marbles((m) => {
      const { token$, values$, source, asked, ofType } = setUp(m.scheduler, (_request, _fetch, n) =>
        of(shared(`T${String(n)}`, 5000)),
      );
      m.expect(values$, '^ 30s !').toBeObservable('a 19999ms b', { a: 'T1', b: 'T2' });
      m.flush();
      expect(source).not.toHaveBeenCalled();
      expect(asked.map(({ reason, attempt, previous }) => [reason, attempt, previous?.value])).toEqual([
        ['initial', 1, undefined],
        ['scheduled', 1, 'T1'],
      ]);
      expect(
        ofType('tokenChanged').map(({ at, origin, token }) => [at, origin, token.issuedAt, token.expiresAt]),
      ).toEqual([
        [0, 'shared', -5000, 25_000],
        [20_000, 'shared', 15_000, 45_000],
      ]);
      token$.close();
    }),
  );

  it(
    'should decide whether the source is asked',
    marbles((m) => {
      const { token$, values$, source, ofType } = setUp(m.scheduler, fetched);
      m.expect(values$, '^ 1s !').toBeObservable('200ms a', { a: 'S1' });
      m.flush();
      expect(source).toHaveBeenCalledTimes(1);
      expect(ofType('tokenChanged').map(({ origin, took, token }) => [origin, took, token.issuedAt])).toEqual([
        ['fetched', 200, 200],
      ]);
      token$.close();
    }),
  );

  it(
    'should be watched while the stream is in use, and not for events',
    marbles((m) => {
      const { token$, watchers, at, ofType } = setUp(m.scheduler, (_request, _fetch, n) => of(shared(`T${String(n)}`)));
      const seen: number[] = [watchers.count];
      const look = () => seen.push(watchers.count);
      at(10, () => token$.subscribe().unsubscribe());
      at(11, look);
      // Nobody wants it any more when it is due.
      at(25_009, look);
      at(25_011, look);
      at(60_000, () => token$.subscribe());
      at(60_001, look);
      at(60_002, () => {
        token$.close();
        look();
      });
      m.flush();
      expect(seen).toEqual([0, 1, 1, 0, 1, 0]);
      expect(ofType('idle')).toHaveLength(1);
    }),
  );
});

describe('what the store kept of the last refresh', () => {
  it.each<[string, TokenResponse | null | undefined]>([
    ['a response', { ...response('T0'), refresh_token: 'R0' }],
    ['nothing', null],
    ['no such thing', undefined],
  ])('should reach the source, unseen by those who print its request: %s', (_kind, last) => {
    marbles((m) => {
      const { token$, values$, source } = setUp(m.scheduler, (_request, fetch) =>
        fetch(last).pipe(map((answer) => ({ response: answer, age: 0, origin: 'fetched' as const }))),
      );
      m.expect(values$, '^ 1s !').toBeObservable('200ms a', { a: 'S1' });
      m.flush();
      const [[request]] = source.mock.calls as unknown as [[TokenRequest]];
      expect(request.last).toEqual(last);
      expect(Object.keys(request).sort()).toEqual(['attempt', 'previous', 'reason', 'signal']);
      expect(request.report).toEqual(expect.any(Function));
      const { signal, ...copy } = request;
      expect(signal).toBeInstanceOf(AbortSignal);
      expect(inspect(copy, { depth: 9, showHidden: true }) + JSON.stringify(request)).not.toContain('last');
      expect(structuredClone(copy)).toEqual({ reason: 'initial', attempt: 1, previous: null });
      expect(originalOf(copy).last).toEqual(last);
      token$.close();
    })();
  });
});

describe('a token that others put into the store', () => {
  it(
    'should be the token of this stream too, and renew from its own life',
    marbles((m) => {
      const { token$, values$, changes, asked, at, ofType } = setUp(m.scheduler, (_request, _fetch, n) =>
        of(shared(`T${String(n)}`)),
      );
      at(10_000, () => {
        changes.next(shared('P', 2000));
      });
      // P ends at 38 s, and is due 5 s sooner.
      m.expect(values$, '^ 34s !').toBeObservable('a 9999ms p 22999ms b', { a: 'T1', p: 'P', b: 'T2' });
      m.flush();
      expect(asked.map(({ previous }) => previous?.value)).toEqual([undefined, 'P']);
      expect(ofType('tokenChanged')[1]).toMatchObject({
        at: 10_000,
        origin: 'shared',
        previous: { value: 'T1' },
        token: { value: 'P', issuedAt: 8000, expiresAt: 38_000 },
      });
      token$.close();
    }),
  );

  it(
    'should serve those who wait, while the refresh goes on',
    marbles((m) => {
      const { token$, values$, changes, at } = setUp(m.scheduler, () => NEVER);
      at(70, () => {
        changes.next(shared('P'));
      });
      m.expect(withToken(token$, ({ value }) => of(value))).toBeObservable('70ms (p|)', { p: 'P' });
      m.expect(values$, '^ 1s !').toBeObservable('        70ms p', { p: 'P' });
      m.flush();
      token$.close();
    }),
  );

  it(
    'should end the pause after a failure: a token that just came is neither renewed nor suspended for a rejection of the one before',
    marbles((m) => {
      const { token$, asked, changes, at } = setUp(
        m.scheduler,
        (_request, _fetch, n) =>
          n === 1 ? of(shared('T1')) : n === 2 ? throwError(() => new Error('down')) : of(shared('T3')),
        { random: () => 1 },
      );
      at(10, () => token$.subscribe());
      at(1000, () => {
        token$.reject(token$.current!);
      });
      at(1100, () => {
        changes.next(shared('P'));
      });
      at(3000, () => {
        token$.reject(token$.current!);
      });
      at(3001, () => {
        token$.close();
      });
      m.flush();
      expect(asked.map(({ reason, attempt, previous }) => [reason, attempt, previous?.value])).toEqual([
        ['initial', 1, undefined],
        ['rejected', 1, 'T1'],
        ['rejected', 1, 'P'],
      ]);
    }),
  );

  it(
    'should be read from an object of a class, too',
    marbles((m) => {
      class Stored implements StoredToken {
        readonly age = 0;
        readonly origin = 'fetched';

        get response() {
          return { access_token: 'T1', expires_in: 30 };
        }
      }
      const { token$, values$ } = setUp(m.scheduler, () => of(new Stored()));
      m.expect(values$, '^ 1s !').toBeObservable('a', { a: 'T1' });
      m.flush();
      token$.close();
    }),
  );

  it.each<[string, StoredToken]>([
    ['is older than the one at hand', shared('P', 10_001)],
    ['is over', shared('P', 30_000)],
    ['is within its margin', shared('P', 29_500)],
  ])('should be ignored when it %s', (_kind, pushed) => {
    marbles((m) => {
      const { token$, values$, changes, at, ofType } = setUp(m.scheduler, () => of(shared('T1')));
      at(10_000, () => {
        changes.next(pushed);
      });
      m.expect(values$, '^ 11s !').toBeObservable('a', { a: 'T1' });
      m.flush();
      expect(ofType('tokenChanged')).toHaveLength(1);
      expect(ofType('refreshFailed')).toEqual([]);
      token$.close();
    })();
  });

  it(
    'should be taken when it is newer, though the clock was set back since the one at hand came',
    marbles((m) => {
      let offset = 3_600_000;
      const { token$, values$, changes, at } = setUp(m.scheduler, () => of(shared('T1')), {
        now: () => offset + m.scheduler.now(),
      });
      at(10_000, () => {
        offset = 0;
        changes.next(shared('older', 10_001));
        changes.next(shared('P', 9999));
      });
      m.expect(values$, '^ 11s !').toBeObservable('a 9999ms b', { a: 'T1', b: 'P' });
      m.flush();
      token$.close();
    }),
  );

  it(
    'should lengthen the life of the token at hand when it is the same, unseen by subscribers',
    marbles((m) => {
      const { token$, values$, changes, asked, at, ofType } = setUp(m.scheduler, (_request, _fetch, n) =>
        of(shared(`T${String(n)}`)),
      );
      at(20_000, () => {
        changes.next(shared('T1'));
      });
      m.expect(values$, '^ 46s !').toBeObservable('a 44999ms b', { a: 'T1', b: 'T2' });
      m.flush();
      expect(asked).toHaveLength(2);
      expect(ofType('tokenChanged').map(({ token }) => token.value)).toEqual(['T1', 'T2']);
      expect(ofType('refreshFailed')).toEqual([]);
      token$.close();
    }),
  );

  it.each<[string, unknown, string]>([
    ['no object', { response: 'SECRET', age: 0, origin: 'shared' }, 'InvalidTokenResponseError'],
    ['without a token', { response: { token: 'SECRET' }, age: 0, origin: 'shared' }, 'InvalidTokenResponseError'],
    [
      'that would break a header',
      { response: { access_token: 'SECRET\r\n' }, age: 0, origin: 'shared' },
      'InvalidTokenResponseError',
    ],
    ['an error', { response: { error: 'invalid_grant' }, age: 0, origin: 'shared' }, 'TokenEndpointError'],
    ['nothing at all', undefined, 'TypeError'],
  ])('should be reported, and harm nobody, when it is bad: %s', (_kind, pushed, name) => {
    marbles((m) => {
      const { token$, values$, changes, at, ofType } = setUp(m.scheduler, () => of(shared('T1')));
      at(100, () => {
        changes.next(pushed as StoredToken);
      });
      at(200, () => {
        changes.next(shared('P'));
      });
      m.expect(values$, '^ 1s !').toBeObservable('a 199ms p', { a: 'T1', p: 'P' });
      m.flush();
      const [failed] = ofType('refreshFailed');
      expect(failed).toMatchObject({ at: 100, error: { name }, retryIn: null, permanent: false });
      expect(String((failed as { error: unknown }).error)).not.toContain('SECRET');
      token$.close();
    })();
  });

  it(
    'should be reported when the watch itself fails, and the stream go on without it',
    marbles((m) => {
      const { token$, values$, changes, at, ofType } = setUp(m.scheduler, (_request, _fetch, n) =>
        of(shared(`T${String(n)}`)),
      );
      const failure = new Error('connection lost');
      at(100, () => {
        changes.error(failure);
      });
      m.expect(values$, '^ 26s !').toBeObservable('a 24999ms b', { a: 'T1', b: 'T2' });
      m.flush();
      expect(ofType('refreshFailed')).toEqual([
        {
          type: 'refreshFailed',
          at: 100,
          error: failure,
          message: 'connection lost',
          attempt: 1,
          retryIn: null,
          permanent: false,
        },
      ]);
      token$.close();
    }),
  );

  it(
    'should not bring a rejected token back',
    marbles((m) => {
      const { token$, changes, at, ofType } = setUp(m.scheduler, (_request, _fetch, n) =>
        n === 1 ? of(shared('T1')) : NEVER,
      );
      const seen: unknown[] = [];
      at(0, () => token$.subscribe());
      at(100, () => {
        token$.reject(token$.current!);
        changes.next(shared('T1'));
        seen.push(token$.current);
        changes.next(shared('P'));
        seen.push(token$.current?.value);
        token$.close();
      });
      m.flush();
      expect(seen).toEqual([null, 'P']);
      expect(ofType('refreshFailed')).toEqual([]);
    }),
  );
});

describe('a store that errs', () => {
  it(
    'should not end the wait of a rejected request by pushing the rejected token once more',
    marbles((m) => {
      const { token$, changes, at } = setUp(m.scheduler, (_request, _fetch, n) =>
        timer(20).pipe(map(() => shared(`T${String(n)}`))),
      );
      at(30, () => changes.next(shared('T1', 30)));
      m.expect(withToken(token$, requestRejecting('T1'), { key: 'k' })).toBeObservable('50ms (r|)', { r: 'T2' });
    }),
  );

  const ages = [NaN, Infinity, -1, '5'].flatMap((age) => [[age, 'shared'] as const, [age, 'fetched'] as const]);
  it.each([...ages, [undefined, 'shared'] as const])(
    'should be asked again when it hands out a token of age %p that was %s',
    (age, origin) => {
      marbles((m) => {
        const { values$, token$, ofType } = setUp(
          m.scheduler,
          (_request, _fetch, n) => of({ ...shared(`T${String(n)}`), age: n === 1 ? (age as number) : 0, origin }),
          { random: () => 0 },
        );
        m.expect(values$, '^ 99ms !').toBeObservable('50ms b', { b: 'T2' });
        m.flush();
        expect(ofType('refreshFailed')).toMatchObject([{ error: { code: 'ERR_INVALID_TOKEN_RESPONSE' }, retryIn: 50 }]);
        token$.close();
      })();
    },
  );
});

describe('a rejection', () => {
  it(
    'should ask the store for a token that is not the rejected one',
    marbles((m) => {
      const { token$, asked, source } = setUp(m.scheduler, (_request, _fetch, n) =>
        timer(20).pipe(map(() => shared(`T${String(n)}`))),
      );
      m.expect(withToken(token$, requestRejecting('T1'))).toBeObservable('50ms (r|)', { r: 'T2' });
      m.flush();
      expect(source).not.toHaveBeenCalled();
      expect(asked.map(({ reason, previous }) => [reason, previous?.value])).toEqual([
        ['initial', undefined],
        ['rejected', 'T1'],
      ]);
      token$.close();
    }),
  );

  it(
    'should be passed on when the store insists on the rejected token, which serves on',
    marbles((m) => {
      const { token$, asked, ofType } = setUp(m.scheduler, () => timer(20).pipe(map(() => shared('T1'))));
      m.expect(withToken(token$, requestRejecting('T1'))).toBeObservable(
        '45ms #',
        {},
        Object.assign(new Error('rejected'), { status: 401 }),
      );
      m.flush();
      expect(asked.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
      expect(ofType('refreshFailed')).toEqual([]);
      expect(ofType('tokenChanged')).toHaveLength(1);
      token$.close();
    }),
  );

  it.each([
    ['young', 0, 1000, 2],
    ['young, by a clock that shows the year', 1.7e12, 1000, 2],
    ['old enough to be renewed on schedule', 0, 20_000, 3],
    ['old enough to be renewed on schedule, by a clock that shows the year', 1.7e12, 20_000, 3],
  ])('should be remembered when others push a token while the one at hand is %s', (_kind, epoch, at_, refreshes) => {
    marbles((m) => {
      const now = () => epoch + m.scheduler.now();
      const { token$, asked, changes, at } = setUp(m.scheduler, (_request, _fetch, n) => of(shared(`T${String(n)}`)), {
        idleTimeout: 60_000,
        now,
      });
      const forbidden = () =>
        withToken(token$, () => throwError(() => Object.assign(new Error('rejected'), { status: 403 })), {
          key: 'k',
        }).subscribe({ error: () => undefined });
      at(100, forbidden);
      // Another process met the same forbidden resource, say.
      at(at_, () => {
        changes.next(shared('P'));
      });
      at(at_ + 100, forbidden);
      at(at_ + 200, () => {
        token$.close();
      });
      m.flush();
      expect(
        asked.map(({ reason }) => reason).filter((reason) => reason === 'rejected' || reason === 'initial'),
      ).toHaveLength(refreshes);
    })();
  });

  it(
    'should be mended by a token that is pushed before the store answers',
    marbles((m) => {
      const { token$, changes, at } = setUp(m.scheduler, (_request, _fetch, n) => (n === 1 ? of(shared('T1')) : NEVER));
      at(30, () => {
        changes.next(shared('P'));
      });
      m.expect(withToken(token$, requestRejecting('T1'))).toBeObservable('35ms (r|)', { r: 'P' });
      m.flush();
      token$.close();
    }),
  );

  it(
    'should have the store asked again when it answers with a token that came, and was rejected, while it was asked',
    marbles((m) => {
      const { token$, asked, changes, source, ofType, at } = setUp(m.scheduler, (request, fetch, n) => {
        if (n === 1) return of(shared('T1'));
        return n === 2 ? timer(500).pipe(map(() => shared('T2'))) : fetched(request, fetch, n);
      });
      // T1 is renewed from 25 s on.
      token$.subscribe();
      at(28_000, () => {
        token$.close();
      });
      at(25_100, () => {
        changes.next(shared('T2'));
      });
      const call$ = timer(25_200).pipe(switchMap(() => token$.pipe(withToken(requestRejecting('T1', 'T2')))));
      m.expect(call$, '^ 27s !').toBeObservable('25705ms (s|)', { s: 'S1' });
      m.flush();
      expect(asked.map(({ reason, previous }) => [reason, previous?.value])).toEqual([
        ['initial', undefined],
        ['scheduled', 'T1'],
        ['rejected', 'T2'],
      ]);
      expect(source).toHaveBeenCalledTimes(1);
      expect(ofType('refreshFailed')).toEqual([]);
    }),
  );

  it.each([
    ['refresh()', 'manual', (token$: TokenStream) => token$.refresh().pipe(map(({ value }) => value))],
    [
      'a request that got a 403',
      'rejected',
      (token$: TokenStream) => token$.pipe(withToken(requestForbidding('T1', 'T2'))),
    ],
  ] as const)(
    'should not be answered with the token that came while the store was asked, when %s wants another after that',
    (_who, reason, want) => {
      marbles((m) => {
        const { token$, asked, changes, source, at } = setUp(m.scheduler, (request, fetch, n) => {
          if (n === 1) return of(shared('T1'));
          return n === 2 ? timer(500).pipe(map(() => shared('T2'))) : fetched(request, fetch, n);
        });
        // T1 is renewed from 25 s on.
        token$.subscribe();
        at(25_100, () => {
          changes.next(shared('T2'));
        });
        at(28_000, () => {
          token$.close();
        });
        const wanted: unknown[] = [];
        at(25_200, () => want(token$).subscribe((value) => wanted.push(value)));
        m.flush();
        expect(wanted).toEqual(['S1']);
        expect(asked.map((request) => [request.reason, request.previous?.value])).toEqual([
          ['initial', undefined],
          ['scheduled', 'T1'],
          [reason, 'T2'],
        ]);
        expect(source).toHaveBeenCalledTimes(1);
      })();
    },
  );

  it(
    'should be mended after a sign-out, too, when others share the token that is at hand already',
    marbles((m) => {
      const { token$, changes, at } = setUp(m.scheduler, fetched);
      token$.subscribe();
      at(1000, () => {
        token$.signOut();
        token$.subscribe();
      });
      at(2000, () => {
        changes.next(shared('S2'));
      });
      at(4000, () => {
        token$.close();
      });
      const call$ = timer(3000).pipe(switchMap(() => token$.pipe(withToken(requestRejecting('S2')))));
      m.expect(call$).toBeObservable('3210ms (s|)', { s: 'S3' });
    }),
  );
});

describe('a store that fails', () => {
  it(
    'should be asked again like a source',
    marbles((m) => {
      const { token$, values$, asked, ofType } = setUp(
        m.scheduler,
        (_request, _fetch, n) => (n < 3 ? throwError(() => new Error('down')) : of(shared('T3'))),
        { random: () => 0.5 },
      );
      // 125 ms, then 250 ms.
      m.expect(values$, '^ 1s !').toBeObservable('375ms c', { c: 'T3' });
      m.flush();
      expect(asked.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      expect(ofType('refreshFailed').map(({ retryIn }) => retryIn)).toEqual([125, 250]);
      token$.close();
    }),
  );

  it(
    'should be given up after twice the fetchTimeout, by its signal too',
    marbles((m) => {
      const { token$, values$, asked, ofType } = setUp(
        m.scheduler,
        (_request, _fetch, n) => (n === 1 ? new Promise(() => undefined) : of(shared('T2'))),
        { fetchTimeout: 100, random: () => 0 },
      );
      m.expect(values$, '^ 1s !').toBeObservable('250ms b', { b: 'T2' });
      m.flush();
      expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false]);
      expect(ofType('refreshFailed')).toMatchObject([{ at: 200, error: { code: 'ERR_TOKEN_FETCH_TIMEOUT' } }]);
      token$.close();
    }),
  );

  it(
    'should count as having failed when it completes without a token, or throws',
    marbles((m) => {
      const { token$, values$, ofType } = setUp(
        m.scheduler,
        (_request, _fetch, n) => {
          if (n === 1) throw new RangeError('broken');
          return n === 2 ? of() : of(shared('T3'));
        },
        { random: () => 0 },
      );
      m.expect(values$, '^ 1s !').toBeObservable('100ms c', { c: 'T3' });
      m.flush();
      expect(ofType('refreshFailed').map(({ error }) => (error as Error).name)).toEqual([
        'RangeError',
        'InvalidTokenResponseError',
      ]);
      token$.close();
    }),
  );
});

describe('a source that joined an exchange under way', () => {
  const joining =
    (scheduler: TokenStreamOptions['scheduler'] & object, headStart: unknown) =>
    (request: TokenRequest): Observable<TokenResponse> =>
      timer(200, scheduler).pipe(
        map(() => {
          Object.defineProperty(request, HEAD_START, { value: headStart });
          return response('J');
        }),
      );
  const own = (age: number): TokenStore => ({
    refresh: (_request, fetch) =>
      fetch().pipe(map((answer) => ({ response: answer, age, origin: 'fetched' as const }))),
  });

  it.each<[string, unknown, TokenStore | undefined, number]>([
    ['no store', 7000, undefined, -7000],
    ['a store that knows nothing of it', 7000, own(150), -7000],
    ['a store that does', 7000, own(7200), -7000],
    ['a store that knows of more', 7000, own(9000), -8800],
    ['a store, and no head start', 0, own(150), 50],
    ['a head start that is none', 'long', undefined, 0],
    ['a negative one', -5, undefined, 0],
    ['an endless one', Infinity, undefined, 0],
  ])('should say so, and its token count from when that was sent: %s', (_what, headStart, store, issuedAt) => {
    marbles((m) => {
      const token$ = createTokenStream(joining(m.scheduler, headStart), {
        scheduler: m.scheduler,
        jitter: 0,
        idleTimeout: 0,
        ...(store && { store }),
      });
      m.expect(
        token$.pipe(
          map((token) => [
            token.issuedAt,
            token.expiresAt,
            Object.keys(token.raw),
            Object.getOwnPropertySymbols(token.raw),
          ]),
        ),
        '^ 1s !',
      ).toBeObservable('200ms a', {
        a: [issuedAt, issuedAt + 30_000, ['access_token', 'expires_in'], []],
      });
      m.flush();
      token$.close();
    })();
  });

  it(
    'should be asked again when the token is due, not a head start later',
    marbles((m) => {
      const token$ = createTokenStream(joining(m.scheduler, 7000), { scheduler: m.scheduler, jitter: 0 });
      const asked$ = token$.events.pipe(
        filter(({ type }) => type === 'refreshStarted'),
        map(() => 'a'),
      );
      m.expect(asked$, '^ 20s !').toBeObservable('a 17999ms a');
      m.expect(token$.pipe(map(({ value }) => value)), '^ 20s !').toBeObservable('200ms J', { J: 'J' });
    }),
  );

  it(
    'should count it where it is over on arrival',
    marbles((m) => {
      const token$ = createTokenStream(joining(m.scheduler, 29_500), {
        scheduler: m.scheduler,
        jitter: 0,
        idleTimeout: 0,
      });
      m.expect(
        token$.pipe(
          take(1),
          map(({ issuedAt }) => issuedAt),
        ),
      ).toBeObservable('200ms (a|)', { a: -29_500 });
      m.flush();
      expect(token$.current).toBeNull();
      token$.close();
    }),
  );
});
