import { first, firstValueFrom, NEVER, of } from 'rxjs';
import { createFetch, createHttpClient, withToken, type AccessToken, type TokenStream } from 'rx-fresh-token';
import {
  answer,
  cleanUp,
  failureOf,
  fetches,
  guarded,
  serve,
  stubFetch,
  tokens,
  until,
  warmTokens,
} from './support.js';

afterEach(cleanUp);

const base = 'https://api.example.com';

/** Some server accepts the token at hand: without that, the next rejection would not force another. */
const accept = (token$: TokenStream) => firstValueFrom(withToken(token$, () => of('ok')));

describe('createFetch', () => {
  describe('the header', () => {
    it('should send "Authorization: Bearer <token>"', async () => {
      const api = await serve(guarded('T1'));
      const { token$ } = tokens();
      const response = await createFetch(token$, { baseUrl: api.origin })('/orders');
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('hello T1');
      expect(api.authorizations()).toEqual(['Bearer T1']);
    });

    it('should use the type that the token response names', async () => {
      const { token$ } = tokens({ initial: { access_token: 'abc', token_type: 'DPoP', expires_in: 60 } });
      const { fetch, calls } = stubFetch(200);
      await createFetch(token$, { baseUrl: base, fetch })('/');
      expect(calls[0]!.headers.get('authorization')).toBe('DPoP abc');
    });

    it('should call the injected fetch synchronously while a fresh token is at hand', async () => {
      const { token$ } = await warmTokens();
      const { fetch, calls } = stubFetch(200);
      const answered = createFetch(token$, { baseUrl: base, fetch })('/');
      expect(calls).toHaveLength(1);
      await answered;
    });

    it('should hand out the very Response of the injected fetch', async () => {
      const { token$ } = await warmTokens();
      const response = new Response('x', { status: 202 });
      expect(await createFetch(token$, { baseUrl: base, fetch: stubFetch(response).fetch })('/')).toBe(response);
    });

    it.each<[string, HeadersInit]>([
      ['a record', { 'X-Trace': '7', accept: 'text/plain' }],
      [
        'an array of pairs',
        [
          ['X-Trace', '7'],
          ['accept', 'text/plain'],
        ],
      ],
      ['Headers', new Headers({ 'X-Trace': '7', accept: 'text/plain' })],
      [
        'a record without a prototype',
        Object.assign(Object.create(null) as Record<string, string>, { 'X-Trace': '7', accept: 'text/plain' }),
      ],
      [
        'an instance of a class',
        new (class {
          readonly 'X-Trace' = '7';
          readonly accept = 'text/plain';
        })() as never,
      ],
    ])('should keep the headers of the caller, given as %s', async (_kind, headers) => {
      const before = JSON.stringify([...new Headers(headers)]);
      const { token$ } = await warmTokens();
      const { fetch, calls } = stubFetch(200);
      await createFetch(token$, { baseUrl: base, fetch })('/', { headers });
      expect([...calls[0]!.headers]).toEqual([
        ['accept', 'text/plain'],
        ['authorization', 'Bearer T1'],
        ['x-trace', '7'],
      ]);
      expect(JSON.stringify([...new Headers(headers)])).toBe(before);
    });

    it('should pass the rest of the init through', async () => {
      const { token$ } = await warmTokens();
      const { fetch, calls } = stubFetch(200);
      const init = { method: 'PUT', body: 'x', cache: 'no-store', credentials: 'omit', dispatcher: {} } as RequestInit;
      await createFetch(token$, { baseUrl: base, fetch })('/', init);
      expect(calls[0]!.init).toMatchObject(init);
    });

    describe.each(fetches)('with a custom authorize over %s', (_name, fetch) => {
      it('should put the token where the function puts it, on the repeat too, and nowhere else', async () => {
        const api = await serve(({ headers }, response) => {
          answer(response, headers['x-api-key'] === 'key T2' ? 200 : 401);
        });
        const { token$, asked } = tokens();
        const authorize = (headers: Headers, token: AccessToken) => {
          headers.set('x-api-key', `key ${token.value}`);
        };
        const response = await createFetch(token$, { baseUrl: api.origin, fetch, authorize })('/', {
          headers: { 'x-api-key': 'mine', 'x-other': '1' },
        });
        expect(response.status).toBe(200);
        expect(
          api.seen.map(({ headers }) => [headers['x-api-key'], headers['x-other'], headers.authorization]),
        ).toEqual([
          ['key T1', '1', undefined],
          ['key T2', '1', undefined],
        ]);
        expect(asked).toHaveLength(2);
      });
    });

    it.each<[string, () => unknown]>([
      ['headers', () => ({ 'x-token': 'T1' })],
      ['a promise', () => Promise.resolve()],
    ])('should reject where authorize returns %s, and send nothing', async (_what, authorize) => {
      const { token$ } = await warmTokens();
      const { fetch, calls } = stubFetch();
      const error = await failureOf(createFetch(token$, { baseUrl: base, fetch, authorize: authorize })('/'));
      expect([String(error), calls]).toEqual([
        expect.stringMatching(/^TypeError: option "authorize" .* return nothing$/),
        [],
      ]);
    });

    it('should leave no rejection unhandled where authorize is async and fails', async () => {
      const { token$ } = await warmTokens();
      const then = jest.fn();
      const authorize = (() => ({ then })) as never;
      await failureOf(createFetch(token$, { baseUrl: base, fetch: stubFetch().fetch, authorize })('/'));
      expect(then).toHaveBeenCalledWith(undefined, expect.any(Function));
    });

    it('should reject with what authorize throws, and send nothing', async () => {
      const { token$ } = await warmTokens();
      const { fetch, calls } = stubFetch(200);
      const mistake = new RangeError('no key');
      const authorize = () => {
        throw mistake;
      };
      expect(await failureOf(createFetch(token$, { baseUrl: base, fetch, authorize })('/'))).toBe(mistake);
      expect(calls).toHaveLength(0);
    });
  });

  describe('the input', () => {
    it.each<[string, () => string | URL | Request, string]>([
      ['an absolute string', () => `${base}/a?b=c`, `${base}/a?b=c`],
      ['a URL', () => new URL(`${base}/a?b=c`), `${base}/a?b=c`],
      ['a relative string', () => 'a?b=c', `${base}/a?b=c`],
      ['a string with surrounding blanks', () => ` ${base}/a `, `${base}/a`],
    ])('should take %s', async (_kind, input, url) => {
      const { token$ } = await warmTokens();
      const { fetch, calls } = stubFetch(200);
      await createFetch(token$, { baseUrl: base, fetch })(input());
      expect(calls[0]!.input).toBe(url);
    });

    it('should take a Request with its method, headers and body', async () => {
      const api = await serve(guarded('T1'));
      const { token$ } = tokens();
      const request = new Request(`${api.origin}/a`, { method: 'PUT', headers: { 'x-trace': '7' }, body: 'payload' });
      const response = await createFetch(token$, { baseUrl: api.origin })(request);
      expect(response.status).toBe(200);
      expect(api.seen[0]).toMatchObject({
        method: 'PUT',
        path: '/a',
        headers: { 'x-trace': '7', authorization: 'Bearer T1' },
      });
      expect(api.seen[0]!.body.toString()).toBe('payload');
    });

    it('should let the init win over the Request, as fetch does', async () => {
      const api = await serve(guarded('T1'));
      const { token$ } = tokens();
      const request = new Request(`${api.origin}/a`, { method: 'PUT', headers: { 'x-trace': '7' }, body: 'payload' });
      await createFetch(token$, { baseUrl: api.origin })(request, {
        method: 'PATCH',
        headers: { 'x-mine': '8' },
        body: 'other',
      });
      expect(api.seen[0]).toMatchObject({ method: 'PATCH', headers: { 'x-mine': '8', authorization: 'Bearer T1' } });
      expect(api.seen[0]!.headers['x-trace']).toBeUndefined();
      expect(api.seen[0]!.body.toString()).toBe('other');
    });

    it('should keep what the Request has where the init has undefined', async () => {
      const api = await serve(guarded('T1'));
      const { token$ } = tokens();
      const request = new Request(`${api.origin}/a`, { method: 'PUT', headers: { 'x-trace': '7' }, body: 'payload' });
      await createFetch(token$, { baseUrl: api.origin })(request, {
        method: undefined,
        headers: undefined,
        body: undefined,
      });
      expect(api.seen[0]).toMatchObject({ method: 'PUT', headers: { 'x-trace': '7', authorization: 'Bearer T1' } });
      expect(api.seen[0]!.body.toString()).toBe('payload');
    });

    it('should reject a Request whose body was read already', async () => {
      const { token$ } = await warmTokens();
      const request = new Request(`${base}/a`, { method: 'PUT', body: 'payload' });
      await request.text();
      const { fetch, calls } = stubFetch(200);
      expect((await failureOf(createFetch(token$, { baseUrl: base, fetch })(request))).name).toBe('TypeError');
      expect(calls).toHaveLength(0);
    });
  });

  describe("an Authorization header of the caller's", () => {
    it.each<[string, RequestInit | Request]>([
      ['a record', { headers: { Authorization: 'Basic mine' } }],
      ['a record in lower case', { headers: { authorization: 'Basic mine' } }],
      ['an array of pairs', { headers: [['AUTHORIZATION', 'Basic mine']] }],
      ['Headers', { headers: new Headers({ authorization: 'Basic mine' }) }],
      ['an iterator', { headers: new Map([['authorization', 'Basic mine']]).entries() as never }],
    ])('should be left alone, given in %s, and its rejection passed on without a refresh', async (_kind, init) => {
      const { token$, asked, events } = await warmTokens();
      const rejection = new Response('no', { status: 401 });
      const { fetch, calls } = stubFetch(rejection, 200);
      expect(await createFetch(token$, { baseUrl: base, fetch })('/', init as RequestInit)).toBe(rejection);
      expect(calls.map(({ headers }) => headers.get('authorization'))).toEqual(['Basic mine']);
      expect(asked).toHaveLength(1);
      expect(events.map(({ type }) => type)).not.toContain('tokenRejected');
    });

    it('should be left alone in a Request', async () => {
      const api = await serve((_seen, response) => {
        answer(response, 401);
      });
      const { token$, asked } = await warmTokens();
      const request = new Request(`${api.origin}/a`, { headers: { Authorization: 'Basic mine' } });
      expect((await createFetch(token$, { baseUrl: api.origin })(request)).status).toBe(401);
      expect(api.authorizations()).toEqual(['Basic mine']);
      expect(asked).toHaveLength(1);
    });

    it('should fetch no token at all', async () => {
      const { token$, asked } = tokens();
      await createFetch(token$, { baseUrl: base, fetch: stubFetch(200).fetch })('/', {
        headers: { Authorization: 'Basic mine' },
      });
      expect(asked).toHaveLength(0);
    });

    it('should not let a request leave for another origin', async () => {
      const { token$ } = tokens();
      const { fetch, calls } = stubFetch(200);
      const error = await failureOf(
        createFetch(token$, { baseUrl: base, fetch })('https://other.example/', {
          headers: { Authorization: 'Basic mine' },
        }),
      );
      expect(error.code).toBe('ERR_ORIGIN_NOT_ALLOWED');
      expect(calls).toHaveLength(0);
    });
  });
});

describe.each(fetches)('a rejected token over %s', (_name, fetch) => {
  it.each<[string, number, Record<string, string>]>([
    ['401', 401, {}],
    ['403', 403, {}],
    ['403 invalid_token', 403, { 'www-authenticate': 'Bearer error="invalid_token"' }],
    ['403 with an unknown challenge', 403, { 'www-authenticate': 'Bearer realm="insufficient_scope"' }],
  ])('should be replaced and the request repeated once after %s', async (_kind, status, headers) => {
    const api = await serve((seen, response) => {
      if (seen.headers.authorization === 'Bearer T2') answer(response, 200, 'done');
      else answer(response, status, 'rejected', headers);
    });
    const { token$, asked } = tokens();
    const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/orders?x=1', {
      method: 'POST',
      body: 'order',
    });
    expect([response.status, await response.text()]).toEqual([200, 'done']);
    expect(api.authorizations()).toEqual(['Bearer T1', 'Bearer T2']);
    expect(api.seen.map(({ method, path, body }) => [method, path, body.toString()])).toEqual([
      ['POST', '/orders?x=1', 'order'],
      ['POST', '/orders?x=1', 'order'],
    ]);
    expect(asked.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
  });

  it.each([
    'Bearer error="insufficient_scope"',
    'Bearer realm="x", error=insufficient_scope, scope="admin"',
    'bearer ERROR="insufficient_scope"',
  ])('should be passed on without a refresh when the challenge is %s', async (challenge) => {
    const api = await serve((_seen, response) => {
      answer(response, 403, 'forbidden', { 'www-authenticate': challenge });
    });
    const { token$, asked } = tokens();
    const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/');
    expect([response.status, await response.text()]).toEqual([403, 'forbidden']);
    expect(api.seen).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  it.each([200, 204, 400, 402, 404, 419, 429, 500, 503])('should not be suspected after %s', async (status) => {
    const api = await serve((_seen, response) => {
      answer(response, status);
    });
    const { token$, asked } = tokens();
    expect((await createFetch(token$, { baseUrl: api.origin, fetch })('/')).status).toBe(status);
    expect([api.seen.length, asked.length]).toEqual([1, 1]);
  });

  it('should give the caller the second answer, readable, after exactly two requests', async () => {
    const api = await serve((_seen, response) => {
      answer(response, 401, `answer ${String(api.seen.length)}`);
    });
    const { token$, asked } = tokens();
    const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/');
    expect([response.status, await response.text()]).toEqual([401, 'answer 2']);
    expect(api.authorizations()).toEqual(['Bearer T1', 'Bearer T2']);
    expect(asked).toHaveLength(2);
  });

  it('should cost one token fetch for 500 concurrent rejections', async () => {
    const held: (() => void)[] = [];
    const api = await serve((seen, response) => {
      if (seen.headers.authorization === 'Bearer T2') {
        answer(response, 200, seen.path);
        return;
      }
      // Nobody is rejected before all have asked.
      held.push(() => {
        answer(response, 401);
      });
      if (held.length === 500) for (const reject of held) reject();
    });
    const { token$, asked } = await warmTokens();
    const ride = createFetch(token$, { baseUrl: api.origin, fetch });
    const bodies = await Promise.all(Array.from({ length: 500 }, async (_, i) => (await ride(`/${String(i)}`)).text()));
    expect(bodies).toEqual(Array.from({ length: 500 }, (_, i) => `/${String(i)}`));
    expect(asked).toHaveLength(2);
    expect(api.seen).toHaveLength(1000);
  });

  it('should not hold connections after small rejections', async () => {
    const api = await serve((seen, response) => {
      answer(response, seen.headers['x-try'] === undefined && api.seen.length % 2 === 1 ? 401 : 200, 'small');
    });
    const { token$ } = await warmTokens({ rejectionBudget: { max: Infinity } });
    const ride = createFetch(token$, { baseUrl: api.origin, fetch });
    for (let i = 0; i < 40; i++) await (await ride(`/${String(i)}`)).text();
    expect(api.seen).toHaveLength(80);
    await until(() => api.sockets.size <= 3);
  });

  it('should not hold connections after large rejections', async () => {
    const large = 'x'.repeat(2_000_000);
    const api = await serve((_seen, response) => {
      if (api.seen.length % 2 === 1) answer(response, 401, large);
      else answer(response, 200, 'done');
    });
    const { token$ } = await warmTokens({ rejectionBudget: { max: Infinity } });
    const ride = createFetch(token$, { baseUrl: api.origin, fetch });
    for (let i = 0; i < 8; i++) expect(await (await ride(`/${String(i)}`)).text()).toBe('done');
    await until(() => api.sockets.size <= 3);
  });

  it('should pass the rejection on, readable, when the refresh fails', async () => {
    const api = await serve((_seen, response) => {
      answer(response, 401, 'rejected');
    });
    const { token$ } = tokens({}, (_request, n) => {
      if (n > 1) throw Object.assign(new Error('revoked'), { error: 'invalid_grant' });
      return [{ access_token: 'T1', expires_in: 3600 }];
    });
    const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/');
    expect([response.status, await response.text()]).toEqual([401, 'rejected']);
    expect(api.seen).toHaveLength(1);
  });

  it('should pass the rejection on, readable, when no new token comes within maxWait', async () => {
    const api = await serve((_seen, response) => {
      answer(response, 401, 'rejected');
    });
    const { token$ } = tokens({ maxWait: 30 }, (_request, n) =>
      n > 1 ? NEVER : [{ access_token: 'T1', expires_in: 3600 }],
    );
    const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/');
    expect([response.status, await response.text()]).toEqual([401, 'rejected']);
  });
});

describe('an injected fetch that fails', () => {
  it.each<[string, () => Promise<never>, unknown]>([
    [
      'rejects with null',
      async () => {
        throw await Promise.resolve(null as unknown);
      },
      null,
    ],
    [
      'rejects with what merely has the name of an error',
      () => Promise.reject(Object.assign(Object.create(null) as Error, { name: 'TypeError' })),
      { name: 'TypeError' },
    ],
    ['rejects with an error of its own', () => Promise.reject(new RangeError('mine')), new RangeError('mine')],
    [
      'throws at once',
      () => {
        throw new RangeError('mine');
      },
      new RangeError('mine'),
    ],
  ])('should make the promise reject with the same when it %s', async (_kind, fetch, reason) => {
    const warm = createFetch((await warmTokens()).token$, { baseUrl: base, fetch });
    const cold = createFetch(tokens().token$, { baseUrl: base, fetch });
    for (const ride of [warm, cold]) {
      expect(await failureOf(ride('/'))).toEqual(reason);
      expect(await failureOf(ride('/', { headers: { authorization: 'Basic mine' } }))).toEqual(reason);
    }
  });
});

describe('a rejected token', () => {
  it('should cost one refresh and no repeat when the source returns the same token', async () => {
    const { token$, asked } = tokens({}, () => [{ access_token: 'same', expires_in: 60 }]);
    const { fetch, calls } = stubFetch(403);
    const ride = createFetch(token$, { baseUrl: base, fetch });
    expect((await ride('/x')).status).toBe(403);
    expect([calls.length, asked.length]).toEqual([1, 2]);
    expect((await ride('/x')).status).toBe(403);
    expect([calls.length, asked.length]).toEqual([2, 2]);
  });

  it('should hand out the very second Response', async () => {
    const { token$ } = await warmTokens();
    const second = new Response('two', { status: 401 });
    const { fetch } = stubFetch(new Response('one', { status: 401 }), second);
    const given = await createFetch(token$, { baseUrl: base, fetch })('/');
    expect(given).toBe(second);
    expect(given.bodyUsed).toBe(false);
  });

  it("should have the first answer's body cancelled", async () => {
    const { token$ } = await warmTokens();
    let cancelled = 0;
    const body = new ReadableStream({
      cancel: () => {
        cancelled++;
      },
    });
    await createFetch(token$, { baseUrl: base, fetch: stubFetch(new Response(body, { status: 401 }), 200).fetch })('/');
    expect(cancelled).toBe(1);
  });

  it('should be worth another refresh once the path has accepted a token, and not because the network failed the repeat', async () => {
    const { token$, asked } = await warmTokens();
    const { fetch, calls } = stubFetch(403, () => Promise.reject(new TypeError('fetch failed')), 403, 200, 403, 200);
    const ride = createFetch(token$, { baseUrl: base, fetch });
    expect((await failureOf(ride('/'))).message).toBe('fetch failed');
    expect((await ride('/')).status).toBe(403);
    expect((await ride('/')).status).toBe(200);
    expect((await ride('/')).status).toBe(200);
    expect([calls.length, asked.length]).toEqual([6, 3]);
  });

  it('should be judged by isRejection where one is given, and by nothing else', async () => {
    const { token$, asked } = await warmTokens();
    const isRejection = (response: Response) => response.status === 419 || response.headers.get('x-expired') === 'yes';
    const { fetch, calls } = stubFetch(
      new Response(null, { status: 200, headers: { 'x-expired': 'yes' } }),
      200,
      401,
      419,
      200,
    );
    const ride = createFetch(token$, { baseUrl: base, fetch, isRejection });
    expect((await ride('/a')).status).toBe(200);
    expect([calls.length, asked.length]).toEqual([2, 2]);
    expect((await ride('/b')).status).toBe(401);
    expect([calls.length, asked.length]).toEqual([3, 2]);
    expect((await ride('/c')).status).toBe(200);
    expect([calls.length, asked.length]).toEqual([5, 3]);
  });

  it('should cost no refresh when it was replaced while the request was on its way', async () => {
    const { token$, asked, events } = await warmTokens();
    const { fetch, calls } = stubFetch(async () => {
      await firstValueFrom(token$.refresh());
      return new Response(null, { status: 403 });
    }, 200);
    expect((await createFetch(token$, { baseUrl: base, fetch })('/')).status).toBe(200);
    expect(calls.map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer T1', 'Bearer T2']);
    expect(asked.map(({ reason }) => reason)).toEqual(['initial', 'manual']);
    expect(events.filter(({ type }) => type === 'tokenRejected')).toMatchObject([{ outcome: 'alreadyReplaced' }]);
  });

  it('should cost a forbidden path one refresh, whatever its query, and leave other paths and methods their own', async () => {
    const api = await serve((seen, response) => {
      answer(response, seen.path.startsWith('/admin') ? 403 : 200);
    });
    const { token$, asked } = await warmTokens();
    const ride = createFetch(token$, { baseUrl: api.origin });
    for (const query of ['', '?a=1', '?a=2', '#x']) expect((await ride(`/admin${query}`)).status).toBe(403);
    expect([asked.length, api.seen.length]).toEqual([2, 5]);
    await accept(token$);
    await ride('/admin', { method: 'POST' });
    expect([asked.length, api.seen.length]).toEqual([3, 7]);
    await accept(token$);
    await ride('/admin/users');
    expect([asked.length, api.seen.length]).toEqual([4, 9]);
    await ride('/admin', { method: 'post' });
    expect([asked.length, api.seen.length]).toEqual([4, 10]);
  });

  it('should force no more refreshes than the budget allows', async () => {
    const { token$, asked, events } = await warmTokens({ rejectionBudget: { max: 2, per: 60_000 } });
    const { fetch, calls } = stubFetch(403);
    const ride = createFetch(token$, { baseUrl: base, fetch });
    for (let i = 0; i < 5; i++) {
      await accept(token$);
      expect((await ride(`/${String(i)}`)).status).toBe(403);
    }
    expect(asked).toHaveLength(3);
    expect(calls).toHaveLength(2 * 2 + 3);
    expect(
      events.filter(({ type }) => type === 'tokenRejected').map((event) => (event as { outcome: string }).outcome),
    ).toEqual(['refreshing', 'refreshing', 'suppressed', 'suppressed', 'suppressed']);
  });

  it('should hold back requests that have not left after a 401, and let them go after a bare 403', async () => {
    for (const [status, second] of [
      [401, 'Bearer T2'],
      [403, 'Bearer T1'],
    ] as const) {
      let deliver = () => {};
      const { token$ } = tokens({}, (_request, n) =>
        n === 1
          ? [{ access_token: 'T1', expires_in: 3600 }]
          : new Promise((resolve) => (deliver = () => resolve({ access_token: 'T2', expires_in: 3600 }))),
      );
      const { fetch, calls } = stubFetch(status, 200);
      const ride = createFetch(token$, { baseUrl: base, fetch });
      const first = ride('/a');
      await until(() => calls.length === 1);
      await new Promise(setImmediate);
      const other = ride('/b');
      await new Promise(setImmediate);
      const leftAtOnce = calls.length === 2;
      deliver();
      expect((await Promise.all([first, other])).map((response) => response.status)).toEqual([200, 200]);
      expect(leftAtOnce).toBe(status === 403);
      expect(calls.find(({ input }) => (input as string).endsWith('/b'))!.headers.get('authorization')).toBe(second);
    }
  });
});

describe('a stream that has no token', () => {
  it('should make 500 cold requests share one token fetch', async () => {
    const { token$, asked } = tokens(
      {},
      () => new Promise((resolve) => setTimeout(resolve, 5, { access_token: 'T1', expires_in: 3600 })),
    );
    const { fetch, calls } = stubFetch(() => new Response('ok'));
    const ride = createFetch(token$, { baseUrl: base, fetch });
    await Promise.all(Array.from({ length: 500 }, () => ride('/')));
    expect(asked).toHaveLength(1);
    expect(new Set(calls.map(({ headers }) => headers.get('authorization')))).toEqual(new Set(['Bearer T1']));
  });

  it('should reject after maxWait with TokenUnavailableError whose cause is the last failure, and send nothing', async () => {
    const failure = new Error('down');
    const { token$ } = tokens({ maxWait: 20 }, () => Promise.reject(failure));
    const { fetch, calls } = stubFetch(200);
    const error = await failureOf(createFetch(token$, { baseUrl: base, fetch })('/'));
    expect(error.code).toBe('ERR_TOKEN_UNAVAILABLE');
    expect(error.cause).toBe(failure);
    expect(calls).toHaveLength(0);
  });

  it('should reject at once when the source failed permanently', async () => {
    const failure = Object.assign(new Error('no'), { error: 'invalid_client' });
    const { token$ } = tokens({}, () => Promise.reject(failure));
    const error = await failureOf(createFetch(token$, { baseUrl: base, fetch: stubFetch(200).fetch })('/'));
    expect([error.code, error.cause]).toEqual(['ERR_TOKEN_UNAVAILABLE', failure]);
  });
});

describe('a token that somebody sees rejected in the moment in which it comes', () => {
  const spoil = (token$: TokenStream, spoilt: string) =>
    token$.subscribe((token) => {
      if (token.value === spoilt) token$.reject(token);
    });
  const tokensOf = (calls: { headers: Headers }[]) => calls.map(({ headers }) => headers.get('authorization'));

  // Who comes later is told later: the request has its token by then, but has not left.
  it('should not be sent by a cold request, which waits for the next one', async () => {
    const { token$ } = tokens();
    const { fetch, calls } = stubFetch(200);
    const answered = createFetch(token$, { baseUrl: base, fetch })('/');
    spoil(token$, 'T1');
    expect((await answered).status).toBe(200);
    expect(tokensOf(calls)).toEqual(['Bearer T2']);
  });

  it('should not be sent by a repeat, which waits for the next one', async () => {
    const { token$ } = tokens();
    const { fetch, calls } = stubFetch(401, 200);
    await accept(token$);
    token$.events
      .pipe(first((event) => event.type === 'refreshStarted' && event.reason === 'rejected'))
      .subscribe(() => spoil(token$, 'T2'));
    expect((await createFetch(token$, { baseUrl: base, fetch })('/')).status).toBe(200);
    expect(tokensOf(calls)).toEqual(['Bearer T1', 'Bearer T3']);
  });
});

describe('close()', () => {
  it('should make requests fail with TokenStreamClosedError, the waiting ones too, and send nothing', async () => {
    const { token$ } = tokens({}, () => NEVER);
    const { fetch, calls } = stubFetch(200);
    const ride = createFetch(token$, { baseUrl: base, fetch });
    const waiting = failureOf(ride('/a'));
    token$.close();
    expect((await waiting).code).toBe('ERR_TOKEN_STREAM_CLOSED');
    expect((await failureOf(ride('/b'))).code).toBe('ERR_TOKEN_STREAM_CLOSED');
    expect((await failureOf(ride('/c', { headers: { authorization: 'Basic mine' } }))).code).toBe(
      'ERR_TOKEN_STREAM_CLOSED',
    );
    expect(calls).toHaveLength(0);
  });

  it('should let a request in flight end, and pass its rejection on', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => {
      token$.close();
      return new Response('rejected', { status: 401 });
    });
    const response = await createFetch(token$, { baseUrl: base, fetch })('/');
    expect([response.status, await response.text(), calls.length]).toEqual([401, 'rejected', 1]);
  });
});

describe('a token source that uses the same client', () => {
  it.each(fetches)('should go out without a token when it asks synchronously, over %s', async (_name, fetch) => {
    const api = await serve((seen, response) => {
      if (seen.path === '/token') answer(response, 200, '{"access_token":"T1","expires_in":60}');
      else guarded('T1')(seen, response, undefined as never);
    });
    const { token$ } = tokens({}, async () => (await ride('/token', { method: 'POST' })).json() as never);
    const ride = createFetch(token$, { baseUrl: api.origin, fetch });
    expect(await (await ride('/orders')).text()).toBe('hello T1');
    expect(api.authorizations()).toEqual([undefined, 'Bearer T1']);
  });

  it.each(fetches)(
    'should go out without a token when it asks later with request.signal, over %s',
    async (_name, fetch) => {
      const api = await serve((seen, response) => {
        if (seen.path === '/token') answer(response, 200, '{"access_token":"T1","expires_in":60}');
        else guarded('T1')(seen, response, undefined as never);
      });
      const { token$ } = tokens({}, async ({ signal }) => {
        await new Promise(setImmediate);
        return (await ride('/token', { method: 'POST', signal })).json() as never;
      });
      const ride = createFetch(token$, { baseUrl: api.origin, fetch });
      expect(await (await ride('/orders')).text()).toBe('hello T1');
      expect(api.authorizations()).toEqual([undefined, 'Bearer T1']);
    },
  );

  it('should not have its rejection repeated', async () => {
    const { fetch, calls } = stubFetch(() => new Response('{"error":"invalid_client"}', { status: 401 }));
    const { token$, asked } = tokens({}, async ({ signal }) => (await ride('/token', { signal })).json() as never);
    const ride = createFetch(token$, { baseUrl: base, fetch });
    expect((await failureOf(ride('/orders'))).code).toBe('ERR_TOKEN_UNAVAILABLE');
    expect([calls.length, asked.length]).toEqual([1, 1]);
  });
});

describe('options out of range', () => {
  const { token$ } = tokens();

  it.each(['fetch', 'authorize', 'isRejection'])('should be rejected at creation: %s that is no function', (name) => {
    for (const value of [5, 'x', {}, null, true]) {
      const create = () => createFetch(token$, { baseUrl: base, [name]: value });
      expect(create).toThrow(TypeError);
      expect(create).toThrow(new RegExp(`"${name}".*function.*(5|string|object|null|boolean)`));
    }
  });

  it.each([null, 'https://api.example.com/SECRET', 5, () => ({})])(
    'should be rejected at creation: %p in the place of the options',
    (options) => {
      for (const create of [createFetch, createHttpClient])
        expect(() => create(token$, options as never)).toThrow(new TypeError('options must be an object'));
    },
  );

  it('should be rejected at creation: a stream that createTokenStream did not make', () => {
    for (const other of [undefined, null, {}, NEVER])
      expect(() => createFetch(other as TokenStream)).toThrow(TypeError);
  });

  it('should be the default when undefined', async () => {
    const stream = (await warmTokens()).token$;
    const { fetch, calls } = stubFetch(200);
    await createFetch(stream, {
      baseUrl: base,
      fetch,
      allowedOrigins: undefined,
      authorize: undefined,
      isRejection: undefined,
    })('/');
    expect(calls[0]!.headers.get('authorization')).toBe('Bearer T1');
  });
});
