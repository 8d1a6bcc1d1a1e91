import { once } from 'node:events';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Response as CrossResponse } from 'cross-fetch';
import { firstValueFrom, lastValueFrom, NEVER, of, Subject, throwError, toArray, type Observable } from 'rxjs';
import {
  createHttpClient,
  HttpStatusError,
  isTokenError,
  type HttpClient,
  type HttpClientOptions,
} from 'rx-fresh-token';
import {
  answer,
  cleanUp,
  failureOf,
  fetches,
  guarded,
  pause,
  printed,
  serve,
  stubFetch,
  tokens,
  until,
  warmTokens,
  type Handler,
} from './support.js';

afterEach(cleanUp);

const base = 'https://api.example.com';
const json = { 'content-type': 'application/json' };

async function clientOf(handler: Handler, options: HttpClientOptions = {}) {
  const api = await serve(handler);
  const made = await warmTokens();
  return { api, ...made, http: createHttpClient(made.token$, { baseUrl: api.origin, ...options }) };
}

describe('every method', () => {
  const methods: [string, (http: HttpClient) => Observable<unknown>, string, string][] = [
    ['request', (http) => http.request('/x', { method: 'OPTIONS', body: undefined }), 'OPTIONS', ''],
    ['get', (http) => http.get('/x'), 'GET', ''],
    ['delete', (http) => http.delete('/x'), 'DELETE', ''],
    ['head', (http) => http.head('/x'), 'HEAD', ''],
    ['post', (http) => http.post('/x', { a: 1 }), 'POST', '{"a":1}'],
    ['put', (http) => http.put('/x', { a: 1 }), 'PUT', '{"a":1}'],
    ['patch', (http) => http.patch('/x', { a: 1 }), 'PATCH', '{"a":1}'],
  ];

  it.each(methods)('should send what its name says, with the token: %s', async (_name, send, method, body) => {
    const { api, http } = await clientOf(guarded('T1'));
    await lastValueFrom(send(http));
    expect(api.seen.map((seen) => [seen.method, seen.body.toString(), seen.headers.authorization])).toEqual([
      [method, body, 'Bearer T1'],
    ]);
  });

  it.each(methods)(
    'should be cold: nothing is sent before, and one request for each subscription: %s',
    async (_name, send) => {
      const { token$ } = await warmTokens();
      const { fetch, calls } = stubFetch(() => new Response('x'));
      const cold = send(createHttpClient(token$, { baseUrl: base, fetch }));
      await pause(1);
      expect(calls).toHaveLength(0);
      await lastValueFrom(cold);
      await lastValueFrom(cold);
      expect(calls).toHaveLength(2);
    },
  );

  it.each(methods)('should emit once and complete: %s', async (_name, send) => {
    const { token$ } = await warmTokens();
    const { fetch } = stubFetch(() => new Response('x'));
    expect(await lastValueFrom(send(createHttpClient(token$, { baseUrl: base, fetch })).pipe(toArray()))).toHaveLength(
      1,
    );
  });

  it.each(methods)('should repeat once after a rejection: %s', async (_name, send, method, body) => {
    const { api, http, asked } = await clientOf(guarded('T2'));
    await lastValueFrom(send(http));
    expect(api.seen.map((seen) => [seen.method, seen.body.toString(), seen.headers.authorization])).toEqual([
      [method, body, 'Bearer T1'],
      [method, body, 'Bearer T2'],
    ]);
    expect(asked).toHaveLength(2);
  });

  it.each(methods)('should close the connection when it is unsubscribed: %s', async (_name, send) => {
    for (const fetch of [undefined, fetches[1]![1]]) {
      const { api, http } = await clientOf(() => undefined, { fetch });
      const subscription = send(http).subscribe();
      await until(() => api.seen.length === 1);
      subscription.unsubscribe();
      await until(() => api.cut.length === 1);
    }
  });

  it.each(methods)(
    'should send nothing when it is unsubscribed while it waits for the token: %s',
    async (_name, send) => {
      const { token$, asked } = tokens(
        {},
        () => new Promise((resolve) => setTimeout(resolve, 5, { access_token: 'T1', expires_in: 60 })),
      );
      const { fetch, calls } = stubFetch(200);
      const subscription = send(createHttpClient(token$, { baseUrl: base, fetch })).subscribe();
      subscription.unsubscribe();
      await until(() => token$.current !== null);
      await pause(1);
      expect([calls.length, asked.length]).toEqual([0, 1]);
    },
  );

  it.each(methods)('should fail with TokenStreamClosedError after close(): %s', async (_name, send) => {
    const { token$ } = tokens();
    const { fetch, calls } = stubFetch(200);
    const cold = send(createHttpClient(token$, { baseUrl: base, fetch }));
    token$.close();
    expect((await failureOf(lastValueFrom(cold))).code).toBe('ERR_TOKEN_STREAM_CLOSED');
    expect(calls).toHaveLength(0);
  });
});

describe.each(fetches)('request(), over %s', (_name, fetch) => {
  it.each([200, 204, 404, 403, 401, 500])('should emit the Response whatever its status: %i', async (status) => {
    const { http } = await clientOf(
      (_seen, response) => {
        answer(response, status, status === 204 ? '' : 'body');
      },
      { fetch },
    );
    const response = await firstValueFrom(http.request('/'));
    expect(response.status).toBe(status);
    // The stream has completed and firstValueFrom has unsubscribed: the body is readable all the same.
    await pause(1);
    expect(await response.text()).toBe(status === 204 ? '' : 'body');
  });

  it('should leave a long body readable after firstValueFrom', async () => {
    const part = 'x'.repeat(100_000);
    const { http, api } = await clientOf(
      (_seen, response) => {
        response.writeHead(200);
        response.write(part);
        setTimeout(() => response.end(part), 20);
      },
      { fetch, timeout: 10_000 },
    );
    const response = await firstValueFrom(http.request('/'));
    await pause(5);
    expect((await response.text()).length).toBe(200_000);
    expect(api.cut).toHaveLength(0);
  });
});

describe('the body that get() and its like emit', () => {
  it.each<[string, number, string, Record<string, string>, unknown]>([
    ['JSON', 200, '{"a":[1,null]}', json, { a: [1, null] }],
    ['JSON null', 200, 'null', json, null],
    ['a JSON string', 200, '"x"', json, 'x'],
    ['a JSON number', 201, '42', json, 42],
    ['JSON with a charset', 200, '{"a":"ë"}', { 'content-type': 'application/json; charset=utf-8' }, { a: 'ë' }],
    ['JSON by its suffix', 200, '{"a":1}', { 'content-type': 'application/problem+json' }, { a: 1 }],
    ['a sequence of JSON texts', 200, '\u001e1\n', { 'content-type': 'application/json-seq' }, '\u001e1\n'],
    ['one line of JSON lines', 200, '{"a":1}\n', { 'content-type': 'application/x-ndjson' }, '{"a":1}\n'],
    ['lines of JSON by a suffix', 200, '{"a":1}\n2', { 'content-type': 'application/stream+json' }, '{"a":1}\n2'],
    ['a single line of them', 200, '{"a":1}\n', { 'content-type': 'application/x-json-stream' }, '{"a":1}\n'],
    ['a sequence of one', 200, '{"a":1}\n', { 'content-type': 'application/json-seq' }, '{"a":1}\n'],
    ['JSON by its suffix only', 200, '1', { 'content-type': 'application/json-patch+json' }, 1],
    ['JSON with a byte order mark', 200, '\ufeff{"a":1}', json, { a: 1 }],
    ['nothing', 200, '', json, null],
    ['nothing but a blank, as Rails sends it', 200, ' \n', json, null],
    ['a blank text', 200, ' ', { 'content-type': 'text/plain' }, ' '],
    ['nothing at all', 204, '', {}, null],
    ['text', 200, 'plain', { 'content-type': 'text/plain' }, 'plain'],
    ['text without a type', 200, 'plain', {}, 'plain'],
    ['text that only begins like JSON', 200, '[not json', { 'content-type': 'text/plain' }, '[not json'],
    ['a page', 200, '<p>', { 'content-type': 'text/html' }, '<p>'],
  ])('should be parsed: %s', async (_kind, status, body, headers, value) => {
    const { http } = await clientOf((_seen, response) => {
      answer(response, status, body, headers);
    });
    expect(await firstValueFrom(http.get('/'))).toEqual(value);
    expect(await firstValueFrom(http.post('/', {}))).toEqual(value);
  });

  it('should be parsed without headers, too, as of a mock of fetch', async () => {
    const { token$ } = await warmTokens();
    const fetch = () => Promise.resolve({ ok: true, status: 200, text: () => Promise.resolve('[1]') } as Response);
    expect(await firstValueFrom(createHttpClient(token$, { baseUrl: base, fetch }).get('/'))).toEqual([1]);
  });

  it('should be a SyntaxError that does not quote it when it only claims to be JSON', async () => {
    const { http, api } = await clientOf((_seen, response) => {
      answer(response, 200, '{"access_token":"SECRET', json);
    });
    const error = await failureOf(firstValueFrom(http.get('/x?q=SECRET')));
    expect(error.name).toBe('SyntaxError');
    expect(error.message).toContain(`GET ${api.origin}/x: `);
    expect(printed(error)).not.toContain('SECRET');
  });

  it('should be a Response for head()', async () => {
    const { http } = await clientOf((_seen, response) => {
      answer(response, 200, '', { 'x-count': '7' });
    });
    expect((await firstValueFrom(http.head('/'))).headers.get('x-count')).toBe('7');
  });
});

describe('a status outside 200 to 299', () => {
  const methods: [string, (http: HttpClient) => ReturnType<HttpClient['get']>][] = [
    ['GET', (http) => http.get('/x?q=SECRET')],
    ['DELETE', (http) => http.delete('/x?q=SECRET')],
    ['HEAD', (http) => http.head('/x?q=SECRET')],
    ['POST', (http) => http.post('/x?q=SECRET', {})],
    ['PUT', (http) => http.put('/x?q=SECRET', {})],
    ['PATCH', (http) => http.patch('/x?q=SECRET', {})],
  ];

  it.each(methods)(
    'should error with HttpStatusError, whose response is unread and not printed: %s',
    async (method, send) => {
      const { http, api } = await clientOf((_seen, response) => {
        answer(response, 422, method === 'HEAD' ? '' : 'because SECRET', { 'x-secret': 'SECRET' });
      });
      const error = await failureOf(firstValueFrom(send(http)));
      expect(error).toBeInstanceOf(HttpStatusError);
      if (!isTokenError(error, 'ERR_HTTP_STATUS')) throw error;
      expect([error.name, error.status, error.response.status]).toEqual(['HttpStatusError', 422, 422]);
      expect(error.message).toBe(`${method} ${api.origin}/x answered 422`);
      expect(printed(error)).not.toContain('SECRET');
      expect(Object.keys(error)).not.toContain('response');
      expect(error.response.bodyUsed).toBe(false);
      if (method !== 'HEAD') expect(await error.response.text()).toBe('because SECRET');
    },
  );

  it('should be an HttpStatusError though `isRejection` has read the body', async () => {
    const isRejection = async (response: Response) => (await response.text()) === 'expired';
    const { http } = await clientOf((_seen, response) => answer(response, 500, 'no'), { isRejection });
    expect(await failureOf(firstValueFrom(http.get('/')))).toMatchObject({ code: 'ERR_HTTP_STATUS', status: 500 });
  });

  it.each([304, 400, 401, 403, 404, 500])('should be an HttpStatusError: %i', async (status) => {
    const { http } = await clientOf((_seen, response) => {
      answer(response, status);
    });
    expect(await failureOf(firstValueFrom(http.get('/')))).toMatchObject({ code: 'ERR_HTTP_STATUS', status });
  });

  it.each(fetches)('should hold no connection, however many there are, over %s', async (_name, fetch) => {
    const reason = 'because '.repeat(2500);
    const { http, api } = await clientOf(
      (_seen, response) => {
        answer(response, 422, reason, { 'x-reason': 'yes' });
      },
      { fetch },
    );
    const errors: HttpStatusError[] = [];
    for (let i = 0; i < 30; i++)
      errors.push((await failureOf(firstValueFrom(http.get('/x')))) as unknown as HttpStatusError);
    await until(() => api.sockets.size <= 2);
    expect(api.accepted).toBeLessThan(fetch ? 31 : 5);
    const { response } = errors[0]!;
    expect([response.status, response.ok, response.headers.get('x-reason'), response.url]).toEqual([
      422,
      false,
      'yes',
      `${api.origin}/x`,
    ]);
    expect(await response.clone().text()).toBe(reason);
    expect(await response.text()).toBe(reason);
  });

  it.each(fetches)('should have the first 64 kB of a long body, over %s', async (_name, fetch) => {
    const { http, api } = await clientOf(
      (_seen, response) => {
        response.writeHead(500);
        response.write('x'.repeat(100_000));
        if (fetch) response.end('x'.repeat(100_000));
      },
      { fetch },
    );
    const { response } = (await failureOf(firstValueFrom(http.get('/x')))) as unknown as HttpStatusError;
    expect((await response.text()).length).toBe(64 * 1024);
    // The rest is cancelled, and by node-fetch read to its end.
    await until(() => (fetch ? api.sockets.size <= 1 : api.cut.length === 1));
  });

  it('should have what came of a body whose connection broke', async () => {
    const { http } = await clientOf((_seen, response) => {
      response.writeHead(500, { 'content-length': '100' });
      response.write('the beginning', () => setTimeout(() => response.socket?.resetAndDestroy(), 10));
    });
    const error = (await failureOf(firstValueFrom(http.get('/x')))) as unknown as HttpStatusError;
    expect([error.status, await error.response.text()]).toEqual([500, 'the beginning']);
  });

  it.each(fetches)('should have what came within 2 s of a body that does not end, over %s', async (_name, fetch) => {
    const { http } = await clientOf(
      (_seen, response) => {
        response.writeHead(503);
        response.write('the beginning');
      },
      { fetch },
    );
    const error = (await failureOf(firstValueFrom(http.get('/x')))) as unknown as HttpStatusError;
    expect([error.status, await error.response.text()]).toEqual([503, 'the beginning']);
  });

  it('should come without the rest of a long body, also if isRejection has left a clone unread', async () => {
    const isRejection = (response: Response) => response.clone().status === 401;
    const { http } = await clientOf((_seen, response) => response.writeHead(500).write('x'.repeat(100_000)), {
      isRejection,
    });
    const error = (await failureOf(firstValueFrom(http.get('/x')))) as unknown as HttpStatusError;
    expect((await error.response.text()).length).toBe(64 * 1024);
  });

  it('should have the response of a mock as it is, whose body is in memory', async () => {
    const { token$ } = await warmTokens();
    const fetch = () => Promise.resolve(new CrossResponse('no', { status: 404 }));
    const error = (await failureOf(
      firstValueFrom(createHttpClient(token$, { baseUrl: base, fetch }).get('/')),
    )) as unknown as HttpStatusError;
    expect([error.status, await error.response.text()]).toEqual([404, 'no']);
  });

  it('should have the response of an injected fetch as it is, where that is none of the platform', async () => {
    const { token$ } = await warmTokens();
    const response = { ok: false, status: 999, headers: new Headers(), body: {} } as unknown as Response;
    const http = createHttpClient(token$, { baseUrl: base, fetch: () => Promise.resolve(response) });
    const error = (await failureOf(firstValueFrom(http.get('/')))) as unknown as HttpStatusError;
    expect([error.status, error.response]).toEqual([999, response]);
  });

  it('should name origin and path of a URL under baseUrl', async () => {
    const { token$ } = await warmTokens();
    const http = createHttpClient(token$, { baseUrl: `${base}/v1`, fetch: stubFetch(404).fetch });
    expect((await failureOf(firstValueFrom(http.get('/orders?q=SECRET')))).message).toBe(
      `GET ${base}/v1/orders answered 404`,
    );
  });

  it('should be the second answer after a rejection', async () => {
    const { http, api } = await clientOf((_seen, response) => {
      answer(response, 401, String(api.seen.length));
    });
    const error = (await failureOf(firstValueFrom(http.get('/')))) as unknown as HttpStatusError;
    expect(await error.response.text()).toBe('2');
    expect(api.seen).toHaveLength(2);
  });
});

/** The failure of a request that the server has seen: on a busy machine a timeout may be over before it connects. */
async function timedOutAtServer({ seen }: { readonly seen: unknown[] }, send: () => Observable<unknown>) {
  for (;;) {
    const error = await failureOf(firstValueFrom(send()));
    if (seen.length > 0) return error;
  }
}

/** A server in a thread of its own: it goes on while that of the client is stopped. */
const ANSWERS_LATE = `
const { parentPort } = require('node:worker_threads');
const server = require('node:http').createServer((_request, response) => {
  parentPort.postMessage('asked');
  setTimeout(() => response.end('in time'), 100);
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

describe.each(fetches)('a timeout, over %s', (_name, fetch) => {
  const late: [string, (http: HttpClient, timeout?: number) => ReturnType<HttpClient['get']>][] = [
    ['request', (http, timeout) => http.request('/x?q=SECRET', { timeout })],
    ['get', (http, timeout) => http.get('/x?q=SECRET', { timeout })],
    ['head', (http, timeout) => http.head('/x?q=SECRET', { timeout })],
    ['post', (http, timeout) => http.post('/x?q=SECRET', {}, { timeout })],
  ];

  it.each(late)('should error with RequestTimeoutError and close the connection: %s', async (_method, send) => {
    const { http, api } = await clientOf(() => undefined, { fetch, timeout: 20 });
    const error = await timedOutAtServer(api, () => send(http));
    expect([error.name, error.code]).toEqual(['RequestTimeoutError', 'ERR_REQUEST_TIMEOUT']);
    expect(error.message).toMatch(/ took longer than 20 ms$/);
    expect(printed(error)).not.toContain('SECRET');
    await until(() => api.cut.length === api.seen.length);
  });

  it.each(late)('should be the one of the call where it has one: %s', async (_method, send) => {
    const { http } = await clientOf(() => undefined, { fetch, timeout: 60_000 });
    expect((await failureOf(firstValueFrom(send(http, 15)))).message).toContain('15 ms');
  });

  it('should bound a body that never ends', async () => {
    const { http, api } = await clientOf(
      (_seen, response) => {
        response.writeHead(200);
        response.write('{');
      },
      { fetch },
    );
    const error = await timedOutAtServer(api, () => http.get('/', { timeout: 40 }));
    expect(error.code).toBe('ERR_REQUEST_TIMEOUT');
    await until(() => api.cut.length === api.seen.length);
  });

  it('should bound a body that is cut short by an orderly close', async () => {
    const { http } = await clientOf(
      (_seen, response) => {
        response.writeHead(200, { 'transfer-encoding': 'chunked' });
        response.write('{"a":');
        setTimeout(() => response.socket?.end(), 5);
      },
      { fetch },
    );
    // Some fetches notice, some never do: it settles in either case.
    expect(await failureOf(firstValueFrom(http.get('/', { timeout: 60 })))).toBeDefined();
  });

  it('should bound the wait for a token, and the repeat', async () => {
    const api = await serve((_seen, response) => {
      answer(response, 401);
    });
    const { token$ } = tokens({}, (_request, n) => (n === 1 ? [{ access_token: 'T1', expires_in: 3600 }] : NEVER));
    expect(
      (
        await failureOf(
          firstValueFrom(createHttpClient(token$, { baseUrl: api.origin, fetch }).get('/', { timeout: 30 })),
        )
      ).code,
    ).toBe('ERR_REQUEST_TIMEOUT');
    const cold = tokens({}, () => NEVER);
    const down = tokens({}, () => throwError(() => new Error('the endpoint is down')));
    for (const [stream, reason] of [
      [cold, 'no usable token'],
      [down, 'no usable token: the endpoint is down'],
    ] as const) {
      const error = await failureOf(
        firstValueFrom(createHttpClient(stream.token$, { baseUrl: api.origin, fetch }).get('/', { timeout: 10 })),
      );
      expect([error.code, error.message]).toEqual([
        'ERR_REQUEST_TIMEOUT',
        `GET ${api.origin}/ took longer than 10 ms: ${reason}`,
      ]);
      expect(error.cause).toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE', message: reason });
    }
  });

  it('should not end a request whose answer came while the process was stopped', async () => {
    const server = new Worker(ANSWERS_LATE, { eval: true });
    try {
      const [port] = (await once(server, 'message')) as [number];
      const { token$ } = await warmTokens();
      const http = createHttpClient(token$, { baseUrl: `http://127.0.0.1:${port}`, fetch });
      const answered = firstValueFrom(http.get('/', { timeout: 600 })).catch((error: unknown) => error);
      await once(server, 'message'); // the server has the request
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
      expect(await answered).toBe('in time');
    } finally {
      await server.terminate();
    }
  });

  it.each([
    ['had a token that is used once', [{ access_token: 'T1', expires_in: 0 }], undefined],
    ['brought an Authorization of its own', NEVER, { authorization: 'Basic b3JkZXJz' }],
  ])('should not be blamed on the token where the request %s', async (_what, source, headers) => {
    const api = await serve(() => undefined);
    const { token$ } = tokens({}, () => source);
    const http = createHttpClient(token$, { baseUrl: api.origin, fetch });
    const error = await timedOutAtServer(api, () => http.get('/', { headers, timeout: 50 }));
    expect([error.message, error.cause]).toEqual([`GET ${api.origin}/ took longer than 50 ms`, undefined]);
  });

  it('should not be felt by an answer that comes in time, nor by its body', async () => {
    const { http } = await clientOf(
      (_seen, response) => {
        response.writeHead(200);
        response.write('a');
        setTimeout(() => response.end('b'), 1200);
      },
      { fetch },
    );
    const response = await firstValueFrom(http.request('/', { timeout: 1000 }));
    expect(await response.text()).toBe('ab');
  });
});

describe('the headers of the client', () => {
  it('should go with every request, and give way to its own, whatever their case and kind', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('x'));
    const http = createHttpClient(token$, {
      baseUrl: base,
      fetch,
      headers: { 'X-Tenant': 'tea', 'X-Trace': 'default' },
    });
    await firstValueFrom(http.request('/'));
    await firstValueFrom(http.request('/', { headers: { 'x-trace': 'mine' } }));
    await firstValueFrom(http.get('/', { headers: new Headers({ 'X-TRACE': 'mine' }) }));
    await firstValueFrom(http.post('/', {}, { headers: [['X-Trace', 'mine']] }));
    expect(
      calls.map(({ headers }) => [headers.get('x-tenant'), headers.get('x-trace'), headers.get('authorization')]),
    ).toEqual([
      ['tea', 'default', 'Bearer T1'],
      ['tea', 'mine', 'Bearer T1'],
      ['tea', 'mine', 'Bearer T1'],
      ['tea', 'mine', 'Bearer T1'],
    ]);
  });

  it('should be joined where the same name comes twice', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('x'));
    const http = createHttpClient(token$, { baseUrl: base, fetch });
    const headers: [string, string][] = [
      ['accept-language', 'de'],
      ['Accept-Language', 'en'],
    ];
    await firstValueFrom(http.get('/', { headers }));
    await firstValueFrom(http.request('/', { headers }));
    expect(calls.map((call) => call.headers.get('accept-language'))).toEqual(['de, en', 'de, en']);
  });

  it('should win over the content type and the accept that the client would send', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('x'));
    const http = createHttpClient(token$, {
      baseUrl: base,
      fetch,
      headers: { 'Content-Type': 'application/x-tea', Accept: 'text/csv' },
    });
    await firstValueFrom(http.post('/', { a: 1 }));
    await firstValueFrom(http.get('/'));
    expect(calls.map(({ headers }) => [headers.get('content-type'), headers.get('accept')])).toEqual([
      ['application/x-tea', 'text/csv'],
      ['application/x-tea', 'text/csv'],
    ]);
  });

  it('should leave the content type of a form to the form, unless the call says one', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('x'));
    const http = createHttpClient(token$, { baseUrl: base, fetch, headers: { 'Content-Type': 'application/json' } });
    await firstValueFrom(http.post('/', new FormData()));
    await firstValueFrom(http.put('/', new URLSearchParams('a=1')));
    await firstValueFrom(http.request('/', { method: 'POST', body: new FormData() }));
    await firstValueFrom(http.post('/', new URLSearchParams('a=1'), { headers: { 'content-type': 'text/x-form' } }));
    expect(calls.map(({ headers }) => headers.get('content-type'))).toEqual([null, null, null, 'text/x-form']);
  });

  it('should give its content type to a Blob that has none', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('x'));
    const http = createHttpClient(token$, { baseUrl: base, fetch, headers: { 'content-type': 'image/png' } });
    await firstValueFrom(http.post('/', new Blob(['a'])));
    await firstValueFrom(http.post('/', new Blob(['a'], { type: 'image/gif' })));
    expect(calls.map(({ headers }) => headers.get('content-type'))).toEqual(['image/png', null]);
  });

  it.each([5, 'x-a: 1', true, null])('should be rejected at creation when they are %j', (headers) => {
    const { token$ } = tokens();
    const create = () => createHttpClient(token$, { baseUrl: base, headers: headers as never });
    expect(create).toThrow(TypeError);
    expect(create).toThrow(/^option "headers" must be /);
  });

  it('should ask get() and its like for JSON unless told otherwise', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(() => new Response('x'));
    const http = createHttpClient(token$, { baseUrl: base, fetch });
    await firstValueFrom(http.get('/'));
    await firstValueFrom(http.get('/', { headers: { Accept: 'text/csv' } }));
    expect(calls.map(({ headers }) => headers.get('accept'))).toEqual([
      expect.stringMatching(/^application\/json/),
      'text/csv',
    ]);
  });

  it('should leave an Authorization of its own alone', async () => {
    const { token$, asked } = tokens();
    const { fetch, calls } = stubFetch(401);
    const http = createHttpClient(token$, { baseUrl: base, fetch, headers: { authorization: 'Basic mine' } });
    expect((await firstValueFrom(http.request('/'))).status).toBe(401);
    expect((await failureOf(firstValueFrom(http.get('/')))).code).toBe('ERR_HTTP_STATUS');
    expect(calls.map(({ headers }) => headers.get('authorization'))).toEqual(['Basic mine', 'Basic mine']);
    expect(asked).toHaveLength(0);
  });

  it('should not change the init of the caller', async () => {
    const { token$ } = await warmTokens();
    const init = Object.freeze({ headers: Object.freeze({ 'x-a': '1' }), timeout: 1000 });
    const http = createHttpClient(token$, {
      baseUrl: base,
      fetch: stubFetch(() => new Response('x')).fetch,
      headers: { 'x-b': '2' },
    });
    await firstValueFrom(http.request('/', init));
    await firstValueFrom(http.get('/', init));
    expect(init).toEqual({ headers: { 'x-a': '1' }, timeout: 1000 });
  });
});

describe('the client', () => {
  it('should serve a token source that uses it, synchronously or with request.signal', async () => {
    for (const later of [false, true]) {
      const api = await serve((seen, response) => {
        if (seen.path === '/token') answer(response, 200, '{"access_token":"T1","expires_in":60}', json);
        else guarded('T1')(seen, response, undefined as never);
      });
      const { token$ } = tokens({}, async ({ signal }) => {
        if (later) await pause(1);
        return firstValueFrom(http.post('/token', { grant: 'x' }, later ? { signal } : {}));
      });
      const http = createHttpClient(token$, { baseUrl: api.origin });
      expect(await firstValueFrom(http.get('/x'))).toBe('hello T1');
      expect(api.authorizations()).toEqual([undefined, 'Bearer T1']);
    }
  });

  it('should refuse a timeout out of range at creation, naming option, value and range', () => {
    const { token$ } = tokens();
    for (const timeout of [0, -1, NaN, -Infinity, '5', null, {}] as number[]) {
      const create = () => createHttpClient(token$, { baseUrl: base, timeout });
      expect(create).toThrow(TypeError);
      expect(create).toThrow(/"timeout".*at least 1.*got (0|-1|NaN|-Infinity|"5"|null|object)/);
    }
    for (const timeout of [1, 0.5 + 1, 2 ** 40, Infinity, undefined])
      expect(() => createHttpClient(token$, { baseUrl: base, timeout })).not.toThrow();
  });

  it('should send nothing where neither origins nor a base were given', async () => {
    const { token$, asked } = tokens();
    for (const url of ['https://api.example.com/', 'http://127.0.0.1/'])
      expect((await failureOf(firstValueFrom(createHttpClient(token$).get(url)))).code).toBe('ERR_ORIGIN_NOT_ALLOWED');
    expect((await failureOf(firstValueFrom(createHttpClient(token$).get('/relative')))).name).toBe('TypeError');
    expect(asked).toHaveLength(0);
  });

  it('should take a timeout longer than any timer', async () => {
    const { http } = await clientOf(guarded('T1'), { timeout: 2 ** 40 });
    expect(await firstValueFrom(http.get('/'))).toBe('hello T1');
  });

  it('should error, not throw, for a body that is neither JSON nor what fetch can send, and send nothing', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const http = createHttpClient(token$, { baseUrl: base, fetch });
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const empty = [
      of(1),
      new Subject(),
      new Map([[1, 2]]),
      new Set([1]),
      Promise.resolve('awaited by nobody'),
      new Error('x'),
      new SharedArrayBuffer(2),
    ];
    for (const body of [circle, () => 1, Symbol('x'), 10n, ...empty]) {
      for (const send of [http.post('/', body), http.put('/', body), http.patch('/', body)])
        expect((await failureOf(firstValueFrom(send))).name).toBe('TypeError');
    }
    const error = await failureOf(firstValueFrom(http.post('/', of('subscribed to by nobody'))));
    expect(error.message).toBe('a body must be what fetch can send, or JSON, and not Observable');
    expect(calls).toHaveLength(0);
  });

  it('should send an object that is empty', async () => {
    class Order {
      readonly #n = 1;
      n() {
        return this.#n;
      }
    }
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const http = createHttpClient(token$, { baseUrl: base, fetch });
    for (const body of [{}, new Order(), Object.create(null), { toJSON: () => ({}) }])
      await firstValueFrom(http.post('/', body));
    expect(calls.map(({ init }) => init.body)).toEqual(Array(4).fill('{}'));
  });

  it('should error, not throw, for a timeout out of range', async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const http = createHttpClient(token$, { baseUrl: base, fetch });
    for (const timeout of [0, -1, NaN, '5', null] as number[]) {
      const error = await failureOf(firstValueFrom(http.get('/', { timeout })));
      expect([error.name, error.message]).toEqual([
        'TypeError',
        expect.stringMatching(/^option "timeout" must be a number, at least 1/),
      ]);
    }
    expect(calls).toHaveLength(0);
  });

  it.each(['params', 'query', 'searchParams', 'json', 'data', 'responseType'])(
    'should error, not throw, for a member of another client: %s',
    async (name) => {
      const { token$ } = await warmTokens();
      const { fetch, calls } = stubFetch(200);
      const http = createHttpClient(token$, { baseUrl: base, fetch });
      const init = { [name]: { open: 1 } } as RequestInit;
      for (const sent$ of [
        http.get('/', init),
        http.post('/', {}, init),
        http.head('/', init),
        http.request('/', init),
      ])
        expect((await failureOf(firstValueFrom(sent$))).message).toBe(
          `unknown option "${name}": a query is part of the URL, a body is an argument`,
        );
      expect(calls).toHaveLength(0);
    },
  );

  it("should send what a platform's fetch has of its own, and a Request in the place of the init", async () => {
    const { token$ } = await warmTokens();
    const { fetch, calls } = stubFetch(200);
    const http = createHttpClient(token$, { baseUrl: base, fetch });
    await firstValueFrom(http.get('/', { dispatcher: 'proxy', params: undefined } as RequestInit));
    await firstValueFrom(http.request('/', new Request('https://api.example.com/y', { method: 'PUT' }) as RequestInit));
    expect(calls.map(({ init }) => init.method)).toEqual(['GET', 'PUT']);
    expect(calls[0]?.init).toMatchObject({ dispatcher: 'proxy' });
  });

  it('should error, not throw, for a URL that no token may go to', async () => {
    const { token$ } = tokens();
    const http = createHttpClient(token$, { baseUrl: base });
    expect((await failureOf(firstValueFrom(http.get('https://evil.example/')))).code).toBe('ERR_ORIGIN_NOT_ALLOWED');
    expect((await failureOf(firstValueFrom(http.get('http://[')))).name).toBe('TypeError');
  });

  it('should print no secret', async () => {
    const { token$ } = await warmTokens();
    const http = createHttpClient(token$, { baseUrl: base, headers: { 'x-api-key': 'SECRET' } });
    expect(inspect({ http, token$ }, { showHidden: true, depth: 10 })).not.toMatch(/SECRET|T1\b/);
  });
});
