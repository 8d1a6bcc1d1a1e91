import { format, inspect, type InspectOptions } from 'node:util';
import { firstValueFrom, NEVER, of } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import {
  createFetch,
  createHttpClient,
  withToken,
  type FetchOptions,
  type TokenEvent,
  type TokenResponse,
  type TokenStreamOptions,
} from 'rx-fresh-token';
import { answer, openStream, setUp } from './rig.js';

const SECRET = 'S3CR3T-t0ken';
const streamOf = (options: TokenStreamOptions = {}, more: Partial<TokenResponse> = {}) => {
  let fetched = 0;
  const token$ = openStream(() => of({ access_token: `${SECRET}${++fetched}`, expires_in: 30, ...more }), options);
  return { token$, fetched: () => fetched };
};

interface Sent {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly redirect: string | undefined;
}

/** A fetch that never leaves the house. */
function stub(respond: (n: number, sent: Sent) => Response = () => new Response('ok')) {
  const sent: Sent[] = [];
  const fetch: typeof globalThis.fetch = (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const entry = {
      url: request?.url ?? (input as string),
      method: init?.method ?? request?.method ?? 'GET',
      headers: new Headers(init?.headers ?? request?.headers),
      redirect: init?.redirect ?? request?.redirect,
    };
    return Promise.resolve(respond(sent.push(entry), entry));
  };
  return {
    sent,
    fetch,
    carried: () =>
      sent.map(({ url, headers }) => `${url} ${headers.get('authorization') ?? headers.get('x-api-key') ?? '-'}`),
  };
}

const redirect = (location: string, status = 302) => new Response(null, { status, headers: { location } });
const thrown = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (error: unknown) => error as Error & { code?: string },
  );

describe('21: where the token goes', () => {
  const api = 'https://api.example.com';
  const bearer = `Bearer ${SECRET}1`;

  it.each<[string, FetchOptions, string, string]>([
    ['a path', { baseUrl: `${api}/v1` }, 'orders', `${api}/v1/orders`],
    ['an absolute path', { baseUrl: `${api}/v1` }, '/orders', `${api}/v1/orders`],
    ['a URL of the origin', { baseUrl: api }, `${api}/a?b=c`, `${api}/a?b=c`],
    ['a URL in capitals, with the default port', { baseUrl: api }, 'HTTPS://API.EXAMPLE.COM:443/a', `${api}/a`],
    ['an allowed origin', { allowedOrigins: ['https://b.example.com', `${api}/`] }, `${api}/a`, `${api}/a`],
    ['localhost', { baseUrl: 'http://localhost:8080' }, '/a', 'http://localhost:8080/a'],
    ['127.0.0.1', { baseUrl: 'http://127.0.0.1:8080' }, '/a', 'http://127.0.0.1:8080/a'],
    ['127.1.2.3', { allowedOrigins: ['http://127.1.2.3'] }, 'http://127.1.2.3/a', 'http://127.1.2.3/a'],
    ['[::1]', { baseUrl: 'http://[::1]:8080' }, '/a', 'http://[::1]:8080/a'],
  ])('is allowed: %s', async (_name, options, url, target) => {
    const { sent, fetch, carried } = stub();
    const { token$ } = streamOf();
    expect((await createFetch(token$, { ...options, fetch })(url)).status).toBe(200);
    await createFetch(token$, { ...options, fetch })(new URL(target));
    expect(carried()).toEqual([`${target} ${bearer}`, `${target} ${bearer}`]);
    expect(sent[0]!.redirect).toBe('manual');
    token$.close();
  });

  it.each<[string, FetchOptions, string]>([
    ['neither option', {}, `${api}/a`],
    ['an empty list, even for the base', { baseUrl: api, allowedOrigins: [] }, '/a'],
    ['another host', { baseUrl: api }, 'https://evil.example/a'],
    ['a host that begins alike', { baseUrl: api }, 'https://api.example.com.evil.example/a'],
    ['a host that ends alike', { baseUrl: api }, 'https://evil-api.example.com/a'],
    ['a subdomain', { baseUrl: api }, 'https://x.api.example.com/a'],
    ['another port', { baseUrl: api }, `${api}:8443/a`],
    ['the same host without TLS', { baseUrl: api }, 'http://api.example.com/a'],
    ['a protocol-relative URL', { baseUrl: api }, '//evil.example/a'],
    ['backslashes', { baseUrl: api }, '\\\\evil.example/a'],
    ['a tab in the slashes', { baseUrl: api }, '/\t/evil.example/a'],
    ['another loopback name', { baseUrl: 'http://localhost' }, 'http://127.0.0.1/a'],
    ['a base that is not in the list', { baseUrl: api, allowedOrigins: ['https://b.example.com'] }, '/a'],
    ['a blob of the origin', { baseUrl: api }, `blob:${api}/a`],
    ['data', { baseUrl: api }, 'data:text/plain,hi'],
  ])('is rejected, and nothing is sent: %s', async (_name, options, url) => {
    const { sent, fetch } = stub();
    const { token$, fetched } = streamOf();
    expect(await thrown(createFetch(token$, { ...options, fetch })(url))).toMatchObject({
      name: 'OriginNotAllowedError',
      code: 'ERR_ORIGIN_NOT_ALLOWED',
    });
    expect(await thrown(firstValueFrom(createHttpClient(token$, { ...options, fetch }).get(url)))).toMatchObject({
      code: 'ERR_ORIGIN_NOT_ALLOWED',
    });
    expect([sent, fetched()]).toEqual([[], 0]);
    token$.close();
  });

  it.each<[string, FetchOptions]>([
    ['http: as base', { baseUrl: 'http://api.example.com' }],
    ['http: in the list', { allowedOrigins: [api, 'http://api.example.com'] }],
    ['a name that begins with localhost', { baseUrl: 'http://localhost.evil.example' }],
    ['a name that begins with 127.0.0.1', { baseUrl: 'http://127.0.0.1.evil.example' }],
    ['a wildcard', { allowedOrigins: ['https://*.example.com'] }],
    ['a star', { allowedOrigins: ['*'] }],
    ['a path in the list', { allowedOrigins: [`${api}/v1`] }],
    ['credentials', { baseUrl: 'https://user:password@api.example.com' }],
    ['no URL', { baseUrl: 'api.example.com' }],
    ['another scheme', { baseUrl: 'ftp://api.example.com' }],
  ])('is a TypeError at creation: %s', (_name, options) => {
    const { token$ } = streamOf();
    expect(() => createFetch(token$, options)).toThrow(TypeError);
    expect(() => createHttpClient(token$, options)).toThrow(TypeError);
  });

  describe.each<[string, FetchOptions]>([
    ['Authorization', {}],
    [
      'a custom header',
      {
        authorize: (headers, { value }) => {
          headers.set('x-api-key', value);
        },
      },
    ],
  ])('in %s', (_name, options) => {
    const value = options.authorize ? `${SECRET}1` : bearer;
    const ride = async (path: string, respond: (n: number, sent: Sent) => Response) => {
      const { sent, fetch, carried } = stub(respond);
      const { token$, fetched } = streamOf();
      const response = await createFetch(token$, {
        baseUrl: api,
        allowedOrigins: [api, 'https://b.example.com'],
        fetch,
        ...options,
      })(path);
      token$.close();
      return { sent, carried: carried(), status: response.status, fetched: fetched() };
    };

    it('goes along with a redirect within the origin', async () => {
      const { carried } = await ride('/a', (n) => (n === 1 ? redirect('/b') : new Response('ok')));
      expect(carried).toEqual([`${api}/a ${value}`, `${api}/b ${value}`]);
    });

    it.each([301, 302, 303, 307, 308])(
      'stays behind when a %d leads to another origin, an allowed one too',
      async (status) => {
        const { carried } = await ride('/a', (n) =>
          n === 1 ? redirect('https://b.example.com/b', status) : new Response('ok'),
        );
        expect(carried).toEqual([`${api}/a ${value}`, 'https://b.example.com/b -']);
      },
    );

    it('is not sent again, even if a later redirect leads back to its origin', async () => {
      const { carried } = await ride(
        '/a',
        (n) => [redirect('https://evil.example/b'), redirect(`${api}/c`), new Response('ok')][n - 1]!,
      );
      expect(carried).toEqual([`${api}/a ${value}`, 'https://evil.example/b -', `${api}/c -`]);
    });

    it('passes on what a stranger rejects, without a refresh', async () => {
      const { status, fetched } = await ride('/a', (n) => (n === 1 ? redirect('https://evil.example/b') : answer(401)));
      expect([status, fetched]).toEqual([401, 1]);
    });

    it('does not follow to the same host without TLS with the token', async () => {
      const { carried } = await ride('/a', (n) =>
        n === 1 ? redirect('http://api.example.com/a') : new Response('ok'),
      );
      expect(carried).toEqual([`${api}/a ${value}`, 'http://api.example.com/a -']);
    });
  });

  it.each([
    { Authorization: 'Basic abc' },
    [['AUTHORIZATION', 'Basic abc']] as [string, string][],
    new Headers({ authorization: 'Basic abc' }),
  ])('leaves the Authorization header of the caller alone, and passes its rejection on (%#)', async (headers) => {
    const { sent, fetch } = stub(() => answer(401));
    const { token$, fetched } = streamOf();
    const token = createFetch(token$, { baseUrl: api, fetch });
    const http = createHttpClient(token$, { baseUrl: api, fetch });
    expect((await token('/a', { headers })).status).toBe(401);
    expect((await token(new Request(`${api}/a`, { headers }))).status).toBe(401);
    expect((await firstValueFrom(http.request('/a', { headers }))).status).toBe(401);
    expect(sent.map((request) => request.headers.get('authorization'))).toEqual([
      'Basic abc',
      'Basic abc',
      'Basic abc',
    ]);
    expect(fetched()).toBe(0);
    token$.close();
  });
});

describe('22: secrets do not print', () => {
  const ways: InspectOptions[] = [
    {},
    { showHidden: true, depth: 10 },
    { showHidden: true, depth: 10, customInspect: false },
  ];
  const printed = (value: unknown): string =>
    [
      ...ways.map((way) => inspect(value, way)),
      format('%o %O %s %j', value, value, value, value),
      JSON.stringify(value),
      String(value),
      inspect({ nested: [new Map([[value, value]])] }, { showHidden: true, depth: 10 }),
    ].join('\n');

  it('not in a token', () => {
    const { token$ } = streamOf({}, { refresh_token: `${SECRET}-refresh`, id_token: `${SECRET}-id` });
    token$.subscribe();
    const token = token$.current!;
    expect(printed(token)).not.toContain(SECRET);
    expect(`${token as unknown as string} ${inspect(token)}`).toBe(
      `AccessToken(Bearer ${token.id}) AccessToken(Bearer ${token.id})`,
    );
    expect(Object.keys(token)).not.toContain('raw');
    expect(Object.keys(token)).not.toContain('value');
    expect(JSON.stringify({ ...token })).not.toContain(SECRET);
    expect(token.raw.refresh_token).toBe(`${SECRET}-refresh`);
    expect(token.id.length).toBeLessThan(SECRET.length);
    expect(Object.isFrozen(token)).toBe(true);
    expect(() => {
      (token as { expiresAt: number }).expiresAt = Infinity;
    }).toThrow(TypeError);
    expect(() => structuredClone(token).value).not.toThrow();
    expect(structuredClone(token).value).toBeUndefined();
    token$.close();
  });

  it('not in a stream, its operators or its clients, in use, idle or closed', () => {
    const { token$ } = streamOf({ initial: { access_token: `${SECRET}0`, expires_in: 30, refresh_token: SECRET } });
    const things = {
      token$,
      events: token$.events,
      request: withToken(token$, () => NEVER),
      refresh: token$.refresh(),
      fetch: createFetch(token$, { baseUrl: 'https://a.example' }),
      http: createHttpClient(token$, {}),
    };
    const print = () =>
      Object.values(things)
        .map((thing) => ways.map((way) => inspect(thing, way)).join())
        .join() + JSON.stringify(things);
    expect(print()).not.toContain(SECRET);
    const watching = token$.subscribe();
    const flying = things.request.subscribe();
    expect(print() + inspect([watching, flying], { showHidden: true, depth: 10 })).not.toContain(SECRET);
    watching.unsubscribe();
    flying.unsubscribe();
    expect(print()).not.toContain(SECRET);
    token$.close();
    expect(print()).not.toContain(SECRET);
  });

  it(
    'not in an event',
    marbles((m) => {
      const kinds = new Set<string>();
      const seen: TokenEvent[] = [];
      const { token$, at, ask } = setUp(m, (n) => (n === 2 ? { fail: new Error('down') } : { value: `${SECRET}${n}` }));
      token$.events.subscribe((event) => {
        seen.push(event);
        kinds.add(event.type);
      });
      ask(0, 'a');
      at(1000, () => {
        token$.reject(token$.current!);
      });
      at(100_000, () => token$.close());
      m.flush();
      expect([...kinds]).toEqual(
        expect.arrayContaining(['refreshStarted', 'tokenChanged', 'tokenRejected', 'refreshFailed', 'idle', 'closed']),
      );
      expect(seen.map(printed).join()).not.toContain(SECRET);
    }),
  );

  cases(
    'not in an error about a response',
    (m, { response }) => {
      const { token$ } = setUp(m, () => ({ response, took: 0 }), { isPermanent: () => true });
      let failure: unknown;
      token$.subscribe({ error: (error: unknown) => (failure = error) });
      expect(failure).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' });
      expect(printed(failure)).not.toContain(SECRET);
    },
    [
      { name: 'a control character', response: { access_token: `${SECRET}\n` } },
      { name: 'a bad type', response: { access_token: `${SECRET} `, token_type: `${SECRET}\r\n` } },
      { name: 'a string', response: SECRET },
      { name: 'an array', response: [SECRET] },
      { name: 'no access_token', response: { token: SECRET, refresh_token: SECRET } },
      { name: 'a token in an array', response: { access_token: [SECRET] } },
    ],
  );

  it('not in an error of a request, nor the query of a URL', async () => {
    const query = 'Q5ECRET';
    const { token$ } = streamOf();
    const failing = (respond: () => Response | Promise<Response>, more: FetchOptions = {}) => ({
      baseUrl: 'https://api.example.com',
      fetch: (() => new Promise((resolve) => resolve(respond()))) as typeof fetch,
      ...more,
    });
    const errors = await Promise.all([
      thrown(createFetch(token$, { baseUrl: 'https://api.example.com' })(`https://evil.example/?q=${query}`)),
      thrown(createFetch(token$, { baseUrl: 'https://api.example.com' })(`https://api.example.com:99999/?q=${query}`)),
      thrown(createFetch(token$, {})(`/relative?q=${query}`)),
      thrown(createFetch(token$, { baseUrl: 'https://api.example.com' })(`https://user:${query}@api.example.com/`)),
      thrown(
        createFetch(
          token$,
          failing(() => redirect(`https://[${query}`)),
        )('/a'),
      ),
      thrown(
        createFetch(
          token$,
          failing(() => redirect(`ftp://h/?q=${query}`)),
        )('/a'),
      ),
      thrown(
        createFetch(
          token$,
          failing(() => redirect(`/again?q=${query}`)),
        )('/a'),
      ),
      thrown(
        createFetch(
          token$,
          failing(() => new Response(), {
            authorize: (headers, { value }) => {
              headers.set('x', `${value}\n${value}`);
            },
          }),
        )('/a'),
      ),
      thrown(
        createFetch(
          token$,
          failing(() => {
            throw Object.assign(new Error(`request to https://x/?q=${query} failed`), {
              name: 'FetchError',
              code: 'ECONNRESET',
            });
          }),
        )('/a'),
      ),
      thrown(
        firstValueFrom(
          createHttpClient(
            token$,
            failing(() => new Response(SECRET, { status: 500, headers: { 'set-cookie': SECRET } })),
          ).get(`/a?q=${query}#${query}`),
        ),
      ),
      thrown(
        firstValueFrom(
          createHttpClient(
            token$,
            failing(() => new Response(`{"${SECRET}`, { headers: { 'content-type': 'application/json' } })),
          ).get(`/a?q=${query}`),
        ),
      ),
      thrown(
        firstValueFrom(
          createHttpClient(token$, { ...failing(() => new Promise<never>(() => undefined)), timeout: 5 }).get(
            `/a?q=${query}`,
          ),
        ),
      ),
    ]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(Error);
      expect(printed(error)).not.toMatch(/S3CR3T|Q5ECRET/);
      expect(error.stack).not.toMatch(/S3CR3T|Q5ECRET/);
    }
    expect(() => createFetch(token$, { baseUrl: `http://api.example.com/?q=${query}` })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining(query) as string }) as Error,
    );
    token$.close();
  });
});

describe('23: what would break a header', () => {
  const characters = {
    'a space': ' ',
    'a tab': '\t',
    'a line feed': '\n',
    'a carriage return': '\r',
    'a NUL': '\0',
    'a DEL': '\x7f',
    'an umlaut': 'ä',
    'a non-breaking space': '\u00a0',
    'another alphabet': 'т',
    'an emoji': '😀',
    'a C1 control': '\x85',
  };

  it.each(Object.entries(characters))('is rejected as an invalid response: %s', (_name, character) => {
    for (const bad of [
      { access_token: `a${character}b` },
      { access_token: character },
      { access_token: `ab${character}` },
    ]) {
      let failure: unknown;
      const token$ = openStream(() => of({ expires_in: 30, ...bad }), { isPermanent: () => true });
      token$.subscribe({ error: (error: unknown) => (failure = (error as Error).cause) });
      expect(failure).toMatchObject({ name: 'InvalidTokenResponseError', code: 'ERR_INVALID_TOKEN_RESPONSE' });
      expect(token$.current).toBeNull();
      token$.close();
    }
  });

  it('is not every visible character of ASCII', async () => {
    const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i));
    const { sent, fetch } = stub();
    const token$ = openStream(() => of({ access_token: visible, expires_in: 30, token_type: 'DPoP' }));
    await createFetch(token$, { baseUrl: 'https://api.example.com', fetch })('/a');
    expect(sent[0]!.headers.get('authorization')).toBe(`DPoP ${visible}`);
    token$.close();
  });

  it.each([
    ['bearer', 'Bearer'],
    ['BEARER', 'Bearer'],
    [undefined, 'Bearer'],
    ['MAC', 'Bearer'],
    ['Bea\r\nrer', 'Bearer'],
  ])('writes the type %s as %s', (token_type, type) => {
    const { token$ } = streamOf({}, { token_type });
    token$.subscribe().unsubscribe();
    expect(token$.current?.type).toBe(type);
    token$.close();
  });
});
