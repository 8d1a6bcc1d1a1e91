import { EMPTY, NEVER, of, switchMap, take, timer } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createTokenStream, TokenEndpointError, withToken } from 'rx-fresh-token';
import { errorText, plain, setUp, type Reply } from './rig.js';

const down = new Error('down');
/** The first token comes, then nothing but failures until the nth request. */
const until =
  (n: number, fail: unknown = down, took = 0) =>
  (asked: number): Reply =>
    asked === 1 || asked >= n ? {} : { took, fail };

describe('11: a failed renewal while the token lives', () => {
  it(
    'is invisible to requests and subscribers',
    marbles((m) => {
      const { token$, log, at, ask, tell, events } = setUp(m, until(4), { random: () => 1 });
      at(0, () => {
        tell('s', token$.pipe(take(2)));
      });
      ask(25_000, 'a');
      ask(25_100, 'b');
      ask(25_400, 'c');
      m.flush();
      expect(log).toEqual(['200 s T1', '25000 a T1', '25100 b T1', '25400 c T1', '25950 s T4']);
      // Full jitter with the highest dice: 250, then 500.
      expect(events.filter((event) => event.includes('refreshFailed'))).toEqual([
        '25000 refreshFailed !Error down 1 250',
        '25250 refreshFailed !Error down 2 500',
      ]);
    }),
  );

  cases(
    'is repeated after a pause of full jitter',
    (m, { random, fail = down, pause, ...options }) => {
      const failedAt = 25_000;
      const { token$, asked, at } = setUp(m, until(3, fail), {
        random: () => random,
        now: () => 1e12 + m.scheduler.now(),
        ...options,
      });
      const watching = token$.subscribe();
      at(failedAt + pause + 201, () => watching.unsubscribe());
      at(failedAt + pause + 201, () => token$.close());
      m.flush();
      expect(asked).toEqual(['0 initial', `${failedAt} scheduled`, `${failedAt + pause} scheduled #2`]);
    },
    [
      { name: 'the highest dice: 250 ms', random: 1, pause: 250 },
      { name: 'half of it', random: 0.5, pause: 125 },
      { name: 'never under 50 ms', random: 0, pause: 50 },
      { name: 'backoff.initial', random: 1, pause: 1000, backoff: { initial: 1000 } },
      { name: 'at most a third of what is left of 5 s', random: 1, pause: 1667, backoff: { initial: 100_000 } },
      { name: 'at most backoff.max', random: 1, pause: 300, backoff: { initial: 1000, max: 300 } },
      {
        name: 'Retry-After in seconds',
        random: 0,
        pause: 3000,
        fail: { headers: new Headers({ 'retry-after': '3' }) },
      },
      {
        name: 'Retry-After of a response',
        random: 0,
        pause: 3000,
        fail: { response: { headers: new Headers({ 'retry-after': '3' }) } },
      },
      {
        name: 'Retry-After as a date',
        random: 0,
        pause: 4000,
        fail: { headers: new Headers({ 'retry-after': new Date(1e12 + 29_000).toUTCString() }) },
      },
      {
        name: 'the end of a rate limit, in seconds since 1970',
        random: 0,
        pause: 4000,
        fail: { status: 429, headers: new Headers({ 'x-rate-limit-reset': String(1e9 + 29) }) },
      },
      {
        name: 'the end of a rate limit that is used up, in seconds',
        random: 0,
        pause: 3000,
        fail: { status: 403, headers: new Headers({ 'ratelimit-remaining': '0', 'ratelimit-reset': '3' }) },
      },
      {
        name: 'not the end of another rate limit',
        random: 0,
        pause: 50,
        fail: { status: 503, headers: new Headers({ 'x-ratelimit-remaining': '9', 'x-ratelimit-reset': '3' }) },
      },
      {
        name: 'Retry-After in the past',
        random: 0,
        pause: 50,
        fail: { headers: new Headers({ 'retry-after': new Date(0).toUTCString() }) },
      },
      {
        name: 'retryAfter of a TokenEndpointError',
        random: 1,
        pause: 1234,
        fail: new TokenEndpointError('busy', { status: 503, retryAfter: 1234 }),
      },
      {
        name: 'a shorter retryAfter than the dice',
        random: 1,
        pause: 250,
        fail: new TokenEndpointError('busy', { retryAfter: 100 }),
      },
    ],
  );

  cases(
    'leaves room for at least two more attempts before the end of a 30 s token',
    (m, { took, backoff }) => {
      const { token$, asked, at } = setUp(m, until(99, down, took), { random: () => 1, ...(backoff && { backoff }) });
      const watching = token$.subscribe();
      at(30_000, () => watching.unsubscribe());
      at(30_000, () => token$.close());
      m.flush();
      expect(asked.length - 1).toBeGreaterThanOrEqual(3); // the first renewal and two more
    },
    [
      { name: 'failing at once', took: 0, backoff: undefined },
      { name: 'in 200 ms', took: 200, backoff: undefined },
      { name: 'with a backoff of an hour', took: 200, backoff: { initial: 3_600_000, max: 3_600_000 } },
    ],
  );

  it(
    'doubles the pause, up to a sixth of the last lifetime',
    marbles((m) => {
      const { token$, events, at } = setUp(m, (n) => (n === 1 ? { life: 6 } : { took: 0, fail: down }), {
        random: () => 1,
      });
      const watching = token$.subscribe();
      at(11_000, () => watching.unsubscribe());
      m.flush();
      const pauses = events.filter((event) => event.includes('refreshFailed')).map((event) => event.split(' ').at(-1));
      expect(pauses.slice(0, 2)).toEqual(['250', '250']); // 250, then a third of the 750 ms that are left
      expect(pauses).toContain('1000');
      expect(pauses.filter((pause) => Number(pause) > 1000)).toEqual([]);
    }),
  );

  it(
    'doubles the pause, up to 10 s, when there never was a token',
    marbles((m) => {
      const { token$, events, at } = setUp(m, () => ({ took: 0, fail: down }), { random: () => 1 });
      const watching = token$.subscribe();
      at(50_000, () => watching.unsubscribe());
      m.flush();
      expect(events.filter((event) => event.includes('refreshFailed')).map((event) => event.split(' ').at(-1))).toEqual(
        ['250', '500', '1000', '2000', '4000', '8000', '10000', '10000', '10000', '10000'],
      );
    }),
  );

  it(
    'is one of the fetches that take longer than fetchTimeout',
    marbles((m) => {
      const { token$, asked, events, requests, at } = setUp(m, (n) => (n === 1 ? { took: 60_000 } : {}), {
        random: () => 1,
      });
      const errors: unknown[] = [];
      token$.events.subscribe((event) => event.type === 'refreshFailed' && errors.push(event.error));
      const watching = token$.subscribe();
      at(11_000, () => watching.unsubscribe());
      at(11_000, () => token$.close());
      m.flush();
      expect(errors.map((error) => Object.hasOwn(error as Error, 'cause'))).toEqual([false]);
      expect(asked).toEqual(['0 initial', '10250 initial #2']);
      expect(events).toContain('10000 refreshFailed !TokenFetchTimeoutError 1 250');
      expect(requests.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    }),
  );
});

describe('11: permanent failures while the token lives', () => {
  it(
    'cost no request, if the source answers again before the token is over',
    marbles((m) => {
      // Some servers refuse a new token while more than 20 s of the old one are left.
      const reply = (): Reply => {
        const isRefused = m.scheduler.now() > 1000 && m.scheduler.now() < 580_000;
        return isRefused ? { fail: { status: 400, data: { error: 'access_denied' } } } : { life: 600 };
      };
      const { log, ask, asked } = setUp(m, reply);
      for (let ms = 0; ms < 700_000; ms += 1000) ask(ms, 'a');
      m.flush();
      expect(log.filter((entry) => entry.includes('!'))).toEqual([]);
      // A request that leaves at the end of the token waits for the next one.
      expect(asked).toContain('599000 expired');
    }),
  );
});

describe('12: no usable token', () => {
  it(
    'lets requests, forced refreshes and subscribers wait through transient failures',
    marbles((m) => {
      const { token$, log, ask, at, tell } = setUp(m, (n) => (n <= 2 ? { fail: down } : {}), { random: () => 1 });
      ask(0, 'a');
      at(0, () => {
        tell('r', token$.refresh());
      });
      at(0, () => {
        tell('s', token$.pipe(take(1)));
      });
      m.flush();
      expect(log).toEqual(['1350 a T3', '1350 r T3', '1350 s T3']); // 200 + 250 + 200 + 500 + 200
    }),
  );

  cases(
    'fails requests past maxWait, because of the last failure',
    (m, { maxWait, own, failsAt }) => {
      const { token$, log, ask, at, tell } = setUp(m, (n) => ({ took: 0, fail: new Error(`down ${n}`) }), {
        random: () => 1,
        maxWait,
      });
      ask(100, 'a', { maxWait: own });
      if (own === undefined)
        at(100, () => {
          tell('a', token$.refresh());
        });
      m.flush();
      expect(log).toEqual(
        Array(own === undefined ? 2 : 1).fill(
          expect.stringMatching(new RegExp(`^${100 + failsAt} a !TokenUnavailableError\\(!Error down \\d\\)$`)),
        ),
      );
    },
    [
      { name: '30 s by default', maxWait: undefined, own: undefined, failsAt: 30_000 },
      { name: 'as the stream says', maxWait: 700, own: undefined, failsAt: 700 },
      { name: 'as the request says', maxWait: 700, own: 1200, failsAt: 1200 },
    ],
  );

  it(
    'has no cause to tell when the fetch is merely slow, and uses what it brings',
    marbles((m) => {
      const { log, ask } = setUp(m, () => ({ took: 900 }), { maxWait: 800 });
      ask(0, 'a');
      ask(200, 'b');
      m.flush();
      expect(log).toEqual(['800 a !TokenUnavailableError', '900 b T1']);
    }),
  );

  it(
    'fails a listener when its token is over in the pause after a permanent failure',
    marbles((m) => {
      const { token$, log, asked, at, tell } = setUp(m, (n) => (n === 1 ? { life: 60 } : { fail: { status: 400 } }), {
        backoff: { initial: 30_000 },
      });
      at(0, () => {
        tell('s', token$);
      });
      m.flush();
      expect(asked).toEqual(['0 initial', '50000 scheduled']);
      expect(log).toEqual(['200 s T1', '59000 s !TokenUnavailableError(!400)']);
    }),
  );

  cases(
    'fails everybody at once and permanently',
    (m, { fail }) => {
      const { token$, asked, log, events, ask, at, tell } = setUp(m, (n) => (n === 1 ? { fail } : {}), {
        random: () => 0.1,
      });
      ask(0, 'a');
      at(0, () => {
        tell('r', token$.refresh());
      });
      at(0, () => {
        tell('s', token$.pipe(take(1)));
      });
      // One backoff step, not jittered: 250 ms. Only `refresh()` ends it, 250 ms after the last request.
      for (let ms = 200; ms < 450; ms += 50) ask(ms, 'b');
      at(449, () => {
        tell('s', token$.pipe(take(1)));
      });
      at(449, () => {
        tell('r', token$.refresh());
      });
      ask(450, 'c');
      m.flush();
      const failed = `!TokenUnavailableError(${errorText(fail)})`;
      expect(log).toEqual(
        ['a', 'r', 's', 'b']
          .map((name) => `200 ${name} ${failed}`)
          .concat(
            [250, 300, 350, 400].map((ms) => `${ms} b ${failed}`),
            `449 s ${failed}`,
            '649 r T2',
            '649 c T2',
          ),
      );
      expect(asked.slice(0, 2)).toEqual(['0 initial', '449 manual']);
      expect(events).toContain(`200 refreshFailed ${errorText(fail)} 1 null permanent`);
    },
    [
      ...['invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'].map(
        (error) => ({ name: error, fail: { name: 'Custom', error } }),
      ),
      ...[400, 401, 403, 404, 422, 499].map((status) => ({ name: String(status), fail: { name: 'Custom', status } })),
      { name: 'a TokenEndpointError', fail: new TokenEndpointError('no', { status: 401, error: 'invalid_client' }) },
    ],
  );

  cases(
    'goes on after what may pass',
    (m, { fail }) => {
      const { log, ask, events } = setUp(m, (n) => (n === 1 ? { fail } : {}), { random: () => 1 });
      ask(0, 'a');
      m.flush();
      expect(log).toEqual(['650 a T2']);
      expect(events).toContain(`200 refreshFailed ${errorText(fail)} 1 250`);
    },
    [
      ...[408, 425, 429, 500, 503, 399].map((status) => ({ name: String(status), fail: { name: 'Custom', status } })),
      { name: 'a status in letters', fail: { name: 'Custom', status: '400' } },
      { name: 'another error code', fail: { name: 'Custom', error: 'temporarily_unavailable' } },
      { name: 'an error that is no code', fail: { name: 'Custom', error: { invalid_grant: true } } },
      { name: 'anything else', fail: down },
      { name: 'a string', fail: 'down' },
    ],
  );

  cases(
    'asks isPermanent',
    (m, { isPermanent, result }) => {
      const { log, ask } = setUp(m, (n) => (n === 1 ? { fail: { status: 400 } } : {}), {
        random: () => 1,
        isPermanent,
      });
      ask(0, 'a');
      m.flush();
      expect(log).toEqual([result]);
    },
    [
      { name: 'no', isPermanent: () => false, result: '650 a T2' },
      { name: 'yes', isPermanent: () => true, result: '200 a !TokenUnavailableError(!400)' },
      {
        name: 'one that throws means no',
        isPermanent: () => {
          throw down;
        },
        result: '650 a T2',
      },
      {
        name: 'one that is async means no',
        isPermanent: (() => Promise.reject(down)) as unknown as () => boolean,
        result: '650 a T2',
      },
    ],
  );

  cases(
    'takes for transient',
    (m, { source }) => {
      let asked = 0;
      const token$ = createTokenStream(() => (++asked === 1 ? source() : of({ access_token: 'T2', expires_in: 30 })), {
        scheduler: m.scheduler,
        jitter: 0,
        random: () => 1,
        idleTimeout: 0,
      });
      m.expect(plain(token$.pipe(take(1)))).toBeObservable('250ms (t|)', { t: 'T2' });
    },
    [
      {
        name: 'a source that throws',
        source: () => {
          throw down;
        },
      },
      { name: 'a source that completes without a value', source: () => EMPTY },
      {
        name: 'a lifetime that throws',
        source: () =>
          of({
            access_token: 'T1',
            get expires_in(): number {
              throw down;
            },
          }),
      },
    ],
  );

  it(
    'stops when nobody waits, subscribes or uses the stream any more',
    marbles((m) => {
      const { token$, asked, events, at, ask, pendingAt } = setUp(m, () => ({ took: 0, fail: down }), {
        random: () => 1,
      });
      ask(0, 'a', { maxWait: 300 });
      const watching = token$.subscribe();
      at(600, () => watching.unsubscribe());
      const pending = pendingAt(3000);
      m.flush();
      expect(asked).toEqual(['0 initial', '250 initial #2']);
      expect(events.at(-1)).toBe('750 idle');
      expect(pending.count).toBe(0);
    }),
  );

  it(
    'stops at once when a fetch fails that nobody waits for any more',
    marbles((m) => {
      const { token$, asked, events, at, ask, pendingAt } = setUp(m, (n) => (n === 1 ? { fail: down } : {}), {
        random: () => 1,
      });
      const leaving = token$.subscribe();
      at(100, () => leaving.unsubscribe());
      const pending = pendingAt(200);
      ask(210, 'a'); // and still, whoever comes then waits for the rest of the pause
      m.flush();
      expect(pending.count).toBe(1);
      expect(events.slice(1, 3)).toEqual(['200 refreshFailed !Error down 1 null', '200 idle']);
      expect(asked.slice(0, 2)).toEqual(['0 initial', '450 initial']);
    }),
  );

  it(
    'heals all by the next success: the stream never dies of an error',
    marbles((m) => {
      const { token$, log, ask, at, tell } = setUp(
        m,
        (n) => (n === 1 ? { fail: { status: 400 } } : n <= 3 ? { fail: down } : {}),
        { random: () => 1 },
      );
      at(0, () => {
        tell('s', token$);
      });
      at(1000, () => {
        tell('t', token$);
      });
      ask(1000, 'a');
      at(4000, () => token$.close());
      m.flush();
      // Failures are counted since the last token: after three of them the pause is 1 s.
      expect(log).toEqual(['200 s !TokenUnavailableError(!400)', '3100 t T4', '3100 a T4']);
    }),
  );

  it(
    'leaves subscribers alone when it fails permanently while the token lives, and fails them when it is over',
    marbles((m) => {
      const { token$, log, at, tell } = setUp(m, (n) => (n === 1 ? {} : { fail: { status: 400 } }));
      at(0, () => {
        tell('s', token$);
      });
      at(26_000, () => {
        tell('r', token$.refresh());
      });
      m.flush();
      expect(log).toEqual(['200 s T1', '26200 r !TokenUnavailableError(!400)', '29200 s !TokenUnavailableError(!400)']);
    }),
  );
});

describe('13: what is not a token response', () => {
  cases(
    'is rejected, and asked for again if it may come',
    (m, { response, error }) => {
      const { log, events, ask } = setUp(m, (n) => (n === 1 ? { response } : {}), { random: () => 1 });
      ask(0, 'a');
      m.flush();
      expect(log).toEqual(['650 a T2']);
      expect(events).toContain(`200 refreshFailed ${error} 1 250`);
    },
    [
      { name: 'a null access_token', response: { access_token: null }, error: '!InvalidTokenResponseError' },
      { name: 'an empty access_token', response: { access_token: '' }, error: '!InvalidTokenResponseError' },
      { name: 'a control character', response: { access_token: 'T\n1' }, error: '!InvalidTokenResponseError' },
      { name: 'an error of the server', response: { error: 'temporarily_unavailable' }, error: '!TokenEndpointError' },
      { name: 'a status of the server', response: { status: 503 }, error: '!503' },
    ],
  );

  cases(
    'fails at once when the server or the source has understood, and gives something else',
    (m, { response, error = '!InvalidTokenResponseError' }) => {
      const { asked, log, events, ask } = setUp(m, () => ({ response }), { random: () => 1 });
      ask(0, 'a');
      m.flush();
      expect(log).toEqual([`200 a !TokenUnavailableError(${error})`]);
      expect(events).toContain(`200 refreshFailed ${error} 1 null permanent`);
      expect(asked).toEqual(['0 initial']);
    },
    [
      { name: 'a string', response: 'T1' },
      { name: 'null', response: null },
      { name: 'an array', response: [{ access_token: 'T1' }] },
      { name: 'a number', response: 7 },
      { name: 'no access_token', response: { expires_in: 30 } },
      { name: 'an access_token that is a number', response: { access_token: 7 } },
      { name: 'a refusal without an error', response: { success: false, message: 'Invalid credentials' } },
      { name: 'the number of an error', response: { errcode: 40125, errmsg: 'invalid appsecret' } },
      { name: 'a token in a member', response: { data: { login: { token: 'T1' } } } },
      { name: 'an error that is no string', response: { error: true }, error: '!TokenEndpointError' },
      { name: 'a list of errors', response: { errors: [{ message: 'no' }] }, error: '!TokenEndpointError' },
    ] as { name: string; response: unknown; error?: string }[],
  );

  it(
    'is an error of the endpoint, with its code, when it says so',
    marbles((m) => {
      const { token$, ask, log } = setUp(m, () => ({
        response: { error: 'invalid_grant', error_description: 'revoked' },
      }));
      let cause: unknown;
      token$.subscribe({ error: (error: unknown) => (cause = (error as Error).cause) });
      ask(0, 'a');
      m.flush();
      expect(log).toEqual(['200 a !TokenUnavailableError(!TokenEndpointError)']);
      expect(cause).toMatchObject({
        name: 'TokenEndpointError',
        code: 'ERR_TOKEN_ENDPOINT',
        error: 'invalid_grant',
        error_description: 'revoked',
      });
    }),
  );
});

describe('14: what a renewal brings', () => {
  it(
    'never replaces a living token by one that is expired already',
    marbles((m) => {
      const { token$, asked, log, at, after, ask, tell } = setUp(m, (n) => (n === 1 ? {} : { life: 0 }));
      at(0, () => {
        tell('s', token$);
      });
      at(10_000, () => {
        tell('r', token$.refresh());
      });
      after(10_200, () => expect(token$.current?.value).toBe('T1'));
      ask(25_500, 'a');
      ask(28_999, 'b');
      at(28_999, () => token$.close());
      m.flush();
      expect(log).toEqual(['200 s T1', '10200 r T2', '25500 a T1', '28999 b T1']);
      expect(asked).toEqual([
        '0 initial',
        '10000 manual',
        '25000 scheduled',
        '26000 scheduled',
        '27000 scheduled',
        '28000 scheduled',
      ]);
    }),
  );

  it(
    'updates the life of the very value at hand, and tells nobody of it',
    marbles((m) => {
      const { token$, asked, events, log, at, ask, tell } = setUp(m, () => ({ value: 'same' }));
      at(0, () => {
        tell('s', token$);
      });
      at(10_000, () => {
        tell('r', token$.refresh());
      });
      at(10_201, () => expect(token$.current).toMatchObject({ issuedAt: 10_000, expiresAt: 40_000 }));
      ask(36_000, 'a');
      at(40_000, () => token$.close());
      m.flush();
      expect(log).toEqual(['200 s same', '10200 r same', '36000 a same']);
      expect(asked).toEqual(['0 initial', '10000 manual', '35000 scheduled']);
      expect(events.filter((event) => event.includes('tokenChanged'))).toEqual([
        '200 tokenChanged - same initial 200 fetched',
      ]);
    }),
  );

  it(
    'tells subscribers of every new token, once',
    marbles((m) => {
      const { token$ } = setUp(m, (n) => ({ value: ['a', 'a', 'b', 'b', 'c'][n - 1] ?? 'd' }), { idleTimeout: 0 });
      m.expect(plain(token$), '^ 105s !').toBeObservable('200ms a 49999ms b 49999ms c');
    }),
  );

  it(
    'starts from an initial token, unless that is over',
    marbles((m) => {
      const living = setUp(m, undefined, { initial: { access_token: 'I', expires_in: 30 }, idleTimeout: 0 });
      const ended = setUp(m, undefined, { initial: { access_token: 'I', expires_in: 0 }, idleTimeout: 0 });
      expect(living.token$.current).toMatchObject({ value: 'I', issuedAt: 0, expiresAt: 30_000 });
      expect(ended.token$.current).toBeNull();
      m.expect(plain(living.token$), '^ 26s !').toBeObservable('I 25199ms T', { I: 'I', T: 'T1' });
      m.expect(plain(ended.token$), '^ 20s !').toBeObservable('200ms T', { T: 'T1' });
      m.flush();
      expect([living.asked, ended.asked]).toEqual([['25000 scheduled'], ['0 initial']]);
      expect(living.events[0]).toBe('0 tokenChanged - I initial 0 initial');
      expect(() => createTokenStream(() => NEVER, { initial: { access_token: '' } })).toThrow(TypeError);
    }),
  );

  it(
    'gives requests that wait a token that cannot be kept, and the next ones another',
    marbles((m) => {
      const { token$, log, at, tell } = setUp(m, () => ({ life: 0, took: 0 }), { idleTimeout: 0 });
      at(0, () => {
        tell(
          'a',
          withToken(token$, ({ value }) => timer(0).pipe(switchMap(() => of(value)))),
        );
      });
      at(0, () => {
        tell(
          'b',
          withToken(token$, ({ value }) => of(value)),
        );
      });
      m.flush();
      expect(log).toEqual(['0 a T1', '1000 b T2']);
    }),
  );
});
