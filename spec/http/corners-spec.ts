import { firstValueFrom } from 'rxjs';
import { createFetch, createHttpClient } from 'rx-fresh-token';
import { eventStream } from 'rx-fresh-token/connect';
import { cleanUp, failureOf, stubFetch, warmTokens } from './support.js';

afterEach(cleanUp);

async function sentWith(headers: HeadersInit): Promise<string | null> {
  const { token$ } = await warmTokens();
  let authorization: string | null = null;
  const send = (_url: unknown, init?: RequestInit) => {
    authorization = new Headers(init?.headers).get('authorization');
    return Promise.resolve(new Response('{}'));
  };
  await createFetch(token$, { baseUrl: 'https://api.example', fetch: send })('/', { headers });
  return authorization;
}

it.each<[string, HeadersInit, string]>([
  ['another header of as many letters', { 'cache-control': 'no-cache' }, 'Bearer T1'],
  ['their own, whatever its letters', { AuthoriZation: 'Basic abc' }, 'Basic abc'],
  [
    'their own among others, in a list',
    [
      ['accept', '*/*'],
      ['Authorization', 'Basic abc'],
    ],
    'Basic abc',
  ],
  ['none, in a list', [['accept', '*/*']], 'Bearer T1'],
])(
  'a request should carry the token unless its caller set an Authorization header: %s',
  async (_what, headers, carried) => {
    await expect(sentWith(headers)).resolves.toBe(carried);
  },
);

it('options of a class should count with what it inherits', async () => {
  const sent: Headers[] = [];
  class ApiOptions {
    readonly baseUrl = 'https://api.example';
    authorize(headers: Headers, { value }: { value: string }) {
      headers.set('x-api-key', value);
    }
    isRejection({ status }: Response) {
      return status === 419;
    }
    fetch(_url: unknown, init?: RequestInit) {
      sent.push(new Headers(init?.headers));
      return Promise.resolve(new Response(null, { status: sent.length === 1 ? 419 : 204 }));
    }
  }
  const { token$ } = await warmTokens();
  await firstValueFrom(createHttpClient(token$, new ApiOptions()).get('/orders'));
  // 204 ends an event stream.
  const { baseUrl, authorize, fetch } = new ApiOptions();
  const inherited = Object.create({ baseUrl, authorize, fetch }) as { baseUrl: string };
  await firstValueFrom(eventStream(token$, '/events', inherited), { defaultValue: null });
  expect(sent.map((headers) => [headers.get('authorization'), headers.get('x-api-key')])).toEqual([
    [null, 'T1'],
    [null, 'T2'],
    [null, 'T2'],
  ]);
});

it.each(['https://user@api.example/', 'https://:word@api.example/'])(
  'a URL with a part of credentials should be rejected: %s',
  async (url) => {
    const { token$ } = await warmTokens();
    const error = await failureOf(
      createFetch(token$, { baseUrl: 'https://api.example', fetch: () => Promise.reject(new Error('sent')) })(url),
    );
    expect(error.message).toMatch(/must not contain credentials/);
  },
);

describe('what fetch takes', () => {
  const baseUrl = 'https://api.example';

  it('should be sent as one header: several cookies', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('{}'));
    const headers: [string, string][] = [
      ['cookie', 'a=1'],
      ['Cookie', 'b=2'],
      ['x-a', '1'],
      ['X-A', '2'],
    ];
    await createFetch(token$, { baseUrl, fetch })('/', { headers });
    await firstValueFrom(createHttpClient(token$, { baseUrl, fetch }).get('/', { headers }));
    for (const call of calls)
      expect([call.headers.get('cookie'), call.headers.get('x-a')]).toEqual(['a=1; b=2', '1, 2']);
  });

  it('should be read once and whole: an init of a class', async () => {
    class Init {
      readonly #init = { method: 'PUT', body: 'order', headers: { 'x-order': '7' } };
      get method() {
        return this.#init.method;
      }
      get body() {
        return this.#init.body;
      }
      get headers() {
        return this.#init.headers;
      }
      log() {
        return this.method;
      }
    }
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(401, () => new Response('{}'));
    await createFetch(token$, { baseUrl, fetch })('/', new Init());
    await firstValueFrom(createHttpClient(token$, { baseUrl, fetch }).request('/', new Init()));
    await firstValueFrom(createHttpClient(token$, { baseUrl, fetch }).put('/', 'order', new Init()));
    expect(calls.map(({ init, headers }) => [init.method, init.body, headers.get('x-order'), 'log' in init])).toEqual(
      Array(4).fill(['PUT', 'order', '7', false]),
    );
  });

  it.each(['constructor', 'toString'])('should be sent: a header named %s', async (name) => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('{}'));
    const http = createHttpClient(token$, { baseUrl, fetch, headers: { 'x-other': '8' } });
    const headers = () => new Headers([[name, '7']]);
    await createFetch(token$, { baseUrl, fetch })('/', { headers: headers() });
    await firstValueFrom(http.request('/', { headers: headers() }));
    await firstValueFrom(http.get('/', { headers: headers() }));
    expect(calls.map((call) => call.headers.get(name))).toEqual(['7', '7', '7']);
  });

  it('should be taken: an init that is null', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('{}'));
    const init = null as unknown as undefined;
    const http = createHttpClient(token$, { baseUrl, fetch });
    await createFetch(token$, { baseUrl, fetch })('/', init);
    await firstValueFrom(http.request('/', init));
    await firstValueFrom(http.get('/', init));
    await firstValueFrom(http.post('/', {}, init));
    expect(calls.map((call) => call.headers.get('authorization'))).toEqual(Array(4).fill('Bearer T1'));
  });

  it.each<[string, unknown]>([
    ['a String', Object('https://api.example/a')],
    ['what has a toString', { toString: () => 'https://api.example/a' }],
    ['a URL', new URL('https://api.example/a')],
  ])('should be the text of a URL: %s', async (_what, input) => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    await createFetch(token$, { baseUrl, fetch })(input as string);
    expect(calls[0]!.input).toBe('https://api.example/a');
  });

  it('should be a TypeError, whatever it is, where it is no URL', async () => {
    const { token$ } = await warmTokens();
    const { fetch } = stubFetch(200);
    for (const input of [undefined, null, 5, Symbol('x')])
      expect((await failureOf(createFetch(token$, { fetch })(input as never))).name).toBe('TypeError');
  });

  it('should be a TypeError, and nothing lost: a header of three parts', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const headers = [['x-a', '1', '2']] as unknown as HeadersInit;
    expect((await failureOf(createFetch(token$, { baseUrl, fetch })('/', { headers }))).name).toBe('TypeError');
    expect(calls).toEqual([]);
  });

  it('should be a TypeError that quotes nothing: headers that are a text', async () => {
    const { token$ } = await warmTokens();
    const { fetch } = stubFetch(200);
    const error = await failureOf(createFetch(token$, { baseUrl, fetch })('/', { headers: 'SECRET' as never }));
    expect([error.name, error.message]).toEqual(['TypeError', 'headers must be an object']);
  });

  it.each([5, 'GET', true])('should be a TypeError that names the init: %p in its place', async (init) => {
    const { token$ } = await warmTokens();
    const { fetch } = stubFetch(200);
    const error = await failureOf(createFetch(token$, { baseUrl, fetch })('/', init as never));
    expect([error.name, error.message]).toEqual(['TypeError', 'init must be an object']);
  });
});

describe('a mistake in a call whose signal has aborted before', () => {
  const signal = AbortSignal.abort(new Error('enough'));
  const baseUrl = 'https://api.example';

  it.each<[string, string, RequestInit]>([
    ['a URL', 'https://[', {}],
    ['a header without a value', '/', { headers: [['x']] as unknown as HeadersInit }],
    ['a header that HTTP does not allow', '/', { headers: { 'x y': '1' } }],
    ['a body of a GET', '/', { body: 'x' }],
    ['a method', '/', { method: 'a b' }],
  ])('should be told as fetch tells it: %s', async (_what, url, init) => {
    const { token$ } = await warmTokens();
    expect((await failureOf(createFetch(token$, { baseUrl })(url, { ...init, signal }))).name).toBe('TypeError');
    const http = createHttpClient(token$, { baseUrl });
    expect((await failureOf(firstValueFrom(http.request(url, { ...init, signal })))).name).toBe('TypeError');
  });

  it('should be told for an origin that is not allowed', async () => {
    const { token$ } = await warmTokens();
    const error = await failureOf(createFetch(token$, { baseUrl })('https://other.example', { signal }));
    expect(error.code).toBe('ERR_ORIGIN_NOT_ALLOWED');
  });

  it('should be the reason of the abort where there is none', async () => {
    const { token$ } = await warmTokens();
    expect(await failureOf(createFetch(token$, { baseUrl })('/', { signal }))).toBe(signal.reason);
  });
});

describe('a fetch that is put in the place of the global one', () => {
  const { fetch } = globalThis;
  afterEach(() => {
    globalThis.fetch = fetch;
  });

  it('should send by the one that was there when it was made', async () => {
    const { token$ } = await warmTokens();
    const platform = stubFetch(() => new Response('{}'));
    globalThis.fetch = platform.fetch;
    const http = createHttpClient(token$, { baseUrl: 'https://api.example' });
    globalThis.fetch = createFetch(token$, { baseUrl: 'https://api.example' });
    expect((await globalThis.fetch('/a')).status).toBe(200);
    await firstValueFrom(http.get('/b'));
    expect(platform.calls.map(({ input }) => input)).toEqual(['https://api.example/a', 'https://api.example/b']);
  });
});
