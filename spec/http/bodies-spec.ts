import { Readable } from 'node:stream';
import { catchError, EMPTY, firstValueFrom, NEVER, of, retry, throwError } from 'rxjs';
import { createFetch, createHttpClient } from 'rx-fresh-token';
import {
  answer,
  cleanUp,
  failureOf,
  fetches,
  pause,
  serve,
  stubFetch,
  tokens,
  warmTokens,
  type Api,
} from './support.js';

afterEach(cleanUp);

/** Rejects T1. */
const serveRejectingT1 = (): Promise<Api> =>
  serve((seen, response) => {
    answer(response, seen.headers.authorization === 'Bearer T1' ? 401 : 200, seen.body.toString('latin1'));
  });

const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);

function form(): FormData {
  const data = new FormData();
  data.append('name', 'tëa');
  data.append('file', new Blob([bytes], { type: 'application/x-tea' }), 'tea.bin');
  return data;
}

type Body = RequestInit['body'];

describe.each(fetches)('a body that can be sent again, over %s', (_name, fetch) => {
  const cases: [string, () => Body, string | undefined][] = [
    ['an empty string', () => '', 'text/plain;charset=UTF-8'],
    ['a string', () => 'tëa ☕'.repeat(1000), 'text/plain;charset=UTF-8'],
    [
      'URLSearchParams',
      () => new URLSearchParams({ a: '1 2', b: '&' }),
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
    ['a Uint8Array', () => bytes, undefined],
    ['a view into a larger buffer', () => bytes.subarray(100, 200), undefined],
    ['an ArrayBuffer', () => bytes.slice().buffer, undefined],
    ['a Buffer', () => Buffer.from(bytes), undefined],
  ];
  it.each(cases)('should be repeated byte for byte: %s', async (_kind, body, type) => {
    const api = await serveRejectingT1();
    const { token$, asked } = await warmTokens();
    const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/', { method: 'POST', body: body() });
    expect(response.status).toBe(200);
    expect(api.authorizations()).toEqual(['Bearer T1', 'Bearer T2']);
    expect(api.seen[1]!.body.equals(api.seen[0]!.body)).toBe(true);
    expect(api.seen[0]!.body.equals(Buffer.from(await new Response(body()).arrayBuffer()))).toBe(true);
    expect(api.seen.map(({ headers }) => headers['content-type']?.toLowerCase())).toEqual([
      type?.toLowerCase(),
      type?.toLowerCase(),
    ]);
    expect(asked).toHaveLength(2);
  });
});

describe('a body that only the native fetch understands', () => {
  it('should be repeated byte for byte: a Blob', async () => {
    const api = await serveRejectingT1();
    const { token$ } = await warmTokens();
    await createFetch(token$, { baseUrl: api.origin })('/', {
      method: 'POST',
      body: new Blob([bytes], { type: 'application/x-tea' }),
    });
    expect(
      api.seen.map(({ body, headers }) => [body.equals(bytes), headers['content-type'], headers['content-length']]),
    ).toEqual([
      [true, 'application/x-tea', '70000'],
      [true, 'application/x-tea', '70000'],
    ]);
  });

  it('should be repeated part for part: FormData', async () => {
    const api = await serveRejectingT1();
    const { token$ } = await warmTokens();
    await createFetch(token$, { baseUrl: api.origin })('/', { method: 'POST', body: form() });
    expect(api.seen).toHaveLength(2);
    for (const { body, headers } of api.seen) {
      const data = await new Response(new Uint8Array(body), {
        headers: { 'content-type': headers['content-type']! },
      }).formData();
      expect(data.get('name')).toBe('tëa');
      expect(Buffer.from(await (data.get('file') as File).arrayBuffer()).equals(bytes)).toBe(true);
    }
  });

  it.each<[string, () => { body: BodyInit; duplex?: string }]>([
    ['text', () => ({ body: 'order' })],
    ['bytes', () => ({ body: bytes })],
    ['a form', () => ({ body: form() })],
    ['a stream', () => ({ body: new Blob([bytes]).stream(), duplex: 'half' })],
  ])('should be repeated byte for byte: a Request with %s', async (_kind, init) => {
    const api = await serveRejectingT1();
    const { token$ } = await warmTokens();
    const request = new Request(`${api.origin}/a`, { method: 'PUT', headers: { 'x-trace': '7' }, ...init() });
    const response = await createFetch(token$, { baseUrl: api.origin })(request);
    expect(response.status).toBe(200);
    expect(
      api.seen.map(({ method, path, headers }) => [method, path, headers['x-trace'], headers['content-type']]),
    ).toEqual(Array(2).fill(['PUT', '/a', '7', request.headers.get('content-type') ?? undefined]));
    expect(api.seen[0]!.body.length).toBeGreaterThan(4);
    expect(api.seen[1]!.body.equals(api.seen[0]!.body)).toBe(true);
  });

  it('should leave the given Request unread', async () => {
    const api = await serveRejectingT1();
    const { token$ } = await warmTokens();
    const request = new Request(`${api.origin}/a`, { method: 'PUT', body: 'order' });
    await createFetch(token$, { baseUrl: api.origin })(request);
    expect(request.bodyUsed).toBe(false);
    expect(await request.text()).toBe('order');
  });
});

describe('a body that can be read once', () => {
  async function* letters() {
    await Promise.resolve();
    yield Buffer.from('on');
    yield Buffer.from('ce');
  }
  const webStream = () => new Blob(['once']).stream();
  const nodeStream = () => Readable.from([Buffer.from('once')]);
  const [[, native], [, crossFetch]] = fetches as [[string, undefined], [string, typeof fetch]];

  it.each<[string, () => unknown, typeof fetch | undefined]>([
    ['a ReadableStream', webStream, native],
    ['a Node stream', nodeStream, native],
    ['an async generator', letters, native],
    ['a Node stream over cross-fetch', nodeStream, crossFetch],
  ])('should never be sent twice: %s', async (_kind, body, fetch) => {
    const api = await serveRejectingT1();
    const { token$, asked, events } = await warmTokens();
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    const init = () => ({ method: 'POST', body: body(), duplex: 'half' }) as unknown as RequestInit;
    const response = await fetchWithToken('/a', init());
    // The rejection is passed on, its body readable …
    expect([response.status, await response.text()]).toEqual([401, 'once']);
    expect(api.seen.map(({ body: sent }) => sent.toString())).toEqual(['once']);
    // … and the refresh still happened, so the next one gets through.
    await firstValueFrom(token$);
    expect(asked.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
    expect(events.filter(({ type }) => type === 'tokenRejected')).toHaveLength(1);
    expect((await fetchWithToken('/a', init())).status).toBe(200);
    expect(api.authorizations()).toEqual(['Bearer T1', 'Bearer T2']);
  });

  it('should get its rejection at once: a new token would not help it', async () => {
    const { token$, asked } = tokens({}, (_request, n) => (n > 1 ? NEVER : [{ access_token: 'T1', expires_in: 3600 }]));
    const send = createFetch(token$, { baseUrl: 'https://api.example', fetch: stubFetch(401).fetch });
    const answered = send('/', { method: 'POST', body: webStream(), duplex: 'half' } as RequestInit);
    expect(await Promise.race([answered, pause(2_000)])).toMatchObject({ status: 401 });
    expect(asked).toHaveLength(2);
  });

  it('should not be touched before there is a token to send it with', async () => {
    const api = await serve((seen, response) => {
      answer(response, 200, seen.body.toString());
    });
    const { token$ } = tokens(
      {},
      () => new Promise((resolve) => setTimeout(resolve, 5, { access_token: 'T1', expires_in: 60 })),
    );
    const body = webStream();
    const sent = createFetch(token$, { baseUrl: api.origin })('/a', {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit);
    expect(body.locked).toBe(false);
    expect(await (await sent).text()).toBe('once');
  });
});

describe('the client', () => {
  it.each<[string, unknown, string, string | undefined]>([
    ['an object', { a: 1 }, '{"a":1}', 'application/json'],
    ['an array', [1, 'x'], '[1,"x"]', 'application/json'],
    ['a number', 0, '0', 'application/json'],
    ['a boolean', false, 'false', 'application/json'],
    ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"', 'application/json'],
    ['an object with toJSON', { toJSON: () => ({ b: 2 }) }, '{"b":2}', 'application/json'],
    ['a string', 'text', 'text', 'text/plain;charset=UTF-8'],
    ['URLSearchParams', new URLSearchParams('a=b'), 'a=b', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ['bytes', Uint8Array.of(104, 105), 'hi', undefined],
    ['nothing', undefined, '', undefined],
    ['null', null, '', undefined],
  ])('should send %s as what it is, on the repeat too', async (_kind, body, text, type) => {
    const api = await serveRejectingT1();
    const { token$ } = await warmTokens();
    await firstValueFrom(createHttpClient(token$, { baseUrl: api.origin }).post('/', body));
    expect(api.seen.map((seen) => [seen.body.toString(), seen.headers['content-type']])).toEqual([
      [text, type],
      [text, type],
    ]);
  });

  it('should let the caller name the content type of JSON', async () => {
    const api = await serveRejectingT1();
    const { token$ } = await warmTokens();
    await firstValueFrom(
      createHttpClient(token$, { baseUrl: api.origin }).patch(
        '/',
        { a: 1 },
        { headers: { 'Content-Type': 'application/merge-patch+json' } },
      ),
    );
    expect(api.seen[0]!.headers['content-type']).toBe('application/merge-patch+json');
  });

  it('should send a stream once, and error with the rejection', async () => {
    const api = await serveRejectingT1();
    const { token$, asked } = await warmTokens();
    const http = createHttpClient(token$, { baseUrl: api.origin });
    const error = await failureOf(firstValueFrom(http.post('/', new Blob(['once']).stream())));
    expect(error.code).toBe('ERR_HTTP_STATUS');
    expect(api.seen.map(({ body }) => body.toString())).toEqual(['once']);
    expect(asked).toHaveLength(2);
  });

  it.each<[string, () => unknown]>([
    ['a ReadableStream', () => new Blob(['once']).stream()],
    ['a Node stream', () => Readable.from([Buffer.from('once')])],
    [
      'an async generator',
      async function* () {
        yield await Promise.resolve(Buffer.from('once'));
      },
    ],
  ])('should refuse a second subscription to a request with %s', async (_kind, body) => {
    const api = await serve((_seen, response) => {
      answer(response, 503);
    });
    const { token$ } = await warmTokens();
    const http = createHttpClient(token$, { baseUrl: api.origin });
    const init = () => ({ method: 'POST', body: body(), duplex: 'half' }) as RequestInit;
    for (const request of [http.post('/', body()), http.request('/', init())]) {
      api.seen.length = 0;
      await firstValueFrom(request.pipe(catchError(() => EMPTY)), { defaultValue: null });
      const error = await failureOf(firstValueFrom(request));
      expect([error.name, error.message]).toEqual(['TypeError', `POST ${api.origin}/: the body can be read only once`]);
      expect(api.seen.map((seen) => seen.body.toString())).toEqual(['once']);
    }
  });

  it('should refuse it too if the first one found no token', async () => {
    const { token$ } = tokens({}, (_request, n) =>
      n === 1
        ? throwError(() => Object.assign(new Error('refused'), { status: 400 }))
        : of({ access_token: 'T', expires_in: 60 }),
    );
    const { fetch, calls } = stubFetch(200);
    const request = createHttpClient(token$, { baseUrl: 'https://api.example', fetch }).put(
      '/',
      new Blob(['once']).stream(),
    );
    expect((await failureOf(firstValueFrom(request))).name).toBe('TokenUnavailableError');
    await firstValueFrom(token$.refresh().pipe(retry({ delay: 50 })));
    expect((await failureOf(firstValueFrom(request))).name).toBe('TypeError');
    expect(calls).toHaveLength(0);
  });
});
