/* eslint rxjs-x/throw-error: off, @typescript-eslint/class-literal-property-style: off -- sources throw what they like, and some have getters */
import { Response as PonyfillResponse } from 'cross-fetch';
import { firstValueFrom, map, of, timer, type Observable } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import {
  createFetch,
  createHttpClient,
  isTokenError,
  takeToken,
  type TokenResponse,
  type TokenSource,
} from 'rx-fresh-token';
import { answer, openStream, rejection, serving, setUp } from './rig.js';

const body = { access_token: 'T1', expires_in: 30 };

/** What one caller gets of a source, and how often that is asked meanwhile. */
async function resultOf(source: TokenSource) {
  let asked = 0;
  const token$ = openStream((request) => (asked++, source(request)), { maxWait: 1000 });
  const result: unknown = await firstValueFrom(takeToken(token$)).catch((error: unknown) => error);
  return { result, cause: (result as Error).cause, asked };
}

const after = (took: number, status: number): Observable<Response> => timer(took).pipe(map(() => answer(status)));
const failure = (fields: object): Error => Object.assign(new Error('failed'), fields);

describe('11: Retry-After is read in every form of a date, and as whatever a client makes of it', () => {
  it.each<[string, unknown, string | undefined]>([
    ['the form of asctime, which is in UTC', 'Thu Jan  1 00:00:20 2026', 'Thu, 01 Jan 2026 00:00:00 GMT'],
    ['RFC 850', 'Thursday, 01-Jan-26 00:00:20 GMT', 'Thu Jan  1 00:00:00 2026'],
    ['another zone', 'Thu, 01 Jan 2026 02:00:20 +0200', 'Thu, 01 Jan 2026 00:00:00 GMT'],
    ['a number', 20, undefined],
    ['a list of one', ['20'], undefined],
  ])('%s', (_form, retryAfter, date) => {
    marbles((m) => {
      const headers = { 'retry-after': retryAfter, ...(date !== undefined && { date }) };
      const { tell, token$, events } = setUp(m, () => ({ fail: failure({ status: 503, headers }) }));
      tell('a', takeToken(token$));
      m.scheduler.schedule(() => {
        token$.close();
      }, 1000);
      m.flush();
      expect(events).toContain('200 refreshFailed !503 1 20000');
    })();
  });
});

describe('13, 28: an error that is an object is read like one that is text', () => {
  it.each<[string, TokenSource, string]>([
    ['in a body', () => of({ error: { code: 'invalid_client' } } as unknown as TokenResponse), 'invalid_client'],
    ['in a Response', () => [new Response('{"error":{"code":"access_denied"}}')], 'access_denied'],
  ])('%s', async (_place, source, error) => {
    const { cause, asked } = await resultOf(source);
    expect(isTokenError(cause, 'ERR_TOKEN_ENDPOINT')).toBe(true);
    expect([asked, cause]).toMatchObject([1, { error }]);
  });

  cases(
    'where the clients keep it',
    (m, { fields, permanent }) => {
      const { tell, token$, at, events } = setUp(m, () => ({ fail: failure(fields) }));
      tell('a', takeToken(token$));
      at(300, () => {
        token$.close();
      });
      m.flush();
      expect(events.some((event) => event.endsWith(' permanent'))).toBe(permanent);
    },
    {
      "Angular's, come later": { fields: { status: 400, error: { error: 'slow_down' } }, permanent: false },
      "Angular's, as text": { fields: { status: 400, error: '{"error":"slow_down"}' }, permanent: false },
      "Angular's, permanent": { fields: { status: 500, error: { error: 'invalid_grant' } }, permanent: true },
      "Angular's, a page": { fields: { status: 403, error: '<html>' }, permanent: false },
      'a rate': { fields: { status: 400, data: { error: { code: 'rate_limit_exceeded' } } }, permanent: false },
      'a code of the network is none': { fields: { error: { code: 'ECONNRESET' } }, permanent: false },
    },
  );
});

describe('17: an explicit rejection is remembered for 60 s', () => {
  it(
    'by a clock that is set back, too',
    marbles((m) => {
      let skew = 0;
      const now = () => m.scheduler.now() + skew;
      const { call, at, end, log } = serving(m, () => ({ life: 7200 }), { now });
      const key = 'GET /a';
      call(1000, 'a', (token) => after(10, token === 'T3' ? 200 : 401), { key });
      at(2000, () => (skew = -3_600_000));
      call(3000, 'a', (token) => after(10, token === 'T3' ? 200 : 401), { key });
      call(64_000, 'a', (token) => after(10, token === 'T3' ? 200 : 401), { key });
      end(70_000);
      expect(log).toEqual(['1220 a 401', '3010 a 401', '64220 a 200']);
    }),
  );
});

describe('20: what is sent is what was given', () => {
  it('in an init that has its fields as getters of a class, too', async () => {
    const sent: (RequestInit | undefined)[] = [];
    const fetch = (_input: unknown, init?: RequestInit) => (sent.push(init), Promise.resolve(answer(200)));
    const token$ = openStream(() => of(body));
    const { signal } = new AbortController();
    class Init {
      get method() {
        return 'DELETE';
      }
      get body() {
        return 'tea';
      }
      get signal() {
        return signal;
      }
    }
    await createFetch(token$, { baseUrl: 'https://api.example', fetch })('/orders', new Init());
    expect(sent).toMatchObject([{ method: 'DELETE', body: 'tea', signal }]);
  });
});

describe('27: a Response is judged by its status, and read as far as it can be', () => {
  const unreadable = () =>
    new Response(
      new ReadableStream({
        start: (controller) => {
          controller.error(new TypeError('terminated'));
        },
      }),
      { status: 401 },
    );
  const read = async (response: Response) => (await response.text(), response);

  it.each<[string, TokenSource]>([
    ['a body that breaks off', () => [unreadable()]],
    ['a body that has been read', () => read(new Response('no', { status: 401 }))],
  ])('a 401 with %s is a 401', async (_body, source) => {
    const { cause, asked } = await resultOf(source);
    expect([asked, cause]).toMatchObject([1, { status: 401 }]);
  });

  it('a 200 whose body has been read is a mistake', async () => {
    const { cause, asked } = await resultOf(() => read(new Response(JSON.stringify(body))));
    expect(asked).toBe(1);
    expect(String(cause)).toContain('whose body has been read');
  });

  it('a byte order mark is no part of it, whichever fetch', async () => {
    const { result } = await resultOf(() => Promise.resolve(new PonyfillResponse(`\uFEFF${JSON.stringify(body)}`)));
    expect(result).toMatchObject({ value: 'T1' });
  });

  it('nor of what an API answers', async () => {
    const headers = { 'content-type': 'application/json' };
    const fetch = () => Promise.resolve(new PonyfillResponse('\uFEFF{"item":"tea"}', { headers }));
    const http = createHttpClient(
      openStream(() => of(body)),
      { baseUrl: 'https://api.example', fetch },
    );
    await expect(firstValueFrom(http.get('/orders'))).resolves.toEqual({ item: 'tea' });
  });

  it('an object of a class may have getters', async () => {
    class Answer {
      [extra: string]: unknown;
      get access_token() {
        return 'T1';
      }
      get expires_in() {
        return 30;
      }
    }
    const { result } = await resultOf(() => of(new Answer()));
    expect(result).toMatchObject({ value: 'T1', raw: body });
  });
});

describe('32: a 403 that a token does not cure', () => {
  cases(
    'costs no refresh',
    (m, { headers }) => {
      const { call, end, asked } = serving(m);
      const rejected = Object.assign(rejection(403) as object, { headers });
      call(1000, 'a', () => of(rejected));
      end(2000);
      expect(asked).toEqual(['0 initial']);
    },
    {
      'a list of challenges': { headers: { 'www-authenticate': ['Bearer error="insufficient_scope"', 'Basic'] } },
      'a limit as a number': { headers: { 'x-ratelimit-remaining': 0 } },
      'a pause as a number': { headers: { 'retry-after': 5 } },
    },
  );
});

describe('33: a token that is rejected everywhere for 1.5 s after its issue costs at most 3 tokens', () => {
  it(
    'while late answers still accept an older one',
    marbles((m) => {
      const issued: Record<string, number> = {};
      const { call, end, asked, token$ } = serving(m, () => ({ took: 50, life: 7200 }));
      token$.events.subscribe((event) => {
        if (event.type === 'tokenChanged') issued[event.token.value] = event.at;
      });
      for (let i = 0; i < 40; i++) call(9100 + i * 20, 'slow', () => after(1000, 200), { key: `GET /slow/${i}` });
      const isBad = (token: string) => token === 'T1' || m.scheduler.now() - (issued[token] ?? 0) < 1500;
      for (let i = 0; i < 100; i++)
        call(10_000 + i * 37, 'quick', (token) => after(5, isBad(token) ? 401 : 200), { key: `GET /quick/${i}` });
      end(20_000);
      expect(asked.length - 1).toBeLessThanOrEqual(3);
    }),
  );
});

const HOUR = 3_600_000;

describe('11: a server that says when to come again', () => {
  it(
    'should be believed by its own clock, where it tells it',
    marbles((m) => {
      // The server's clock is an hour ahead.
      const headers = { 'retry-after': new Date(HOUR + 8000).toUTCString(), date: new Date(HOUR).toUTCString() };
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail: { status: 503, headers } } : { took: 0 }));
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['8000 a T2']);
    }),
  );

  it(
    'should be believed after a permanent failure, too',
    marbles((m) => {
      const rig = setUp(m, (n) => (n === 1 ? { took: 0, fail: { status: 403, retryAfter: 5000 } } : { took: 0 }), {
        idleTimeout: 0,
      });
      for (const [index, ms] of [0, 1000, 4999, 5000].entries()) rig.ask(ms, String(index));
      m.flush();
      expect(rig.asked).toEqual(['0 initial', '5000 initial']);
      expect(rig.log.at(-1)).toBe('5000 3 T2');
    }),
  );
});

describe('13: an error in a token response', () => {
  it(
    '13: should take an error for one beside an empty token',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0, response: { access_token: '', error: 'invalid_grant' } }));
      rig.ask(0, 'a');
      m.flush();
      expect(rig.log).toEqual(['0 a !TokenUnavailableError(!TokenEndpointError)']);
    }),
  );
});
