/* eslint rxjs-x/throw-error: off -- clients throw what they like */
import { concat, defer, EMPTY, map, NEVER, of, switchMap, take, throwError, timer, type Observable } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createTokenStream, withToken, type AccessToken, type TokenResponse } from 'rx-fresh-token';
import { answer, rejection, serving, type Served } from './rig.js';

const SECOND = 1000;
const MINUTE = 60_000;
const KINDS = [
  { name: '401', status: 401 },
  { name: 'a bare 403', status: 403 },
];
const INVALID_TOKEN = 'Bearer error="invalid_token"';
const long = () => ({ took: 200, life: 7200 });
const forced = ({ asked }: Served): number[] =>
  asked.filter((entry) => entry.includes('rejected')).map((entry) => parseInt(entry));
const limited = (headers: Record<string, string>) => new Response(null, { status: 403, headers });

interface Visit {
  readonly challenge?: string;
  readonly status?: number;
  readonly took?: number;
  readonly rejects?: (token: string) => boolean;
}

/** An issuer whose tokens can be revoked, and resources that know of it. */
function issuer(m: Parameters<typeof serving>[0], reply = long) {
  const revoked = new Set<string>();
  const rig = serving(m, reply);
  return {
    ...rig,
    /** Revokes the tokens that were issued so far. */
    revoke: (ms: number) => {
      rig.at(ms, () => {
        for (let n = 1; n <= rig.requests.length; n++) revoked.add(`T${String(n)}`);
      });
    },
    /** Calls a resource that rejects what is revoked. */
    visit: (ms: number, path: string, { challenge, status = 401, took = 0, rejects }: Visit = {}) => {
      const respond = (token: string) => answer(revoked.has(token) || rejects?.(token) ? status : 200, challenge);
      const serve = (token: string) => (took > 0 ? timer(took).pipe(map(() => respond(token))) : of(respond(token)));
      rig.call(ms, path, serve, { key: `GET ${path}` });
    },
  };
}

describe('32: what a rejection is', () => {
  cases(
    'by default',
    (m, { outcome, rejected }) => {
      const { call, end, sent } = serving(m);
      call(1000, 'a', () => outcome);
      end(2000);
      expect(sent).toHaveLength(rejected ? 2 : 1);
    },
    [
      { name: '401', outcome: of(answer(401)), rejected: true },
      {
        name: '401 with Retry-After',
        outcome: throwError(() => ({ status: 401, headers: { 'retry-after': '1' } })),
        rejected: true,
      },
      {
        name: "got's 401",
        outcome: throwError(() => ({ response: { statusCode: 401, headers: {} } })),
        rejected: true,
      },
      {
        name: "Kiota's 401",
        outcome: throwError(() => Object.assign(new Error('no'), { responseStatusCode: 401, responseHeaders: {} })),
        rejected: true,
      },
      {
        name: "Feathers' 401",
        outcome: throwError(() => Object.assign(new Error('no'), { code: 401 })),
        rejected: true,
      },
      {
        name: "openapi-generator's 401",
        outcome: throwError(() => ({ code: 401, body: '{}', headers: {} })),
        rejected: true,
      },
      { name: 'a bare 403', outcome: of(answer(403)), rejected: true },
      {
        name: 'a 403 whose rate limit is not used up',
        outcome: of(limited({ 'x-ratelimit-remaining': '12' })),
        rejected: true,
      },
      {
        name: 'a 403 of a gateway that cannot count: x-ratelimit-remaining: -1',
        outcome: of(limited({ 'x-ratelimit-remaining': '-1' })),
        rejected: true,
      },
      { name: 'not a 403 with Retry-After', outcome: of(limited({ 'retry-after': '60' })), rejected: false },
      {
        name: 'not a 403 with x-ratelimit-remaining twice',
        outcome: of(limited({ 'x-ratelimit-remaining': '0, 0' })),
        rejected: false,
      },
      {
        name: 'not a 403 with x-ratelimit-remaining: 0',
        outcome: of(limited({ 'x-ratelimit-remaining': '0' })),
        rejected: false,
      },
      {
        name: 'not a 403 with ratelimit-remaining: 0',
        outcome: of(limited({ 'ratelimit-remaining': '0' })),
        rejected: false,
      },
      {
        name: "not axios' 403 with Retry-After",
        outcome: throwError(() => ({ response: { status: 403, headers: { 'Retry-After': '9' } } })),
        rejected: false,
      },
      {
        name: "not axios' 403 whose body says that a rate limit is used up",
        outcome: throwError(() => ({
          response: { status: 403, headers: {}, data: { error: { errors: [{ reason: 'userRateLimitExceeded' }] } } },
        })),
        rejected: false,
      },
      {
        name: "not Angular's 403 whose body says insufficient_scope",
        outcome: throwError(() => ({ status: 403, headers: new Headers(), error: { error: 'insufficient_scope' } })),
        rejected: false,
      },
      {
        name: 'an error that wraps a 401',
        outcome: throwError(() => new Error('no orders', { cause: { status: 401 } })),
        rejected: true,
      },
      {
        name: 'not insufficient_scope',
        outcome: of(answer(403, 'Bearer error="insufficient_scope"')),
        rejected: false,
      },
      {
        name: 'not insufficient_scope with 401',
        outcome: of(answer(401, 'Bearer error="insufficient_scope"')),
        rejected: false,
      },
      {
        name: 'a demand of Entra for a newer token',
        outcome: of(answer(401, `Bearer error="insufficient_claims", claims="${btoa('{"access_token":{"nbf":{}}}')}"`)),
        rejected: true,
      },
      {
        name: 'not a demand for other claims',
        outcome: of(
          answer(401, `Bearer error="insufficient_claims", claims="${btoa('{"access_token":{"acrs":{}}}')}"`),
        ),
        rejected: false,
      },
      { name: 'not 419', outcome: of(answer(419)), rejected: false },
    ] as { name: string; outcome: Observable<unknown>; rejected: boolean }[],
  );

  cases(
    'never a promise: an isRejection that is async is a TypeError',
    (m, { outcome }) => {
      const { call, end, sent, log, asked } = serving(m);
      call(1000, 'a', () => outcome, { isRejection: (() => Promise.resolve(false)) as never });
      end(2000);
      expect(log).toEqual(['1000 a !TypeError']);
      expect(sent).toHaveLength(1);
      expect(asked).toEqual(['0 initial']);
    },
    [
      { name: 'asked of an answer', outcome: of(answer(200)) },
      { name: 'asked of an error', outcome: throwError(() => new Error('x')) },
    ] as { name: string; outcome: Observable<unknown> }[],
  );

  it(
    'nothing that limits the rate of requests: it costs no token and no budget',
    marbles((m) => {
      const rig = issuer(m);
      for (let n = 0; n < 30; n++)
        rig.call(1000 + n, 'limited', () => of(limited({ 'retry-after': '60', 'x-ratelimit-remaining': '0' })), {
          key: `GET /${String(n)}`,
        });
      rig.revoke(2000);
      rig.visit(3000, '/orders', { challenge: INVALID_TOKEN });
      rig.end(5000);
      expect(rig.sent.filter((entry) => entry.includes('limited'))).toHaveLength(30);
      expect(rig.asked).toEqual(['0 initial', '3000 rejected']);
      expect(rig.log.at(-1)).toBe('3200 /orders 200');
    }),
  );
});

describe('33: what a resource costs that rejects every token', () => {
  it(
    'one refresh per token lifetime at most, where it says a bare 403; others neither fail nor wait',
    marbles((m) => {
      const rig = issuer(m, () => ({ took: 200, life: 30 }));
      for (let ms = 1000; ms < 300 * SECOND; ms += 500) {
        rig.call(ms, 'forbidden', () => of(answer(403)), { key: 'GET /forbidden' });
        rig.visit(ms + 100, '/orders');
      }
      rig.end(300 * SECOND);
      expect(forced(rig).length).toBeLessThanOrEqual(12);
      const orders = rig.log.filter((entry) => entry.includes('/orders'));
      expect(orders).toHaveLength(598);
      expect(orders.filter((entry) => !/^\d*[16]00 .* 200$/.test(entry))).toEqual([]);
    }),
  );

  it(
    'one refresh, where it says a bare 403 all through the long life of a token',
    marbles((m) => {
      const rig = issuer(m);
      for (let minute = 1; minute < 90; minute++) {
        rig.call(minute * MINUTE, 'forbidden', () => of(answer(403)), { key: 'GET /forbidden' });
        rig.visit(minute * MINUTE + 100, '/orders');
      }
      rig.end(90 * MINUTE);
      expect(forced(rig)).toEqual([MINUTE]);
    }),
  );

  it(
    'one refresh a minute at most, where it says 401; others do not fail, and wait for one attempt at most',
    marbles((m) => {
      const rig = issuer(m);
      for (let ms = 1000; ms < 10 * MINUTE; ms += 500) {
        rig.call(ms, 'forbidden', () => of(answer(401)), { key: 'GET /forbidden' });
        rig.visit(ms + 100, '/orders');
      }
      rig.end(10 * MINUTE);
      expect(forced(rig).length).toBeLessThanOrEqual(10);
      const orders = rig.log.filter((entry) => entry.includes('/orders'));
      expect(orders).toHaveLength(1198);
      for (const entry of orders) {
        expect(entry).toMatch(/ 200$/);
        // A call at n100 or n600 waits 200 ms at most.
        expect(parseInt(entry) % 500).toBeLessThanOrEqual(200);
      }
    }),
  );

  cases(
    'three tokens at most, where every new token is rejected everywhere for 1.5 s: then all is well',
    (m, { status }) => {
      const rig = serving(m, long);
      const issued: number[] = [];
      const serve = (token: string) => {
        const n = Number(token.slice(1));
        issued[n] ??= m.scheduler.now();
        return defer(() => of(answer(m.scheduler.now() - issued[n]! < 1500 ? status : 200)));
      };
      for (let ms = 1000; ms < 20_000; ms += 100) rig.call(ms, 'a', serve, { key: `GET /${String((ms / 100) % 3)}` });
      rig.end(20_000);
      expect(rig.asked.length).toBeLessThanOrEqual(3);
      const late = rig.log.filter((entry) => parseInt(entry) > 7000);
      expect(new Set(late.map((entry) => entry.split(' ').pop()))).toEqual(new Set(['200']));
    },
    KINDS,
  );

  it(
    'one token at once, then one after 1, 2, 4 … 60 s, where nothing accepts any token',
    marbles((m) => {
      const rig = serving(m, () => ({ took: 0, life: 7200 }), { rejectionBudget: { max: Infinity } });
      for (let ms = 1000; ms < 5 * MINUTE; ms += 250) rig.call(ms, 'a', () => of(answer(401)));
      rig.end(5 * MINUTE);
      expect(forced(rig).map((ms) => ms / 1000)).toEqual([1, 2, 4, 8, 16, 32, 64, 124, 184, 244]);
      expect(rig.log).toHaveLength(4 * 299);
    }),
  );

  it(
    'from one of two budgets: forbidden resources leave that of explicit rejections alone',
    marbles((m) => {
      const rig = issuer(m);
      for (let n = 0; n < 20; n++) {
        rig.visit(1000 + n * 500, '/orders');
        rig.call(1001 + n * 500, 'forbidden', () => of(answer(403)), { key: `GET /${String(n)}` });
      }
      rig.visit(12_000, '/orders');
      rig.revoke(12_500);
      rig.visit(13_000, '/orders');
      rig.end(20_000);
      expect(forced(rig)).toHaveLength(11);
      expect(rig.log.at(-1)).toBe('13200 /orders 200');
    }),
  );
});

describe('33: a resource has accepted a token', () => {
  const progressThen = (status: number) =>
    concat(of({ type: 0 }, { type: 1, loaded: 5 }), timer(20).pipe(map(() => ({ type: 4, status, headers: {} }))));

  it(
    'not by what a client emits before the server has answered',
    marbles((m) => {
      const rig = serving(m, long);
      const send = () => concat(of({ type: 0 }), timer(20).pipe(switchMap(() => throwError(() => rejection(401)))));
      for (let ms = 1000; ms < 2 * MINUTE; ms += 1000) rig.call(ms, 'a', send, { key: 'GET /a' });
      rig.end(2 * MINUTE);
      expect(forced(rig)).toHaveLength(2);
    }),
  );

  cases(
    'when it answers with',
    (m, { respond, heals }) => {
      const rig = serving(m, long);
      const revoked = new Set<string>();
      const call = (ms: number) => {
        const send = (token: string): Observable<unknown> =>
          revoked.has(token) ? throwError(() => rejection(403)) : respond();
        rig.call(ms, 'a', send, { key: 'GET /a' });
      };
      rig.at(1000, () => revoked.add('T1').add('T2'));
      call(1100);
      call(2000);
      rig.at(2500, () => revoked.delete('T2'));
      call(3000);
      rig.at(4000, () => revoked.add('T2'));
      call(5000);
      rig.end(10_000);
      expect(rig.requests).toHaveLength(heals ? 3 : 2);
    },
    [
      { name: 'a value', respond: () => of(1), heals: true },
      { name: 'a Response', respond: () => of(answer(200)), heals: true },
      { name: 'no value', respond: () => EMPTY, heals: true },
      { name: 'progress, then a Response', respond: () => progressThen(200), heals: true },
      { name: 'but not with an error of the server', respond: () => of(answer(500)), heals: false },
      { name: 'nor with progress and then an error of the server', respond: () => progressThen(500), heals: false },
      { name: 'nor with an error', respond: () => throwError(() => rejection(500)), heals: false },
      {
        name: 'nor with values and then an error',
        respond: () =>
          concat(
            of(1),
            throwError(() => rejection(500)),
          ),
        heals: false,
      },
    ],
  );

  it(
    'also where the caller takes the first value only',
    marbles((m) => {
      const rig = serving(m, long);
      const revoked = new Set(['T1', 'T2']);
      const call = (ms: number) => {
        rig.at(ms, () => {
          const request$ = rig.token$.pipe(
            withToken(({ value }) => (revoked.has(value) ? throwError(() => rejection(403)) : concat(of(1), NEVER)), {
              key: 'GET /a',
            }),
          );
          rig.tell('a', request$.pipe(take(1)));
        });
      };
      call(1000);
      rig.at(1500, () => revoked.delete('T2'));
      call(2000);
      rig.at(2500, () => revoked.add('T2'));
      call(3000);
      rig.end(10_000);
      expect(rig.requests).toHaveLength(3);
    }),
  );
});

describe('33: a real revocation heals', () => {
  const last = ({ log }: Served) => log.at(-1);

  cases(
    'at the next call, for every resource',
    (m, { status, challenge }) => {
      const rig = issuer(m);
      for (const path of ['/a', '/b', '/c']) rig.visit(1000, path);
      rig.revoke(2000);
      for (const path of ['/a', '/b', '/c']) rig.visit(3000, path, { status, ...(challenge && { challenge }) });
      rig.end(5000);
      expect(rig.log.slice(3)).toEqual(['/a', '/b', '/c'].map((path) => `3200 ${path} 200`));
      expect(rig.asked).toHaveLength(2);
    },
    [...KINDS, { name: 'invalid_token', status: 403, challenge: INVALID_TOKEN }] as {
      name: string;
      status: number;
      challenge?: string;
    }[],
  );

  it(
    'after a token that had expired on arrival was rejected, and came again',
    marbles((m) => {
      const source = jest
        .fn<TokenResponse[], []>(() => [{ access_token: 'T3', expires_in: 60 }])
        .mockReturnValueOnce([{ access_token: 'T1', expires_in: 0 }])
        .mockReturnValueOnce([{ access_token: 'T1', expires_in: 0 }])
        .mockReturnValueOnce([{ access_token: 'T2', expires_in: 60 }]);
      const token$ = createTokenStream(source, { scheduler: m.scheduler });
      const statuses: number[] = [];
      const call = () => {
        const send = ({ value }: AccessToken) => of(answer(value === 'T3' ? 200 : 401));
        token$.pipe(withToken(send, { key: 'GET /a' })).subscribe(({ status }) => statuses.push(status));
      };
      for (const ms of [0, 20_000]) m.scheduler.schedule(call, ms);
      m.scheduler.schedule(() => token$.close(), 30_000);
      m.flush();
      expect(statuses).toEqual([401, 200]);
    }),
  );

  it(
    'after a repeat with a token that was revoked while the call was on its way',
    marbles((m) => {
      const rig = issuer(m);
      rig.visit(500, '/ok');
      rig.visit(1000, '/ok', { took: 1000, rejects: (token) => token === 'T1' });
      rig.visit(1200, '/other', { rejects: (token) => token === 'T1' });
      rig.revoke(1800);
      rig.visit(4000, '/ok');
      rig.end(6000);
      // The first call is rejected twice; the next one is healed.
      expect(rig.log).toContain('3000 /ok 401');
      expect(last(rig)).toBe('4200 /ok 200');
    }),
  );

  it(
    'where one URL serves everything, and some of it is forbidden',
    marbles((m) => {
      const rig = serving(m, long);
      const graphql = (ms: number, respond: (token: string) => Response) => {
        rig.call(ms, 'q', (token) => of(respond(token)), { key: 'POST /graphql' });
      };
      const ok = () => answer(200);
      graphql(1000, ok);
      graphql(2000, () => answer(403));
      graphql(3000, ok);
      graphql(4000, (token) => (token === 'T2' ? answer(401, INVALID_TOKEN) : ok()));
      rig.end(6000);
      expect(rig.log).toEqual(['1000 q 200', '2200 q 403', '3000 q 200', '4200 q 200']);
    }),
  );

  cases(
    'where a resource rejected its first new token, and accepted it later',
    (m, { status }) => {
      const rig = serving(m, long);
      const call = (ms: number, respond: (token: string) => number) => {
        rig.call(ms, 'a', (token) => of(answer(respond(token))), { key: 'GET /a' });
      };
      call(1000, () => status); // `nbf` is ahead of its clock
      for (const ms of [2000, 2500, 3000]) call(ms, () => 200);
      call(4000, (token) => (token === 'T2' ? status : 200)); // revoked
      rig.end(6000);
      expect(rig.log.map((entry) => entry.slice(-3))).toEqual([String(status), '200', '200', '200', '200']);
      expect(rig.asked).toHaveLength(3);
    },
    KINDS,
  );

  it(
    'where one is followed by another at once',
    marbles((m) => {
      const rig = issuer(m);
      for (const path of ['/a', '/b']) rig.visit(1000, path);
      rig.revoke(2000);
      rig.visit(2001, '/a');
      rig.revoke(2300);
      for (let ms = 2400; ms <= 62_400; ms += 1000) for (const path of ['/a', '/b']) rig.visit(ms, path);
      rig.end(70_000);
      for (const path of ['/a', '/b']) expect(rig.log.filter((entry) => entry.includes(path)).at(-1)).toMatch(/ 200$/);
      // Nobody waits for more than the first refresh: `/b` is healed at once, `/a` by the token that `/b` brings.
      expect(rig.log.filter((entry) => entry.endsWith('401')).length).toBeLessThanOrEqual(2);
    }),
  );

  it(
    'where a replica lags behind and rejects the new token for a while',
    marbles((m) => {
      const rig = serving(m, long);
      const replica = () => of(answer(m.scheduler.now() < 5000 ? 401 : 200));
      rig.call(1000, 'a', () => of(answer(200)), { key: 'GET /a' });
      for (let ms = 2000; ms < 70_000; ms += 500) rig.call(ms, 'a', replica, { key: 'GET /a' });
      rig.end(71_000);
      expect(rig.asked.length).toBeLessThanOrEqual(3);
      const late = rig.log.filter((entry) => parseInt(entry) >= 5200);
      expect(late.filter((entry) => !entry.endsWith('200'))).toEqual([]);
    }),
  );

  cases(
    'at most 3 tokens, where replicas learn of each token 1.5 s after it was issued',
    (m, { status, took, keys }) => {
      const rig = serving(m, () => ({ took, life: 7200 }));
      const born = new Map<string, number>();
      rig.token$.subscribe(({ value }) => born.set(value, m.scheduler.now()));
      const replica = (token: string) => {
        const now = m.scheduler.now();
        const isKnown = token === 'T1' ? now < 6000 : now >= (born.get(token) ?? now) + 1500;
        return of(answer(isKnown ? 200 : status));
      };
      for (let n = 0; n < 500; n++) rig.call(5000 + 50 * n, 'a', replica, { key: `k${String(n % keys)}` });
      rig.end(31_000);
      expect(forced(rig).length).toBeLessThanOrEqual(3);
    },
    KINDS.flatMap((kind) =>
      [50, 200, 600, 1000, 2000].flatMap((took) =>
        [1, 5, 40].map((keys) => ({
          ...kind,
          took,
          keys,
          name: `${kind.name}, ${String(took)} ms, ${String(keys)} keys`,
        })),
      ),
    ),
  );

  it(
    'told by isRejection, as by an error of GraphQL in a 200',
    marbles((m) => {
      const rig = serving(m, () => ({ took: 400, life: 7200 }));
      const revoked = new Set<string>();
      for (const ms of [1000, 1100])
        rig.at(ms, () => {
          rig.requests.forEach((_, index) => revoked.add(`T${String(index + 1)}`));
        });
      const isRejection = (result: unknown) => result === 'UNAUTHENTICATED';
      const serve = (token: string) =>
        timer(60, m.scheduler).pipe(map(() => (revoked.has(token) ? 'UNAUTHENTICATED' : 'data')));
      for (let ms = 500; ms < 120_000; ms += 500) rig.call(ms, 'a', serve, { key: 'POST /graphql', isRejection });
      rig.end(121_000);
      expect(rig.asked).toHaveLength(3);
      expect(rig.log.filter((entry) => parseInt(entry) > 62_000 && !entry.endsWith('data'))).toEqual([]);
    }),
  );

  it(
    'told by a bare 403, within 5 minutes where the lifetime of the token is unknown',
    marbles((m) => {
      // A file or a cache gives the old token for some seconds after the revocation.
      const value = () => (m.scheduler.now() > 7 * SECOND ? 'new' : 'old');
      const rig = serving(m, () => ({ took: 200, life: 'unknown', value: value() }));
      const serve = (token: string) => of(answer(token === 'old' && m.scheduler.now() > 2 * SECOND ? 403 : 200));
      for (let n = 0; n < 200; n++) {
        const ms = n < 40 ? (n + 1) * 500 : (n - 20) * MINUTE;
        rig.call(ms, 'a', serve, { key: `k${String(n % 3)}` });
      }
      rig.end(181 * MINUTE);
      const late = rig.log.filter((entry) => parseInt(entry) > 8 * MINUTE);
      expect(late.length).toBeGreaterThan(100);
      expect(late.filter((entry) => !entry.endsWith('200'))).toEqual([]);
      // One for each resource while the old token comes, and the new one.
      expect(forced(rig)).toHaveLength(4);
    }),
  );

  it(
    'with forbidden resources beside it, of either kind',
    marbles((m) => {
      const rig = issuer(m);
      for (let ms = 500; ms < 20_000; ms += 500)
        for (const status of [401, 403])
          rig.call(ms, 'forbidden', () => of(answer(status)), { key: `GET /${String(status)}` });
      for (let ms = 1100; ms < 20_000; ms += 500) rig.visit(ms, '/a');
      rig.revoke(10_000);
      rig.end(25_000);
      const rejected = rig.log.filter((entry) => entry.includes('/a') && !entry.endsWith('200'));
      expect(rejected).toEqual([]);
    }),
  );

  it(
    'told by a bare 403 to a resource that had rejected the token before: by what heals another, or by the next renewal',
    marbles((m) => {
      const run = (isOtherHealed: boolean) => {
        const rig = issuer(m, () => ({ took: 200, life: 60 }));
        rig.visit(1000, '/b');
        rig.call(1000, '/a', () => of(answer(403)), { key: 'GET /a' });
        rig.visit(1500, '/b');
        rig.revoke(2000);
        rig.visit(3000, '/a', { status: 403 });
        if (isOtherHealed) rig.visit(4000, '/b', { status: 403 });
        rig.visit(5000, '/a', { status: 403 });
        rig.visit(52_000, '/a', { status: 403 });
        return rig;
      };
      const [alone, healed] = [run(false), run(true)];
      for (const rig of [alone, healed]) rig.at(60_000, () => rig.token$.close());
      m.flush();
      const ofA = ({ log }: Served) => log.filter((entry) => entry.includes('/a')).map((entry) => entry.slice(-3));
      expect(ofA(alone)).toEqual(['403', '403', '403', '200']);
      expect(ofA(healed)).toEqual(['403', '403', '200', '200']);
    }),
  );
});

describe('17 and 33: a resource whose requests are not repeated', () => {
  /** An upload: the client reports its progress, so it is sent once. */
  const upload = (rig: ReturnType<typeof issuer>, ms: number, isRejected: (token: string) => boolean, status = 401) => {
    const serve = (token: string) =>
      concat(of('progress'), isRejected(token) ? throwError(() => rejection(status)) : of('done'));
    rig.call(ms, 'upload', serve, { key: 'POST /upload' });
  };

  cases(
    'costs no more than another that rejects every token',
    (m, { status, times }) => {
      const rig = issuer(m);
      for (let ms = 1000; ms < 3 * MINUTE; ms += 500) {
        upload(rig, ms, () => true, status);
        rig.visit(ms + 250, '/orders');
      }
      rig.end(3 * MINUTE);
      expect(forced(rig)).toEqual(times);
    },
    [
      { name: '401', status: 401, times: [1000, 61_500, 122_000] },
      { name: 'a bare 403', status: 403, times: [1000] },
    ],
  );

  it(
    'heals 60 s after the first of two revocations at the latest: it has not seen the token between them',
    marbles((m) => {
      const rig = issuer(m);
      upload(rig, 1000, () => false);
      upload(rig, 2000, (token) => token === 'T1');
      rig.visit(3000, '/orders');
      for (let ms = 4000; ms < 65_000; ms += 1000) upload(rig, ms, (token) => token !== 'T3');
      rig.end(65_000);
      expect(forced(rig)).toEqual([2000, 63_000]);
      expect(rig.log.slice(-2)).toEqual(['64000 upload progress', '64000 upload done']);
    }),
  );

  it(
    'heals at the next call after each revocation, where it has accepted a token between them',
    marbles((m) => {
      const rig = issuer(m);
      upload(rig, 2000, (token) => token === 'T1');
      upload(rig, 3000, () => false);
      upload(rig, 4000, (token) => token === 'T2');
      upload(rig, 5000, () => false);
      rig.end(6000);
      expect(forced(rig)).toEqual([2000, 4000]);
    }),
  );
});

describe('33: a token that comes again by refresh()', () => {
  it(
    'counts as accepted, if a server has accepted it before',
    marbles((m) => {
      const rig = serving(m, (n) => ({ took: 0, value: n < 3 ? 'T1' : `T${String(n)}`, life: 3600 }));
      rig.call(1000, '/orders', () => of(answer(200)));
      rig.at(2000, () => rig.token$.refresh().subscribe());
      // Each forces one refresh at once: the first replaces a token that was accepted, so it begins no pause.
      for (const ms of [3000, 3001]) rig.call(ms, '/admin', () => of(answer(403)));
      rig.end(4000);
      expect(rig.asked).toEqual(['0 initial', '2000 manual', '3000 rejected', '3001 rejected']);
    }),
  );
});

describe('34: the same token again, after a rejection', () => {
  cases(
    'is vouched for: it serves on, and the caller gets the rejection',
    (m, { status }) => {
      const rig = serving(m, () => ({ took: 200, value: 'static', life: 3600 }));
      const call = (ms: number, path: string, answered: number) => {
        rig.call(ms, path, () => of(answer(answered)), { key: `GET ${path}` });
      };
      call(1000, '/orders', 200);
      call(2000, '/admin', status);
      call(2001, '/orders', 200);
      call(3000, '/orders', 200);
      call(4000, '/admin', status);
      rig.end(5000);
      const wait = status === 401 ? 2200 : 2001;
      expect(rig.log).toHaveLength(5);
      expect(rig.log).toEqual(
        expect.arrayContaining([
          '1000 /orders 200',
          `2200 /admin ${String(status)}`,
          `${String(wait)} /orders 200`,
          '3000 /orders 200',
          `4000 /admin ${String(status)}`,
        ]),
      );
      expect(rig.asked).toEqual(['0 initial', '2000 rejected']);
      expect(rig.sent.filter((entry) => entry.includes('/admin'))).toHaveLength(2);
      expect(rig.events.filter((event) => event.includes('refreshFailed'))).toEqual([]);
    },
    KINDS,
  );

  it(
    'is asked for rarely, where a source caches it until the issuer rolls over',
    marbles((m) => {
      const rig = serving(m, () => ({ took: 200, value: m.scheduler.now() < 10 * MINUTE ? 'old' : 'new', life: 900 }));
      rig.call(500, '/a', () => of(answer(200)), { key: 'GET /a' });
      // The resource has revoked the token; the source does not know.
      for (let ms = 1000; ms < 12 * MINUTE; ms += 1000) {
        rig.call(ms, '/a', (token) => of(answer(token === 'old' ? 401 : 200)), { key: 'GET /a' });
        rig.call(ms + 500, '/b', () => of(answer(200)), { key: 'GET /b' });
      }
      rig.end(12 * MINUTE);
      expect(forced(rig).length).toBeLessThanOrEqual(12);
      expect(rig.log.filter((entry) => entry.includes('/b') && !entry.endsWith('200'))).toEqual([]);
      const healed = rig.log.filter((entry) => entry.includes('/a') && parseInt(entry) > 11 * MINUTE + 1000);
      expect(healed.filter((entry) => !entry.endsWith('200'))).toEqual([]);
    }),
  );

  cases(
    'is enough for all resources that rejected it meanwhile: none of them costs another fetch',
    (m, { status }) => {
      const rig = serving(m, () => ({ took: 200, value: 'static', life: 3600 }));
      rig.call(500, '/orders', () => of(answer(200)), { key: 'GET /orders' });
      for (const ms of [1000, 3000, 5000])
        for (const path of ['/admin', '/reports', '/keys'])
          rig.call(ms, path, () => timer(100).pipe(map(() => answer(status))), { key: `GET ${path}` });
      rig.end(6000);
      expect(rig.asked).toEqual(['0 initial', '1100 rejected']);
      expect(rig.log.filter((entry) => entry.endsWith(String(status)))).toHaveLength(9);
    },
    KINDS,
  );

  it(
    'is asked for after pauses that grow, for rejections without a key',
    marbles((m) => {
      const rig = serving(m, () => ({ took: 0, value: 'static', life: 3600 }));
      rig.call(500, 'orders', () => of(answer(200)));
      for (let ms = 1000; ms < 20_000; ms += 100) rig.call(ms, 'admin', () => of(answer(401)));
      rig.end(20_000);
      expect(forced(rig)).toEqual([1000, 1100, 2100, 4100, 8100, 16_100]);
    }),
  );

  it(
    'is no news: subscribers hear of it once, and so do events',
    marbles((m) => {
      const rig = serving(m, () => ({ took: 200, value: 'static', life: 3600 }));
      rig.at(0, () => rig.tell('s', rig.token$));
      rig.at(1000, () => rig.token$.reject(rig.token$.current!));
      rig.end(2000);
      expect(rig.log).toEqual(['200 s static']);
      expect(rig.events.filter((event) => event.includes('tokenChanged'))).toHaveLength(1);
    }),
  );
});

describe('19: a refresh that fails after an explicit rejection', () => {
  it(
    'goes on in the background, and the token that is not over serves on',
    marbles((m) => {
      const rig = serving(m, (n) => (n === 1 || n > 3 ? long() : { took: 200, fail: new Error('down') }), {
        random: () => 1,
      });
      rig.call(1000, 'a', () => of(answer(401)), { key: 'GET /a' });
      for (const ms of [1100, 1300, 1800]) rig.ask(ms, 'b');
      rig.ask(3000, 'c');
      rig.end(4000);
      expect(rig.asked).toEqual(['0 initial', '1000 rejected', '1450 rejected #2', '2150 rejected #3']);
      expect(rig.log).toEqual(['1200 a 401', '1200 b T1', '1300 b T1', '1800 b T1', '3000 c T4']);
    }),
  );

  it(
    'gives nobody a token that is over meanwhile',
    marbles((m) => {
      const rig = serving(m, (n) => (n === 1 ? { life: 30 } : { took: 5000, fail: new Error('down') }), {
        maxWait: 2000,
      });
      rig.at(24_500, () => rig.token$.reject(rig.token$.current!));
      rig.ask(24_600, 'a');
      rig.ask(28_000, 'b');
      rig.end(40_000);
      expect(rig.log).toEqual(['26600 a !TokenUnavailableError', '30000 b !TokenUnavailableError(!Error down)']);
    }),
  );
});

describe('35: what has delivered a value is not repeated', () => {
  const rows = (end: Observable<unknown>) => concat(of('row1', 'row2'), end);

  cases(
    'when a rejection follows',
    (m, { end: rejected, told }) => {
      const { call, end, sent, log, asked } = serving(m);
      call(1000, 'a', (token) => rows(token === 'T1' ? rejected : of('row3')), { key: 'GET /a' });
      call(1500, 'b', () => of('row'), { key: 'GET /a' });
      end(2000);
      expect(log).toEqual(['1000 a row1', '1000 a row2', ...told, '1500 b row']);
      expect(sent).toEqual(['1000 a T1', asked.length > 1 ? '1500 b T2' : '1500 b T1']);
    },
    [
      { name: 'thrown 401', end: throwError(() => rejection(401)), told: ['1000 a !401'] },
      { name: 'thrown 403', end: throwError(() => rejection(403)), told: ['1000 a !403'] },
      { name: 'emitted: it is a value as any other', end: of(answer(401)), told: ['1000 a 401'] },
    ] as { name: string; end: Observable<unknown>; told: string[] }[],
  );

  it(
    'but the token is replaced for the next call',
    marbles((m) => {
      const { call, end, asked } = serving(m);
      call(1000, 'a', () => rows(throwError(() => rejection(401))), { key: 'GET /a' });
      end(2000);
      expect(asked).toEqual(['0 initial', '1000 rejected']);
    }),
  );

  it(
    'and so it is where the value was that of a repeat',
    marbles((m) => {
      const rig = serving(m);
      const rejected$ = timer(5000).pipe(switchMap(() => throwError(() => rejection(401))));
      rig.call(1000, 'a', (token) => (token === 'T1' ? rejected$ : rows(rejected$)));
      rig.end(20_000);
      expect(rig.log).toEqual(['6200 a row1', '6200 a row2', '11200 a !401']);
      expect(rig.outcomes()).toEqual(['6000 T1 refreshing', '11200 T2 refreshing']);
    }),
  );

  it(
    'and so it is where a response that rejects it comes second',
    marbles((m) => {
      const rig = serving(m);
      for (const ms of [1000, 2000])
        rig.call(ms, 'a', (token) => of('loading', answer(token === 'T1' ? 401 : 200)), { key: 'GET /a' });
      rig.end(3000);
      expect(rig.log).toEqual(['1000 a loading', '1000 a 401', '2000 a loading', '2000 a 200']);
    }),
  );

  it(
    'and each subscription is a request of its own',
    marbles((m) => {
      const { token$, at, end, log, tell } = serving(m);
      const request$ = withToken(token$, ({ value }) =>
        value === 'T1' ? throwError(() => rejection(401)) : of(value),
      );
      at(1000, () => tell('a', request$));
      at(1300, () => tell('b', request$));
      end(2000);
      expect(log).toEqual(['1200 a T2', '1300 b T2']);
    }),
  );
});
