import { getEventListeners } from 'node:events';
import { firstValueFrom, NEVER } from 'rxjs';
import { createFetch, createHttpClient, type TokenResponse } from 'rx-fresh-token';
import {
  answer,
  cleanUp,
  failureOf,
  fetches,
  guarded,
  pause,
  serve,
  stubFetch,
  tokens,
  until,
  warmTokens,
} from './support.js';

afterEach(cleanUp);

const reason = new Error('the user left');

describe.each(fetches)('an abort, over %s', (_name, fetch) => {
  it('should reject with its reason before anything is sent or fetched', async () => {
    const { token$, asked } = tokens();
    const api = await serve(guarded('T1'));
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    expect(await failureOf(fetchWithToken('/', { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect((await failureOf(fetchWithToken('/', { signal: AbortSignal.abort() }))).name).toBe('AbortError');
    expect(api.seen).toHaveLength(0);
    expect(asked.length).toBeLessThan(2);
  });

  it('should reject with its reason before anything is sent while a token is at hand', async () => {
    const { token$ } = await warmTokens();
    const api = await serve(guarded('T1'));
    expect(
      await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/', { signal: AbortSignal.abort(reason) })),
    ).toBe(reason);
    expect(api.seen).toHaveLength(0);
  });

  it('should reject with its reason while the token is awaited, and harm nobody else', async () => {
    const api = await serve(guarded('T1'));
    let deliver!: (response: TokenResponse) => void;
    const { token$, asked } = tokens({}, () => new Promise((resolve) => (deliver = resolve)));
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    const controller = new AbortController();
    const leaving = failureOf(fetchWithToken('/leaving', { signal: controller.signal }));
    const staying = fetchWithToken('/staying');
    controller.abort(reason);
    expect(await leaving).toBe(reason);
    expect(asked[0]!.signal.aborted).toBe(false);
    deliver({ access_token: 'T1', expires_in: 60 });
    expect(await (await staying).text()).toBe('hello T1');
    expect(api.seen.map(({ path }) => path)).toEqual(['/staying']);
    expect(asked).toHaveLength(1);
  });

  it('should let the fetch of the token go on when nobody is left, and keep its result', async () => {
    const api = await serve(guarded('T1'));
    let deliver!: (response: TokenResponse) => void;
    const { token$, asked } = tokens({}, () => new Promise((resolve) => (deliver = resolve)));
    const fetchWithToken = createFetch(token$, { baseUrl: api.origin, fetch });
    const controller = new AbortController();
    const leaving = failureOf(fetchWithToken('/leaving', { signal: controller.signal }));
    controller.abort(reason);
    await leaving;
    deliver({ access_token: 'T1', expires_in: 60 });
    await pause(1);
    expect(token$.current?.value).toBe('T1');
    await fetchWithToken('/next');
    expect(asked).toHaveLength(1);
  });

  it('should reject with its reason in flight, and close the connection', async () => {
    const controller = new AbortController();
    const api = await serve(() => undefined);
    const { token$ } = await warmTokens();
    const failed = failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/', { signal: controller.signal }));
    await until(() => api.seen.length === 1);
    controller.abort(reason);
    expect(await failed).toBe(reason);
    await until(() => api.cut.length === 1);
  });

  it('should reject with its reason while the refresh after a rejection is awaited, and send no repeat', async () => {
    const controller = new AbortController();
    const api = await serve((_seen, response) => {
      answer(response, 401);
    });
    const { token$, asked } = tokens({}, (_request, n) =>
      n === 1 ? [{ access_token: 'T1', expires_in: 3600 }] : NEVER,
    );
    const failed = failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/', { signal: controller.signal }));
    await until(() => asked.length === 2);
    controller.abort(reason);
    expect(await failed).toBe(reason);
    expect(api.seen).toHaveLength(1);
  });

  it('should reject with its reason in the repeat', async () => {
    const controller = new AbortController();
    const api = await serve((_seen, response) => {
      if (api.seen.length === 1) answer(response, 401);
      else controller.abort(reason);
    });
    const { token$ } = tokens();
    expect(
      await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/', { signal: controller.signal })),
    ).toBe(reason);
  });

  it('should cut the body off, and close the connection', async () => {
    const controller = new AbortController();
    const api = await serve((_seen, response) => {
      response.writeHead(200);
      response.write('the beginning');
    });
    const { token$ } = await warmTokens();
    const response = await createFetch(token$, { baseUrl: api.origin, fetch })('/', { signal: controller.signal });
    const failed = failureOf(response.text());
    controller.abort();
    expect((await failed).name).toBe('AbortError');
    await until(() => api.cut.length === 1);
  });

  it("should reject with its reason within the body of the client's get()", async () => {
    const controller = new AbortController();
    const api = await serve((_seen, response) => {
      response.writeHead(200);
      response.write('the beginning', () => setTimeout(() => controller.abort(reason), 10));
    });
    const { token$ } = await warmTokens();
    expect(
      await failureOf(
        firstValueFrom(
          createHttpClient(token$, { baseUrl: api.origin, fetch }).get('/', { signal: controller.signal }),
        ),
      ),
    ).toBe(reason);
    await until(() => api.cut.length === 1);
  });

  it('should keep the name of a TimeoutError', async () => {
    const api = await serve(() => undefined);
    const { token$ } = await warmTokens();
    expect(
      (await failureOf(createFetch(token$, { baseUrl: api.origin, fetch })('/', { signal: AbortSignal.timeout(20) })))
        .name,
    ).toBe('TimeoutError');
  });

  it('should reach the client through its own signal option', async () => {
    const api = await serve(() => undefined);
    const { token$ } = await warmTokens();
    const http = createHttpClient(token$, { baseUrl: api.origin, fetch });
    for (const send of [
      (init: RequestInit) => http.request('/', init),
      (init: RequestInit) => http.get('/', init),
      (init: RequestInit) => http.post('/', {}, init),
    ]) {
      const controller = new AbortController();
      const failed = failureOf(firstValueFrom(send({ signal: controller.signal })));
      const before = api.seen.length;
      await until(() => api.seen.length > before);
      controller.abort(reason);
      expect(await failed).toBe(reason);
    }
  });
});

describe('an abort by the signal of a Request', () => {
  it('should reject with its reason while the token is awaited', async () => {
    const { token$ } = tokens({}, () => NEVER);
    const { fetch, calls } = stubFetch(200);
    const controller = new AbortController();
    const failed = failureOf(
      createFetch(token$, { baseUrl: 'https://api.example.com', fetch })(
        new Request('https://api.example.com/', { signal: controller.signal }),
      ),
    );
    controller.abort(reason);
    expect(await failed).toBe(reason);
    expect(calls).toHaveLength(0);
  });
});

describe('a signal that outlives its requests', () => {
  const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length;

  it('should still abort the reading of a body that the caller has begun', async () => {
    const { token$ } = await warmTokens();
    const api = await serve((_seen, response) => response.write('half'));
    const controller = new AbortController();
    const response = await firstValueFrom(
      createHttpClient(token$, { baseUrl: api.origin }).request('/', { signal: controller.signal }),
    );
    const reading = failureOf(response.text());
    controller.abort(reason);
    expect(await reading).toMatchObject(reason);
    await until(() => api.cut.length === 1);
  });

  it('should keep nothing of requests that have ended, and cause no warning however many it stands for', async () => {
    const warnings: unknown[] = [];
    const warn = (warning: unknown) => warnings.push(warning);
    process.on('warning', warn);
    const { token$ } = tokens(
      {},
      () => new Promise((resolve) => setTimeout(resolve, 20, { access_token: 'T1', expires_in: 60 })),
    );
    const http = createHttpClient(token$, {
      baseUrl: 'https://api.example',
      fetch: () => Promise.resolve(new Response('{}')),
    });
    const { signal } = new AbortController();
    const calls = Array.from({ length: 50 }, () => firstValueFrom(http.get('/', { signal })));
    expect(listeners(signal)).toBe(1);
    await Promise.all(calls);
    expect(listeners(signal)).toBe(0);
    await pause(1);
    process.off('warning', warn);
    expect(warnings).toEqual([]);
  });
});

/**
 * The AbortController of React Native (abort-controller 3): it knows no reason, and its signals have no
 * throwIfAborted().
 */
class OldController {
  readonly #events = new EventTarget();
  readonly signal = {
    aborted: false,
    addEventListener: this.#events.addEventListener.bind(this.#events),
    removeEventListener: this.#events.removeEventListener.bind(this.#events),
  };
  abort(): void {
    this.signal.aborted = true;
    this.#events.dispatchEvent(new Event('abort'));
  }
}

describe('a signal of an old implementation', () => {
  const waits: [string, (signal: AbortSignal) => Promise<unknown>][] = [
    [
      'createFetch',
      (signal) => createFetch(tokens({}, () => NEVER).token$, { baseUrl: 'https://api.example' })('/', { signal }),
    ],
    [
      'createHttpClient',
      (signal) =>
        firstValueFrom(
          createHttpClient(tokens({}, () => NEVER).token$, { baseUrl: 'https://api.example' }).get('/', { signal }),
        ),
    ],
  ];

  it.each(waits)('should end the wait for a token with an AbortError: %s', async (_client, send) => {
    const controller = new OldController();
    const answered = send(controller.signal as unknown as AbortSignal);
    controller.abort();
    expect((await failureOf(answered)).name).toBe('AbortError');
  });

  it.each(waits)('should end at once what it had aborted before: %s', async (_client, send) => {
    const controller = new OldController();
    controller.abort();
    expect((await failureOf(send(controller.signal as unknown as AbortSignal))).name).toBe('AbortError');
  });

  it('should end the request', async () => {
    const controller = new OldController();
    const { token$ } = await warmTokens();
    const fetch = (): Promise<Response> =>
      new Promise((_resolve, reject) => {
        controller.signal.addEventListener('abort', () => {
          reject(new Error('Aborted'));
        });
      });
    const answered = createFetch(token$, { baseUrl: 'https://api.example', fetch })('/', {
      signal: controller.signal as unknown as AbortSignal,
    });
    controller.abort();
    expect((await failureOf(answered)).name).toBe('AbortError');
  });
});

it('should have its reason, whatever error a fetch has for it', async () => {
  const { token$ } = await warmTokens();
  const fetch: typeof globalThis.fetch = (_input, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => {
        reject(new TypeError('Failed to fetch'));
      });
    });
  const controller = new AbortController();
  const failure = failureOf(
    createFetch(token$, { baseUrl: 'https://api.example', fetch })('/', { signal: controller.signal }),
  );
  controller.abort(reason);
  expect(await failure).toBe(reason);
});

it('should end a request that was redirected before its body had come', async () => {
  const { token$ } = await warmTokens();
  const redirected = () => new Response(null, { status: 307, headers: { location: '/there' } });
  const { fetch, calls } = stubFetch(redirected);
  const controller = new AbortController();
  const body = new ReadableStream();
  const init = { method: 'POST', body, duplex: 'half', signal: controller.signal };
  const request = new Request('https://api.example.com/here', init);
  const failure = failureOf(createFetch(token$, { baseUrl: 'https://api.example.com', fetch })(request));
  await until(() => calls.length === 1);
  await pause(1);
  controller.abort(reason);
  expect(await failure).toBe(reason);
});

it('should free a rejected response when the caller leaves during the refresh, whatever fetch does', async () => {
  const { token$, asked } = tokens({}, (_request, n) => (n > 1 ? NEVER : [{ access_token: 'T1', expires_in: 3600 }]));
  const cancel = jest.fn();
  const { fetch } = stubFetch(() => new Response(new ReadableStream({ cancel }), { status: 401 }));
  const controller = new AbortController();
  const ride = createFetch(token$, { baseUrl: 'https://api.example.com', fetch });
  const failure = failureOf(ride('/', { signal: controller.signal }));
  await until(() => asked.length === 2);
  controller.abort(reason);
  expect(await failure).toBe(reason);
  await until(() => cancel.mock.calls.length === 1);
});
