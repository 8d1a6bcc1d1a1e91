import { firstValueFrom, lastValueFrom, Subject, take } from 'rxjs';
import { createFetch, createHttpClient, type TokenResponse } from 'rx-fresh-token';
import { answer, cleanUp, serve, stubFetch, tokens, warmTokens } from './support.js';

afterEach(cleanUp);

const base = 'https://api.example.com';

/** A stream whose first token comes when the test says so. */
function coldTokens() {
  const arrives = new Subject<TokenResponse>();
  return {
    ...tokens({}, () => arrives.pipe(take(1))),
    arrive: () => {
      arrives.next({ access_token: 'T1', expires_in: 60 });
    },
  };
}

/** Makes a call for each of three orders, from the same objects. */
async function threeOrders(call: (fetch: typeof globalThis.fetch, n: number) => unknown) {
  const { token$, arrive } = coldTokens();
  const { fetch, calls } = stubFetch(200);
  const fetchWithToken = createFetch(token$, { baseUrl: base, fetch });
  const answers = [1, 2, 3].map((n) => call(fetchWithToken, n));
  arrive();
  await Promise.all(answers);
  return calls;
}

describe('a call that waits for a token', () => {
  it('should leave as it was made, when its init is used for the next one', async () => {
    const init: RequestInit = { method: 'POST' };
    const calls = await threeOrders((fetch, n) =>
      fetch('/orders', Object.assign(init, { body: `order ${String(n)}` })),
    );
    expect(calls.map(({ init: { body } }) => body)).toEqual(['order 1', 'order 2', 'order 3']);
  });

  it.each<[string, () => HeadersInit, (headers: never, n: string) => void]>([
    [
      'Headers',
      () => new Headers(),
      (headers: Headers, n) => {
        headers.set('idempotency-key', n);
      },
    ],
    [
      'a record',
      () => ({}),
      (headers: Record<string, string>, n) => {
        headers['idempotency-key'] = n;
      },
    ],
    [
      'an array',
      () => [['idempotency-key', '']],
      (headers: [string, string][], n) => {
        headers[0]![1] = n;
      },
    ],
  ])('should leave with the headers that it had: %s', async (_kind, make, set) => {
    const headers = make();
    const calls = await threeOrders((fetch, n) => {
      set(headers as never, String(n));
      return fetch('/orders', { method: 'POST', headers });
    });
    expect(calls.map((call) => call.headers.get('idempotency-key'))).toEqual(['1', '2', '3']);
  });

  it.each<[string, () => BodyInit, (body: never, n: number) => void]>([
    [
      'bytes',
      () => new Uint8Array(1),
      (body: Uint8Array, n) => {
        body[0] = 48 + n;
      },
    ],
    [
      'a view',
      () => new DataView(new ArrayBuffer(3), 1, 1),
      (body: DataView, n) => {
        body.setUint8(0, 48 + n);
      },
    ],
    [
      'an ArrayBuffer',
      () => new ArrayBuffer(1),
      (body: ArrayBuffer, n) => {
        new Uint8Array(body)[0] = 48 + n;
      },
    ],
    [
      'URLSearchParams',
      () => new URLSearchParams(),
      (body: URLSearchParams, n) => {
        body.set('order', String(n));
      },
    ],
  ])('should leave with the body that it had: %s', async (_kind, make, set) => {
    const body = make();
    const calls = await threeOrders((fetch, n) => {
      set(body as never, n);
      return fetch('/orders', { method: 'POST', body });
    });
    const sent = await Promise.all(calls.map(({ init }) => new Response(init.body).text()));
    expect(sent.map((text) => text.at(-1))).toEqual(['1', '2', '3']);
  });

  it('should leave with the form that it had, its files by their names', async () => {
    const body = new FormData();
    body.append('file', new Blob(['tea']), 'tea.txt');
    const calls = await threeOrders((fetch, n) => {
      body.set('order', String(n));
      return fetch('/orders', { method: 'POST', body });
    });
    expect(calls.map(({ init }) => (init.body as FormData).get('order'))).toEqual(['1', '2', '3']);
    expect(calls.map(({ init }) => ((init.body as FormData).get('file') as File).name)).toEqual([
      'tea.txt',
      'tea.txt',
      'tea.txt',
    ]);
  });

  it('should leave as it was subscribed to, from createHttpClient', async () => {
    const { token$, arrive } = coldTokens();
    const { fetch, calls } = stubFetch(200);
    const http = createHttpClient(token$, { baseUrl: base, fetch });
    const headers = new Headers();
    const answers = ['1', '2'].map((n) => {
      headers.set('idempotency-key', n);
      return lastValueFrom(http.request('/orders', { method: 'POST', headers }));
    });
    arrive();
    await Promise.all(answers);
    expect(calls.map((call) => call.headers.get('idempotency-key'))).toEqual(['1', '2']);
  });

  it('should send the body of its Request, which the caller reads before it subscribes to createHttpClient', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200, 200);
    const request = new Request(`${base}/orders`, { method: 'POST', body: 'tea' });
    const answer$ = createHttpClient(token$, { baseUrl: base, fetch }).request(request);
    await request.text();
    await lastValueFrom(answer$);
    await lastValueFrom(answer$);
    expect(await Promise.all(calls.map(({ input }) => (input as Request).text()))).toEqual(['tea', 'tea']);
  });

  it("should not be ended by its Request's signal, if the init takes that away", async () => {
    const { token$, arrive } = coldTokens();
    const { fetch } = stubFetch(204);
    const controller = new AbortController();
    const answered = createFetch(token$, { baseUrl: base, fetch })(
      new Request(`${base}/`, { signal: controller.signal }),
      { signal: null },
    );
    controller.abort();
    await Promise.resolve();
    arrive();
    expect((await answered).status).toBe(204);
  });
});

describe('a repeat', () => {
  it('should be what was sent before, whatever became of the init', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(401, 200);
    const init: RequestInit = { method: 'PUT', body: 'first', headers: { 'x-order': '1' } };
    const answered = createFetch(token$, { baseUrl: base, fetch })('/orders/1', init);
    Object.assign(init, { method: 'DELETE', body: null, headers: {} });
    await answered;
    expect(calls.map(({ init: { method, body }, headers }) => [method, body, headers.get('x-order')])).toEqual([
      ['PUT', 'first', '1'],
      ['PUT', 'first', '1'],
    ]);
  });

  it('should be what was sent before, whatever became of the bytes', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(401, 200);
    const body = new Uint8Array([49]);
    const answered = createFetch(token$, { baseUrl: base, fetch })('/orders', { method: 'POST', body });
    body[0] = 50;
    await answered;
    expect(await Promise.all(calls.map(({ init }) => new Response(init.body).text()))).toEqual(['1', '1']);
  });
});

it('should follow a redirect with what the call was made of', async () => {
  const api = await serve(({ path, method, body }, response) => {
    if (path === '/old') answer(response, 307, '', { location: '/new' });
    else answer(response, 200, `${method} ${body.toString()}`);
  });
  const { token$ } = await warmTokens();
  const init: RequestInit = { method: 'POST', body: 'first' };
  const answered = createFetch(token$, { baseUrl: api.origin })('/old', init);
  init.body = 'second';
  expect(await (await answered).text()).toBe('POST first');
});

describe('headers as fetch takes them, though TypeScript does not', () => {
  it.each<[string, () => unknown]>([
    ['an iterator', () => new Headers({ 'x-order': '7' }).entries()],
    ['a Map', () => new Map([['X-Order', '7']])],
    ['a Set of pairs', () => new Set([['X-Order', '7']])],
  ])('should be sent: %s', async (_kind, headers) => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    await createFetch(token$, { baseUrl: base, fetch })('/', { headers: headers() as HeadersInit });
    await lastValueFrom(
      createHttpClient(token$, { baseUrl: base, fetch, headers: { 'x-other': '8' } }).request('/', {
        headers: headers() as HeadersInit,
      }),
    );
    expect(calls.map((call) => [call.headers.get('x-order'), call.headers.get('authorization')])).toEqual([
      ['7', 'Bearer T1'],
      ['7', 'Bearer T1'],
    ]);
  });

  it("should keep the caller's Authorization in a Map", async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    await createFetch(token$, { baseUrl: base, fetch })('/', {
      headers: new Map([['Authorization', 'Basic mine']]) as unknown as HeadersInit,
    });
    expect(calls[0]!.headers.get('authorization')).toBe('Basic mine');
  });

  it('should be rejected where a name has no value, and nothing sent', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    await expect(
      createFetch(token$, { baseUrl: base, fetch })('/', { headers: [['x-order']] as unknown as HeadersInit }),
    ).rejects.toThrow(new TypeError('a header must be a name and a value'));
    expect(calls).toEqual([]);
  });
});

it.each(['an AggregateError', 'a cyclic cause'])('should not let authorize quote the token in %s', async (kind) => {
  const { token$ } = await warmTokens({ initial: { access_token: 'canary-9f3', expires_in: 60 } });
  const authorize = (): never => {
    const error = kind === 'an AggregateError' ? new AggregateError([new Error('canary-9f3')], 'no') : new Error('no');
    if (kind === 'a cyclic cause') error.cause = Object.assign(new Error('canary-9f3'), { cause: error });
    throw error;
  };
  const failed = createFetch(token$, { baseUrl: base, fetch: stubFetch(200).fetch, authorize })('/');
  await expect(failed).rejects.toThrow(/^authorize failed with an error that quotes the token/);
});

describe('a request of the client', () => {
  const url = 'https://api.example/';

  it('should have the headers of the call, also if it is subscribed to later', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const headers: Record<string, string> = { 'x-n': '1' };
    const response$ = createHttpClient(token$, { baseUrl: url, fetch }).request('/', { headers });
    headers['x-n'] = '2';
    await firstValueFrom(response$);
    expect(calls[0]!.headers.get('x-n')).toBe('1');
  });

  it('should hand no timeout to fetch, since node-fetch has an option of this name', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    await firstValueFrom(createHttpClient(token$, { baseUrl: url, fetch }).request('/', { timeout: 60_000 }));
    expect(calls[0]!.init).not.toHaveProperty('timeout');
  });

  it('should not be aborted by the signal of its Request where the init has null', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const request = new Request(url, { signal: AbortSignal.abort() });
    await firstValueFrom(createHttpClient(token$, { baseUrl: url, fetch }).request(request, { signal: null }));
    expect(calls[0]!.init.signal?.aborted).toBe(false);
  });
});
