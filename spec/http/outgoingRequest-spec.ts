import { Readable } from 'node:stream';
import { firstValueFrom, NEVER, Subject, take } from 'rxjs';
import { createFetch, createHttpClient, type TokenResponse, type TokenStream } from 'rx-fresh-token';
import { copyOfBody, copyOfJsonBody } from '../../src/http/requestBody.js';
import { cleanUp, failureOf, stubFetch, tokens, warmTokens } from './support.js';

afterEach(cleanUp);

const base = 'https://api.example';

/** Sends one request whose body is changed right after the call; returns the bodies that were sent. */
type Send = (token$: TokenStream, fetch: typeof globalThis.fetch, body: unknown) => Promise<unknown>;
const byFetch: Send = (token$, fetch, body) =>
  createFetch(token$, { baseUrl: base, fetch })('/', { method: 'POST', body: body as BodyInit });
const byClient: Send = (token$, fetch, body) =>
  firstValueFrom(createHttpClient(token$, { baseUrl: base, fetch }).post('/', body));
const byClientRequest: Send = (token$, fetch, body) =>
  firstValueFrom(
    createHttpClient(token$, { baseUrl: base, fetch }).request('/', { method: 'POST', body: body as BodyInit }),
  );

const form = () => {
  const data = new FormData();
  data.append('n', '1');
  return data;
};
const bodies: [string, Send, () => unknown, (body: never) => void, string][] = [
  ...(
    [
      ['createFetch', byFetch],
      ['post()', byClient],
      ['request()', byClientRequest],
    ] as const
  ).flatMap(([name, send]): [string, Send, () => unknown, (body: never) => void, string][] => [
    [`FormData by ${name}`, send, form, (body: FormData) => body.set('n', '2'), 'n=1'],
    [
      `URLSearchParams by ${name}`,
      send,
      () => new URLSearchParams('n=1'),
      (body: URLSearchParams) => body.set('n', '2'),
      'n=1',
    ],
    [`a Uint8Array by ${name}`, send, () => Uint8Array.of(49), (body: Uint8Array) => body.fill(50), '1'],
    [`a Buffer by ${name}`, send, () => Buffer.from('1'), (body: Buffer) => body.fill('2'), '1'],
    [
      `a view into a larger buffer by ${name}`,
      send,
      () => Uint8Array.of(48, 49, 50).subarray(1, 2),
      (body: Uint8Array) => body.fill(50),
      '1',
    ],
    [`a Uint16Array by ${name}`, send, () => Uint16Array.of(0x3131), (body: Uint16Array) => body.fill(0), '11'],
    [
      `a DataView by ${name}`,
      send,
      () => new DataView(Uint8Array.of(49).buffer),
      (body: DataView) => {
        body.setUint8(0, 50);
      },
      '1',
    ],
    [
      `an ArrayBuffer by ${name}`,
      send,
      () => Uint8Array.of(49).buffer,
      (body: ArrayBuffer) => new Uint8Array(body).fill(50),
      '1',
    ],
  ]),
  ['an object by post()', byClient, () => ({ n: 1 }), (body: { n: number }) => (body.n = 2), '{"n":1}'],
  ['an array by post()', byClient, () => [1], (body: number[]) => body.push(2), '[1]'],
];

const textOf = async (body: unknown): Promise<string> =>
  body instanceof FormData ? `n=${(body.get('n') as string | null) ?? ''}` : new Response(body as BodyInit).text();

describe('a body that is changed after the call', () => {
  it.each(bodies)(
    'should be sent as it was while the first token is awaited: %s',
    async (_what, send, make, change, text) => {
      const arrives = new Subject<TokenResponse>();
      const { token$ } = tokens({}, () => arrives.pipe(take(1)));
      const { fetch, calls } = stubFetch(() => new Response('ok'));
      const body = make();
      const answered = send(token$, fetch, body);
      change(body as never);
      arrives.next({ access_token: 'T1', expires_in: 60 });
      await answered;
      expect(await Promise.all(calls.map(({ init }) => textOf(init.body)))).toEqual([text]);
    },
  );

  it.each(bodies)('should be repeated as it was: %s', async (_what, send, make, change, text) => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(401, () => new Response('ok'));
    const body = make();
    const answered = send(token$, fetch, body);
    change(body as never);
    await answered;
    expect(await Promise.all(calls.map(({ init }) => textOf(init.body)))).toEqual([text, text]);
  });

  it('should be sent as it was when a cold Observable was made of it', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('ok'));
    const http = createHttpClient(token$, { baseUrl: base, fetch });
    const order = { n: 1 };
    const data = form();
    const headers = new Headers({ 'x-order': '1' });
    const requests = [http.post('/', order, { headers }), http.put('/', data, { headers })];
    order.n = 2;
    data.set('n', '2');
    headers.set('x-order', '2');
    for (const request$ of [...requests, ...requests]) await firstValueFrom(request$);
    expect(await Promise.all(calls.map(({ init }) => textOf(init.body)))).toEqual(['{"n":1}', 'n=1', '{"n":1}', 'n=1']);
    expect(calls.map((call) => call.headers.get('x-order'))).toEqual(['1', '1', '1', '1']);
  });
});

describe('a copy of a body, for the adapters of other clients', () => {
  it.each<[string, unknown]>([
    ['a Buffer', Buffer.from('abc')],
    ['a Float64Array', Float64Array.of(1.5)],
    ['a DataView', new DataView(new ArrayBuffer(2))],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a SharedArrayBuffer', new SharedArrayBuffer(2)],
    ['URLSearchParams', new URLSearchParams('a=b')],
    ['FormData', form()],
  ])('should be of the same class: %s', (_what, body) => {
    const copy = copyOfBody(body);
    expect(copy).not.toBe(body);
    expect(copy).toEqual(body);
    expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(body));
  });

  it.each<[string, unknown]>([
    ['a text', 'a'],
    ['null', null],
    ['undefined', undefined],
    ['a Blob', new Blob(['a'])],
    ['a stream', new Blob(['a']).stream()],
    ['a Node stream', Readable.from(['a'])],
  ])('should be the body itself where that cannot change, or can be read only once: %s', (_what, body) => {
    expect(copyOfBody(body)).toBe(body);
    expect(copyOfJsonBody(body)).toBe(body);
  });

  it('should be of its own class for a form of another library, and of the platform for one that the caller derived', () => {
    class ForeignForm {
      readonly [Symbol.toStringTag] = 'FormData';
      readonly #parts: [string, string][] = [];
      append(name: string, value: string) {
        this.#parts.push([name, value]);
      }
      forEach(visit: (value: string, name: string) => void) {
        for (const [name, value] of this.#parts) visit(value, name);
      }
    }
    class OrderForm extends FormData {
      constructor(order: { id: string }) {
        super();
        this.append('id', order.id);
      }
    }
    const partsOf = (data: Pick<ForeignForm, 'forEach'>) => {
      const parts: string[] = [];
      data.forEach((value, name) => parts.push(`${name}=${value}`));
      return parts;
    };
    const foreign = new ForeignForm();
    foreign.append('n', '1');
    const copy = copyOfBody(foreign);
    foreign.append('n', '2');
    expect([copy instanceof ForeignForm, partsOf(copy)]).toEqual([true, ['n=1']]);
    const derived = copyOfBody(new OrderForm({ id: '7' }));
    expect([derived instanceof FormData, derived.get('id'), [...derived].length]).toEqual([true, '7', 1]);
  });

  it('should be deep for what a client sends as JSON', () => {
    const body = { items: [{ n: 1 }], at: new Date(0), hidden: { toJSON: () => undefined } };
    const copy = copyOfJsonBody(body);
    body.items[0]!.n = 2;
    expect(JSON.stringify(copy)).toBe('{"items":[{"n":1}],"at":"1970-01-01T00:00:00.000Z"}');
    expect(copyOfBody(body)).toBe(body);
  });

  it('should have the Dates and what `toJSON` says of the call, and keep what JSON shows nothing of', () => {
    class Price {
      cents = 1;
      toJSON = () => this.cents;
    }
    const body = { at: new Date(0), price: new Price(), days: new Map([[1, 'Monday']]), none: null };
    const copy = copyOfJsonBody(body);
    body.at.setTime(1);
    body.price.cents = 2;
    expect(copy).toEqual({ at: new Date(0), price: 1, days: body.days, none: null });
    expect([copy.days === body.days, copy === body]).toEqual([true, false]);
  });

  it('should leave what is no JSON to the client, which says so', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const method = () => 1;
    expect([copyOfJsonBody(circle), copyOfJsonBody(method)]).toEqual([circle, method]);
  });
});

/** Everything that a Request can say, each different from its default. */
const fields = {
  method: 'DELETE',
  headers: { 'content-type': 'application/x-order', 'x-order': '7' },
  body: 'order',
  referrer: `${base}/page`,
  referrerPolicy: 'origin',
  mode: 'same-origin',
  cache: 'no-store',
  credentials: 'omit',
} as const;

async function saidBy(request: Request): Promise<object> {
  const { method, referrer, referrerPolicy, mode, cache, credentials, integrity, keepalive } = request;
  const headers = Object.fromEntries(request.headers);
  const body = await request.text();
  return { method, referrer, referrerPolicy, mode, cache, credentials, integrity, keepalive, headers, body };
}

/** As servers make one (Hono on Node): it has what fetch reads, and inherits what only the platform's can read. */
function requestOfServer(request: Request): Request {
  const names = ['url', 'signal', 'redirect', 'integrity', 'keepalive', ...Object.keys(fields)] as (keyof Request)[];
  const members = names.map((name) => [name, { get: () => request[name] }] as const);
  const clone = { value: () => request.clone() };
  return Object.create(
    Object.create(Request.prototype, { ...Object.fromEntries(members), clone }) as object,
  ) as Request;
}

describe.each<[string, (request: Request) => Parameters<typeof fetch>]>([
  ['a Request', (request) => [request]],
  ['a Request with an init of its own', (request) => [request, { redirect: 'follow' }]],
  ['a Request as init', (request) => [`${base}/a`, request]],
  ['the Request of a server as init', (request) => [`${base}/a`, requestOfServer(request)]],
  ['an init', () => [`${base}/a`, fields]],
  ['an init of a class', () => [`${base}/a`, Object.create(fields) as RequestInit]],
])('every field of %s', (_what, args) => {
  it.each([
    ['the first sending', [200]],
    ['the repeat', [401, 200]],
    ['each hop of a redirect', [307, 308, 200]],
    ['the repeat of a redirect', [307, 401, 307, 200]],
  ])('should be sent: %s', async (_sending, statuses) => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(
      ...statuses.map((status) => new Response(null, { status, headers: status < 400 ? { location: '/b' } : {} })),
    );
    const said: object[] = [];
    const send: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      const { authorization, ...headers } = Object.fromEntries(request.headers);
      said.push({ ...(await saidBy(request)), headers, authorization: authorization?.slice(0, 8) });
      return fetch(input, init);
    };
    await createFetch(token$, { baseUrl: base, fetch: send })(...args(new Request(`${base}/a`, fields)));
    expect(calls).toHaveLength(statuses.length);
    const expected = { ...(await saidBy(new Request(`${base}/a`, fields))), authorization: 'Bearer T' };
    expect(said).toEqual(statuses.map(() => expected));
  });

  it('should be sent to another origin, without the token, unless the mode forbids it', async () => {
    const { token$ } = await warmTokens();
    const away = new Response(null, { status: 307, headers: { location: 'https://other.example/b' } });
    const { fetch, calls } = stubFetch(away, 200);
    const error = await failureOf(
      createFetch(token$, { baseUrl: base, fetch })(...args(new Request(`${base}/a`, fields))),
    );
    expect([error.name, calls.length]).toEqual(['TypeError', 1]);
    expect(error.message).toContain('same-origin');
  });
});

it('should keep every field, but not the token, on the way to another origin', async () => {
  const { token$ } = await warmTokens();
  const away = new Response(null, { status: 307, headers: { location: 'https://other.example/b' } });
  const { fetch, calls } = stubFetch(away, 307, 200);
  const request = new Request(`${base}/a`, { ...fields, mode: 'cors' });
  await createFetch(token$, { baseUrl: base, fetch })(request);
  const { input, init } = calls[1]!;
  expect(await saidBy(new Request(input, init))).toEqual(await saidBy(request));
});

it('should keep integrity and keepalive, which go with no stream and no redirect', async () => {
  const { token$ } = await warmTokens();
  const init = { method: 'POST', body: 'order', keepalive: true, integrity: 'sha256-x' };
  const { fetch, calls } = stubFetch(401, 200, 401, 200);
  const send = createFetch(token$, { baseUrl: base, fetch });
  await send(new Request(`${base}/a`, init));
  await send(`${base}/b`, init);
  const requests = calls.map((call) => new Request(call.input, call.init));
  expect(requests.map(({ keepalive, integrity }) => [keepalive, integrity])).toEqual(Array(4).fill([true, 'sha256-x']));
});

describe('the dispatcher of undici', () => {
  const dispatcher = { dispatch: () => false };
  const hop = () => new Response(null, { status: 307, headers: { location: '/b' } });

  it('should be used on each hop, given in an init', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(hop, 200);
    await createFetch(token$, { baseUrl: base, fetch })('/a', { dispatcher } as RequestInit);
    expect(calls.map(({ init }) => (init as { dispatcher?: unknown }).dispatcher)).toEqual([dispatcher, dispatcher]);
  });

  it('should be used on each hop, given in a Request, where the platform shows it', async () => {
    const { token$ } = await warmTokens();
    const request = new Request(`${base}/a`, { dispatcher } as RequestInit);
    const isShown = Object.getOwnPropertySymbols(request).some(({ description }) => description === 'dispatcher');
    for (const args of [[request], [`${base}/a`, request]] as Parameters<typeof fetch>[]) {
      const { fetch, calls } = stubFetch(hop, 200);
      await createFetch(token$, { baseUrl: base, fetch })(...args);
      expect((calls[1]!.init as { dispatcher?: unknown }).dispatcher).toBe(isShown ? dispatcher : undefined);
    }
  });
});

it('should be sent as it is by the client too', async () => {
  const { token$ } = await warmTokens();
  const { fetch, calls } = stubFetch(401, 200);
  const http = createHttpClient(token$, { baseUrl: base, fetch, headers: { 'x-tenant': 'tea' } });
  const controller = new AbortController();
  const request = new Request(`${base}/a`, { ...fields, signal: controller.signal });
  await firstValueFrom(http.request(request));
  const expected = await saidBy(request.clone());
  for (const { input, init } of calls)
    expect(await saidBy(new Request(input, init))).toEqual({
      ...expected,
      headers: { ...fields.headers, 'x-tenant': 'tea', authorization: expect.stringMatching(/^Bearer T/) as string },
    });
  const cold = createHttpClient(tokens({}, () => NEVER).token$, { baseUrl: base, fetch });
  const answered = firstValueFrom(cold.request(request));
  controller.abort(new Error('enough'));
  expect((await failureOf(answered)).message).toBe('enough');
});

describe('the signal of a Request as init', () => {
  it('should end the request', async () => {
    const { token$ } = tokens({}, () => NEVER);
    const controller = new AbortController();
    const reason = new Error('enough');
    const answered = createFetch(token$, { baseUrl: base, fetch: stubFetch(200).fetch })(
      '/a',
      new Request(`${base}/x`, { signal: controller.signal }),
    );
    controller.abort(reason);
    expect(await failureOf(answered)).toBe(reason);
  });
});

it('should not ask a Request for its body: Deno then sends that in chunks, without its length', async () => {
  const { token$ } = await warmTokens();
  const request = new Request(`${base}/x`, { method: 'POST', body: 'x' });
  const read = jest.fn();
  Object.defineProperty(request, 'body', { get: read });
  const { fetch, calls } = stubFetch(200);
  await createFetch(token$, { allowedOrigins: [base], fetch })(request);
  expect(await (calls[0]!.input as Request).text()).toBe('x');
  expect(read).not.toHaveBeenCalled();
});

describe('a Request that its caller reads after the call', () => {
  it.each<[string, (request: Request) => Parameters<typeof fetch>]>([
    ['as input', (request) => [request]],
    ['as init', (request) => [`${base}/a`, request]],
  ])('should be sent and repeated all the same: %s', async (_what, args) => {
    const arrives = new Subject<TokenResponse>();
    const { token$ } = tokens({}, (_request, n) =>
      n === 1 ? arrives.pipe(take(1)) : [{ access_token: 'T2', expires_in: 60 }],
    );
    const { fetch, calls } = stubFetch(401, 200);
    const request = new Request(`${base}/a`, { method: 'POST', body: 'order' });
    const answered = createFetch(token$, { baseUrl: base, fetch })(...args(request));
    expect(await request.text()).toBe('order');
    arrives.next({ access_token: 'T1', expires_in: 60 });
    await answered;
    expect(await Promise.all(calls.map(({ input, init }) => new Request(input, init).text()))).toEqual([
      'order',
      'order',
    ]);
  });
});

describe.each([
  ['was read', (request: Request) => request.text()],
  ['is being read', (request: Request) => Promise.resolve(request.body!.getReader())],
])('a Request whose body %s', (_what, read) => {
  it('should be sent, repeated and redirected with the body of the init', async () => {
    const { token$ } = await warmTokens();
    const hop = new Response(null, { status: 307, headers: { location: '/b' } });
    const { fetch, calls } = stubFetch(401, hop, 200);
    const request = new Request(`${base}/a`, { method: 'PUT', body: 'old', headers: { 'x-order': '7' } });
    await read(request);
    await createFetch(token$, { baseUrl: base, fetch })(request, { body: 'new' });
    const sent = calls.map((call) => new Request(call.input, call.init));
    expect(await Promise.all(sent.map((each) => each.text()))).toEqual(['new', 'new', 'new']);
    expect(sent.map(({ method, headers }) => [method, headers.get('x-order')])).toEqual(Array(3).fill(['PUT', '7']));
  });

  it('should be a TypeError without one, as it is for fetch', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const request = new Request(`${base}/a`, { method: 'PUT', body: 'old' });
    await read(request);
    expect((await failureOf(createFetch(token$, { baseUrl: base, fetch })(request))).name).toBe('TypeError');
    expect(calls).toEqual([]);
  });
});

describe('a stream that is not sent', () => {
  const reason = new Error('enough');
  /** Makes a call with the stream in each way that ends before it is sent. */
  const ends: [string, (init: RequestInit) => Promise<unknown>][] = [
    [
      'the token stream was closed',
      async (init) => {
        const { token$ } = tokens();
        token$.close();
        return createFetch(token$, { baseUrl: base })('/', init);
      },
    ],
    [
      'the token stream closes',
      async (init) => {
        const { token$ } = tokens({}, () => NEVER);
        const answered = createFetch(token$, { baseUrl: base })('/', init);
        token$.close();
        return answered;
      },
    ],
    [
      'no token comes in time',
      (init) => createFetch(tokens({ maxWait: 1 }, () => NEVER).token$, { baseUrl: base })('/', init),
    ],
    [
      'it is aborted while the token is awaited',
      (init) => {
        const controller = new AbortController();
        const { token$ } = tokens({}, () => NEVER);
        const answered = createFetch(token$, { baseUrl: base })('/', { ...init, signal: controller.signal });
        controller.abort(reason);
        return answered;
      },
    ],
    [
      'it was aborted before',
      (init) => {
        const { token$ } = tokens({}, () => NEVER);
        return createFetch(token$, { baseUrl: base })('/', { ...init, signal: AbortSignal.abort(reason) });
      },
    ],
    ['the origin is not allowed', (init) => createFetch(tokens().token$, { baseUrl: base })('https://x.example', init)],
    [
      'authorize throws',
      async (init) => {
        const authorize = () => {
          throw reason;
        };
        return createFetch((await warmTokens()).token$, { baseUrl: base, authorize })('/', init);
      },
    ],
    [
      'an option of the call is out of range',
      (init) =>
        firstValueFrom(createHttpClient(tokens().token$, { baseUrl: base }).post('/', init.body, { timeout: 0 })),
    ],
    [
      'the subscriber of the client leaves',
      (init) => {
        const http = createHttpClient(tokens({}, () => NEVER).token$, { baseUrl: base });
        http.post('/', init.body, init).subscribe().unsubscribe();
        return Promise.reject(reason);
      },
    ],
  ];

  it.each(ends)('should be cancelled when %s', async (_why, send) => {
    let cancelled = 0;
    const body = new ReadableStream({
      cancel: () => {
        cancelled++;
      },
    });
    await failureOf(send({ method: 'POST', body, duplex: 'half' } as RequestInit));
    await new Promise(setImmediate);
    expect(cancelled).toBe(1);
  });

  it.each(ends)('should be destroyed, if it is one of Node, when %s', async (_why, send) => {
    const body = new Readable({ read: () => undefined });
    await failureOf(send({ method: 'POST', body, duplex: 'half' } as unknown as RequestInit));
    await new Promise(setImmediate);
    expect(body.destroyed).toBe(true);
  });

  it('should be left to the fetch that took it, also where that fails', async () => {
    const { token$ } = await warmTokens();
    const body = Object.assign(Readable.from(['order']), { destroy: jest.fn() });
    const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit;
    const fetch = () => Promise.reject(reason);
    expect(await failureOf(createFetch(token$, { baseUrl: base, fetch })('/', init))).toBe(reason);
    expect(body.destroy).not.toHaveBeenCalled();
  });

  it('should cause no second error if it has nothing that frees it', async () => {
    const body = { [Symbol.asyncIterator]: () => body, next: () => new Promise(() => undefined) };
    const { token$ } = tokens({ maxWait: 1 }, () => NEVER);
    const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit;
    expect((await failureOf(createFetch(token$, { baseUrl: base })('/', init))).name).toBe('TokenUnavailableError');
  });

  it('should be closed if it is an iterator, and cause no second error where that fails', async () => {
    for (const closed of [() => Promise.resolve(), () => Promise.reject(new Error('no'))]) {
      const close = jest.fn(closed);
      const body = { [Symbol.asyncIterator]: () => body, next: () => new Promise(() => undefined), return: close };
      const { token$ } = tokens({ maxWait: 1 }, () => NEVER);
      const init = { method: 'POST', body, duplex: 'half' } as unknown as RequestInit;
      await failureOf(createFetch(token$, { baseUrl: base })('/', init));
      expect(close).toHaveBeenCalledTimes(1);
    }
  });

  it('should not be touched in a Request, which stays the caller’s', async () => {
    const { token$ } = tokens({ maxWait: 1 }, () => NEVER);
    const request = new Request(`${base}/a`, { method: 'POST', body: 'order' });
    await failureOf(createFetch(token$, { baseUrl: base })(request));
    expect(await request.text()).toBe('order');
  });
});

describe('the repeat past the HTTP cache', () => {
  const whole = globalThis as { document?: unknown };
  afterEach(() => {
    delete whole.document;
  });

  /** The `cache` of each sending of a request that is rejected once. */
  async function cacheOf(...args: Parameters<typeof fetch>) {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(403, 200);
    await createFetch(token$, { baseUrl: base, fetch })(...args);
    return calls.map(({ init }) => init.cache);
  }

  it.each<[string, () => Parameters<typeof fetch>, (string | undefined)[]]>([
    ['of a URL', () => ['/x'], [undefined, 'reload']],
    ['of a Request', () => [new Request(`${base}/x`)], [undefined, 'reload']],
    ['that is the default', () => ['/x', { cache: 'default' }], ['default', 'reload']],
    ["of the caller's own", () => ['/x', { cache: 'force-cache' }], ['force-cache', 'force-cache']],
    [
      'of a Request of the caller’s own',
      () => [new Request(`${base}/x`, { cache: 'no-store' })],
      [undefined, undefined],
    ],
  ])('should be asked for in a browser: %s', async (_name, args, expected) => {
    whole.document = {};
    expect(await cacheOf(...args())).toEqual(expected);
  });

  it('should not be asked for on other platforms, of which some refuse it', async () => {
    expect(await cacheOf('/x')).toEqual([undefined, undefined]);
  });
});
