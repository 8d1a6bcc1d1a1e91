import { Agent } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { gzipSync } from 'node:zlib';
import axios, {
  AxiosError,
  CanceledError,
  type AxiosAdapter,
  type AxiosInstance,
  type CreateAxiosDefaults,
  type InternalAxiosRequestConfig,
} from 'axios';
import { filter, firstValueFrom, map, NEVER, of, throwError, timer } from 'rxjs';
import { createTokenStream, isTokenError, withToken, type TokenStream } from 'rx-fresh-token';
import { attachToken, withoutToken, type AttachTokenOptions } from 'rx-fresh-token/axios';
import { clientCredentials } from 'rx-fresh-token/oauth';
import { answer, cleanUp, failureOf, guarded, serve, tokens, until, warmTokens } from '../http/support.js';

afterEach(cleanUp);

/** An instance whose requests carry the token of `token$`. */
function attached(token$: TokenStream, defaults: CreateAxiosDefaults, options?: AttachTokenOptions): AxiosInstance {
  const instance = axios.create(defaults);
  attachToken(instance, token$, options);
  return instance;
}

async function axiosFailureOf(promise: Promise<unknown>): Promise<AxiosError> {
  const error = await failureOf(promise);
  if (axios.isAxiosError(error)) return error;
  throw error;
}

const of401 = expect.objectContaining({
  name: 'AxiosError',
  code: 'ERR_BAD_REQUEST',
  response: expect.objectContaining({ status: 401 }) as unknown,
}) as unknown;

// The oldest axios has no fetch adapter.
const adapters = axios.VERSION.startsWith('1.5.') ? (['http'] as const) : (['http', 'fetch'] as const);

describe.each(adapters)('a request by the %s adapter', (adapter) => {
  it('should carry the latest token', async () => {
    const api = await serve(guarded('T1', 'T2'));
    const { token$ } = tokens();
    const instance = attached(token$, { adapter, baseURL: api.origin });
    expect((await instance.get<string>('/a')).data).toBe('hello T1');
    await new Promise<void>((complete) => token$.refresh().subscribe({ complete }));
    expect((await instance.get<string>('/a')).data).toBe('hello T2');
    expect(api.authorizations()).toEqual(['Bearer T1', 'Bearer T2']);
  });

  it.each([401, 403])('should be repeated once with a new token after %d, byte by byte', async (status) => {
    const api = await serve(({ headers }, response) =>
      answer(response, headers.authorization === 'Bearer T2' ? 201 : status, '{"id":7}', {
        'content-type': 'application/json',
      }),
    );
    const { token$, asked } = await warmTokens();
    const onRequest = jest.fn((config: unknown) => config);
    const toWire = jest.fn((data: unknown) => `<${JSON.stringify(data)}>`);
    const fromWire = jest.fn((text: string) => JSON.parse(text) as unknown);
    const instance = attached(token$, {
      adapter,
      baseURL: api.origin,
      transformRequest: toWire,
      transformResponse: fromWire,
    });
    instance.interceptors.request.use(onRequest as never);
    const { data, status: end, config } = await instance.post<unknown>('/orders', { item: 'tea' });
    expect([data, end]).toEqual([{ id: 7 }, 201]);
    expect(config.data).toBe('<{"item":"tea"}>');
    expect(api.seen.map(({ body, headers }) => [String(body), headers.authorization])).toEqual([
      ['<{"item":"tea"}>', 'Bearer T1'],
      ['<{"item":"tea"}>', 'Bearer T2'],
    ]);
    expect(asked.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
    for (const once of [onRequest, toWire]) expect(once).toHaveBeenCalledTimes(1);
    expect(fromWire).toHaveBeenCalledTimes(1);
  });

  it('should hand the second refusal to the caller as axios words it, after exactly two sendings', async () => {
    const api = await serve(guarded());
    const { token$, asked } = await warmTokens();
    const instance = attached(token$, { adapter, baseURL: api.origin });
    const error = await failureOf(instance.get('/a'));
    expect(error).toBeInstanceOf(AxiosError);
    expect(error).toEqual(of401);
    expect(api.authorizations()).toEqual(['Bearer T1', 'Bearer T2']);
    expect(asked).toHaveLength(2);
    // The resource is known to refuse fresh tokens now.
    expect(await failureOf(instance.get('/a'))).toEqual(of401);
    expect(asked).toHaveLength(2);
    expect(api.seen).toHaveLength(3);
  });

  it('should be repeated too where validateStatus takes a refusal for an answer', async () => {
    const api = await serve(guarded('T2'));
    const { token$ } = await warmTokens();
    const instance = attached(token$, { adapter, baseURL: api.origin, validateStatus: () => true });
    expect(await instance.get('/a')).toMatchObject({ status: 200, data: 'hello T2' });
    const closed = attached((await warmTokens()).token$, {
      adapter,
      baseURL: (await serve(guarded())).origin,
      validateStatus: () => true,
    });
    expect(await closed.get('/a')).toMatchObject({ status: 401 });
  });

  it('should leave other failures to axios and the token alone', async () => {
    const api = await serve((_seen, response) => answer(response, 500));
    const { token$, asked } = await warmTokens();
    const instance = attached(token$, { adapter, baseURL: api.origin });
    expect(await failureOf(instance.get('/a'))).toMatchObject({ name: 'AxiosError', response: { status: 500 } });
    await api.close();
    const error = await failureOf(instance.get('/a'));
    expect(axios.isAxiosError(error)).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('should never take the token along to another origin, nor blame it for what that says', async () => {
    // A subdomain at the same port: followers of redirects that strip by host let a header pass to it.
    const subdomain = adapter === 'http' ? 'x.localhost' : '127.0.0.1';
    const api = await serve(({ path }, response) => {
      if (path === '/c') answer(response, 401);
      else
        answer(response, path === '/a' ? 307 : 302, '', {
          location: path === '/a' ? '/b' : `http://${subdomain}:${String(api.port)}/c`,
        });
    });
    const { token$, asked } = await warmTokens();
    const agent = new Agent({
      lookup: (_host, _options, tell) => {
        tell(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    const instance = attached(token$, {
      adapter,
      baseURL: `http://localhost:${String(api.port)}`,
      httpAgent: agent,
    });
    const onRedirect = jest.fn();
    expect(await failureOf(instance.get('/a', { beforeRedirect: onRedirect }))).toMatchObject({
      response: { status: 401 },
    });
    expect(api.seen.slice(0, 3).map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/a', 'Bearer T1'],
      ['/b', 'Bearer T1'],
      ['/c', undefined],
    ]);
    expect(onRedirect).toHaveBeenCalledTimes(adapter === 'http' ? 2 : 0);
    expect([asked.length, api.seen.length]).toEqual([1, 3]);
  });

  it.each([
    [302, '/orders/7'],
    [303, '/orders/7'],
    [303, '/orders'],
    [303, '/orders?created=7'],
  ])(
    'should never be sent again when a server accepted it with %i %s, and refresh all the same',
    async (status, to) => {
      const api = await serve((seen, response) => {
        if (seen.method === 'POST') answer(response, status, '', { location: to });
        else answer(response, 401, 'refused');
      });
      const { token$, asked } = await warmTokens();
      const instance = attached(token$, { adapter, baseURL: api.origin });
      expect(await failureOf(instance.post('/orders', { item: 'tea' }))).toEqual(of401);
      expect(api.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /orders', `GET ${to}`]);
      await firstValueFrom(token$);
      expect(asked.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
    },
  );

  it('should be repeated when it was redirected as it is', async () => {
    const api = await serve((seen, response) => {
      if (seen.path === '/a') answer(response, 302, '', { location: '/b' });
      else guarded('T2')(seen, response, undefined as never);
    });
    const { token$ } = await warmTokens();
    expect((await attached(token$, { adapter, baseURL: api.origin }).get<string>('/a')).data).toBe('hello T2');
    expect(api.seen.map(({ path }) => path)).toEqual(['/a', '/b', '/a', '/b']);
  });

  it('should not send what can be read once a second time, and refresh all the same', async () => {
    const api = await serve(guarded('T2'));
    const { token$, asked } = await warmTokens();
    const instance = attached(token$, { adapter, baseURL: api.origin, responseType: 'text' });
    expect(await failureOf(instance.post('/a', Readable.from(['once'])))).toEqual(of401);
    expect(api.seen.map(({ body }) => String(body))).toEqual(['once']);
    await until(() => asked.length === 2);
    expect((await instance.post<string>('/b', 'twice')).data).toBe('hello T2');
  });

  it('should show the token in none of its outcomes', async () => {
    const api = await serve(({ path, headers }, response) => {
      if (path === '/cut') response.destroy();
      else answer(response, path === '/fine' && headers.authorization ? 200 : 500);
    });
    const { token$ } = tokens({ initial: { access_token: 'SECRET', expires_in: 60 } });
    const instance = attached(token$, { adapter, baseURL: api.origin, timeout: 2000 });
    const outcomes = [
      await instance.get('/fine'),
      await axiosFailureOf(instance.get('/500')),
      await axiosFailureOf(instance.get('/cut')),
    ];
    expect(api.authorizations()).toEqual(Array(3).fill('Bearer SECRET'));
    for (const outcome of outcomes) {
      expect(inspect(outcome, { depth: 12, showHidden: true })).not.toContain('SECRET');
      if (outcome instanceof AxiosError) expect(JSON.stringify(outcome)).not.toContain('SECRET');
      expect(outcome.request).toBeDefined();
      expect(outcome.config).not.toHaveProperty('headers.Authorization');
    }
  });

  it.each(['identity', 'gzip'])(
    'should show it in no streamed outcome, encoded as %s, and let it be read',
    async (encoding) => {
      const body = encoding === 'gzip' ? gzipSync('hello') : 'hello';
      const api = await serve(({ path }, response) =>
        response.writeHead(path === '/fine' ? 200 : 500, { 'content-encoding': encoding }).end(body),
      );
      const { token$ } = tokens({ initial: { access_token: 'SECRET', expires_in: 60 } });
      const instance = attached(token$, { adapter, baseURL: api.origin, responseType: 'stream' });
      for (const outcome of [await instance.get<Readable>('/fine'), await axiosFailureOf(instance.get('/500'))]) {
        const prints = () =>
          [2, 4, 12].map((depth) => inspect(outcome, { depth, showHidden: true }).includes('SECRET'));
        expect(prints()).toEqual([false, false, false]);
        const { data } = (outcome instanceof AxiosError ? outcome.response : outcome) as { data: Readable };
        expect(await text(data)).toBe('hello');
        expect(prints()).toEqual([false, false, false]);
      }
      expect(api.authorizations()).toEqual(Array(2).fill('Bearer SECRET'));
    },
  );

  it('should show it in no error that comes while a streamed answer is read, or a stream is sent', async () => {
    const api = await serve(({ path }, response) => {
      if (path === '/large') answer(response, 200, 'x'.repeat(5000));
      else response.writeHead(200).write('…');
    });
    const { token$ } = tokens({ initial: { access_token: 'SECRET', expires_in: 60 } });
    const instance = attached(token$, { adapter, baseURL: api.origin, responseType: 'stream' });
    const stop = new AbortController();
    const { data: endless } = await instance.get<Readable>('/endless', { signal: stop.signal });
    const aborted = failureOf(text(endless));
    stop.abort();
    const large = instance.get<Readable>('/large', { maxContentLength: 1000 });
    const upload = () => Readable.from(['a'.repeat(50), 'b'.repeat(50)]);
    const outcomes: unknown[] = [
      await aborted,
      await large.then(({ data }) => text(data)).catch((error: unknown) => error),
      await instance.post('/upload', upload(), { maxBodyLength: 60 }).catch((error: unknown) => error),
      await instance.post('/upload', upload(), { maxBodyLength: 60, maxRedirects: 0 }).catch((error: unknown) => error),
    ];
    const errors = outcomes.filter((outcome) => outcome instanceof Error);
    // axios 1.5 limits neither a streamed answer nor an upload that follows no redirect.
    expect(errors).toHaveLength(axios.VERSION === '1.5.0' ? 2 : 4);
    for (const error of errors) {
      expect(inspect(error, { depth: 20 })).not.toContain('SECRET');
      expect(JSON.stringify(error)).not.toContain('SECRET');
      for (const each of [error, error.cause] as (Partial<AxiosError> | undefined)[])
        expect(String(each?.config?.headers.get('Authorization'))).not.toContain('SECRET');
    }
  });

  it('should free the connection of a streamed rejection that nobody reads', async () => {
    const api = await serve((_request, response) => response.writeHead(401).write('…'));
    const { token$ } = tokens({ initial: { access_token: 'T1', expires_in: 60 } }, () => NEVER);
    const defaults = { baseURL: api.origin, adapter, responseType: 'stream' } as const;
    const { token: cancelToken, cancel } = axios.CancelToken.source();
    const left = failureOf(attached(token$, defaults).get('/left', { cancelToken }));
    await firstValueFrom(token$.events.pipe(filter(({ type }) => type === 'tokenRejected')));
    cancel();
    expect(await left).toBeInstanceOf(CanceledError);
    await until(() => api.cut.length === 1);
    const isRejection = () => {
      throw new Error('mistake');
    };
    const mistaken = attached((await warmTokens()).token$, defaults, { isRejection });
    expect(await failureOf(mistaken.get('/mistake'))).toEqual(new Error('mistake'));
    await until(() => api.cut.length === 2);
  });

  it('should be aborted by its signal, on its way and while it waits', async () => {
    const api = await serve(() => undefined);
    for (const { token$ } of [await warmTokens(), tokens({}, () => NEVER)]) {
      const stop = new AbortController();
      const instance = attached(token$, { adapter, baseURL: api.origin });
      const sent = api.seen.length;
      const failure = failureOf(instance.get('/a', { signal: stop.signal }));
      if (token$.current) await until(() => api.seen.length > sent);
      stop.abort();
      expect(await failure).toBeInstanceOf(CanceledError);
    }
    expect(api.seen).toHaveLength(1);
    await until(() => api.cut.length === 1);
  });

  it('should keep to its timeout, on its way and while it waits', async () => {
    const api = await serve(() => undefined);
    const timesOut = async (token$: TokenStream, code: string) => {
      const instance = attached(token$, { adapter, baseURL: api.origin, timeout: 1000 });
      const error = { name: 'AxiosError', code, message: 'timeout of 1000ms exceeded' };
      expect(await failureOf(instance.get('/a'))).toMatchObject(error);
    };
    const { token$ } = await warmTokens();
    await Promise.all([
      timesOut(token$, adapter === 'fetch' ? 'ETIMEDOUT' : 'ECONNABORTED'),
      timesOut(tokens({}, () => NEVER).token$, 'ECONNABORTED'),
    ]);
    expect(api.seen).toHaveLength(1);
  });
});

describe('attachToken', () => {
  /** An instance over a stub that answers 401 to these tokens. */
  function stubbed(token$: TokenStream, ...bad: string[]) {
    const sent: { url?: string; authorization: unknown; timeout?: number }[] = [];
    const adapter: AxiosAdapter = (config) => {
      const authorization = config.headers.get('Authorization');
      sent.push({ url: config.url, authorization, timeout: config.timeout });
      const response = {
        status: bad.includes(String(authorization)) ? 401 : 200,
        statusText: '',
        data: authorization,
        headers: {},
        config,
      };
      return response.status === 200
        ? Promise.resolve(response)
        : Promise.reject(new AxiosError('refused', 'ERR_BAD_REQUEST', config, undefined, response));
    };
    const instance = axios.create({ adapter, baseURL: 'https://api.example' });
    return { sent, adapter, instance, detach: attachToken(instance, token$) };
  }

  it('should share one refresh among all who were refused', async () => {
    const { token$, asked } = await warmTokens();
    const { instance, sent } = stubbed(token$, 'Bearer T1');
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => instance.get<unknown>(`/${String(n)}`)));
    expect(new Set(answers.map(({ data }) => data))).toEqual(new Set(['Bearer T2']));
    expect(sent).toHaveLength(100);
    expect(asked).toHaveLength(2);
  });

  it('should fail a request to another origin before it is sent', async () => {
    const { token$ } = await warmTokens();
    const { instance, sent } = stubbed(token$);
    for (const url of [
      'https://api.example.evil.test/',
      'https://api.example:8443/',
      'http://api.example/',
      'https://evil.test\\@api.example/',
    ]) {
      expect(isTokenError(await failureOf(instance.get(url)), 'ERR_ORIGIN_NOT_ALLOWED')).toBe(true);
    }
    expect(
      isTokenError(await failureOf(instance.get('/a', { baseURL: 'https://other.test' })), 'ERR_ORIGIN_NOT_ALLOWED'),
    ).toBe(true);
    expect(sent).toEqual([]);
    expect((await instance.get<unknown>('https://api.example/b')).data).toBe('Bearer T1');
  });

  it('should fail every request where neither baseURL nor allowedOrigins names an origin', async () => {
    const { token$ } = await warmTokens();
    for (const baseURL of [undefined, '/api']) {
      const instance = attached(token$, { baseURL, adapter: () => Promise.reject(new Error('sent')) });
      expect(isTokenError(await failureOf(instance.get('https://api.example/')), 'ERR_ORIGIN_NOT_ALLOWED')).toBe(true);
      expect(isTokenError(await failureOf(instance.get('/a')), 'ERR_ORIGIN_NOT_ALLOWED')).toBe(true);
    }
    const instance = attached(
      token$,
      {
        adapter: (config) =>
          Promise.resolve({
            status: 200,
            statusText: '',
            data: config.headers.get('Authorization'),
            headers: {},
            config,
          }),
      },
      { allowedOrigins: ['https://api.example'] },
    );
    expect((await instance.get<unknown>('https://api.example/')).data).toBe('Bearer T1');
  });

  it('should leave an Authorization of the caller alone, and pass on its refusal', async () => {
    const { token$, asked } = tokens();
    const { instance } = stubbed(token$, 'Basic x');
    expect((await instance.get<unknown>('/a', { headers: { authorization: 'Basic y' } })).data).toBe('Basic y');
    expect(await failureOf(instance.get('/a', { headers: { Authorization: 'Basic x' } }))).toEqual(of401);
    expect((await instance.get<unknown>('/a', { auth: { username: 'u', password: 'p' } })).data).toBeUndefined();
    instance.interceptors.request.use((config) => {
      config.headers.set('Authorization', 'Later');
      return config;
    });
    expect((await instance.get<unknown>('/a')).data).toBe('Later');
    expect(asked).toEqual([]);
  });

  it('should send the requests of the token source itself without a token', async () => {
    const api = await serve(({ path, headers }, response) =>
      answer(
        response,
        200,
        JSON.stringify(path === '/token' ? { access_token: 'T1', expires_in: 60 } : headers.authorization),
        { 'content-type': 'application/json' },
      ),
    );
    const instance = axios.create({ baseURL: api.origin });
    // One that makes all of axios' request chain asynchronous.
    instance.interceptors.request.use((config) => Promise.resolve(config));
    const { token$ } = tokens({}, () => instance.post<{ access_token: string }>('/token').then(({ data }) => data));
    attachToken(instance, token$);
    expect((await instance.get<unknown>('/a')).data).toBe('Bearer T1');
    const { token$: bySignal } = tokens({}, async ({ signal }) => {
      await Promise.resolve();
      return (await other.post<{ access_token: string }>('/token', null, { signal })).data;
    });
    const other = attached(bySignal, { baseURL: api.origin });
    expect((await other.get<unknown>('/a')).data).toBe('Bearer T1');
    expect(api.seen.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/token', undefined],
      ['/a', 'Bearer T1'],
      ['/token', undefined],
      ['/a', 'Bearer T1'],
    ]);
  });

  it('should obey a CancelToken while it waits, and leave no listener behind', async () => {
    const { token$ } = tokens({}, () => NEVER);
    const { instance, sent } = stubbed(token$);
    const source = axios.CancelToken.source();
    const failure = failureOf(instance.get('/a', { cancelToken: source.token }));
    await Promise.resolve();
    source.cancel('changed my mind');
    expect(await failure).toMatchObject({ name: 'CanceledError', message: 'changed my mind' });
    expect(sent).toEqual([]);
    const warm = await warmTokens();
    const next = axios.CancelToken.source();
    const unsubscribe = jest.spyOn(next.token, 'unsubscribe');
    await stubbed(warm.token$).instance.get('/a', { cancelToken: next.token });
    expect(unsubscribe).toHaveBeenCalledTimes(1);
  });

  it('should count the wait for a token towards the timeout', async () => {
    const { token$ } = tokens({}, () => timer(80).pipe(map(() => ({ access_token: 'T1', expires_in: 60 }))));
    const { instance, sent } = stubbed(token$);
    const { config } = await instance.get('/a', { timeout: 10_000 });
    expect(sent[0]!.timeout).toBeLessThanOrEqual(9930);
    expect(config.timeout).toBe(10_000);
    await instance.get('/a', { timeout: 10_000 });
    expect(sent[1]!.timeout).toBeGreaterThan(9930);
  });

  it('should say so as the caller wished when the wait takes the whole timeout', async () => {
    const { token$ } = tokens({}, () => NEVER);
    const { instance } = stubbed(token$);
    const failure = failureOf(
      instance.get('/a', { timeout: 20, timeoutErrorMessage: 'too slow', transitional: { clarifyTimeoutError: true } }),
    );
    expect(await failure).toMatchObject({ code: 'ETIMEDOUT', message: 'too slow', config: { timeout: 20 } });
    const worded = failureOf(instance.get('/a', { timeout: 20, timeoutErrorMessage: '' }));
    expect(await worded).toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 20ms exceeded' });
  });

  it('should tell in the cause of a timeout why there is no token, but not once the request was sent', async () => {
    const down = throwError(() => Object.assign(new Error('the vault is down'), { status: 503 }));
    const waiting = stubbed(tokens({}, () => down).token$).instance.get('/a', { timeout: 50 });
    const message = 'no usable token: the vault is down';
    const cause = expect.objectContaining({ code: 'ERR_TOKEN_UNAVAILABLE', message }) as unknown;
    expect(await failureOf(waiting)).toMatchObject({ name: 'AxiosError', message: 'timeout of 50ms exceeded', cause });
    const asked = stubbed(tokens({}, () => NEVER).token$).instance.get('/a', { timeout: 20 });
    expect(await failureOf(asked)).toMatchObject({ cause: { message: 'no usable token' } });

    const { token$ } = await warmTokens();
    const api = await serve(() => undefined);
    const sent = await failureOf(attached(token$, { baseURL: api.origin, timeout: 100 }).get('/a'));
    expect(sent).toMatchObject({ message: 'timeout of 100ms exceeded' });
    expect(isTokenError((sent as Error).cause)).toBe(false);
  });

  it('should fail with TokenUnavailableError when no token comes, and TokenStreamClosedError once closed', async () => {
    const { token$ } = tokens({ maxWait: 20 }, () => NEVER);
    const { instance, sent } = stubbed(token$);
    expect(isTokenError(await failureOf(instance.get('/a')), 'ERR_TOKEN_UNAVAILABLE')).toBe(true);
    token$.close();
    expect(isTokenError(await failureOf(instance.get('/a')), 'ERR_TOKEN_STREAM_CLOSED')).toBe(true);
    expect(sent).toEqual([]);
  });

  it('should send what needs no token of the stream, once that is closed', async () => {
    const { token$ } = tokens();
    const { instance, sent } = stubbed(token$);
    token$.close();
    await instance.get('/a', withoutToken());
    await instance.get('/a', { headers: { Authorization: 'mine' } });
    await instance.get('/a', { auth: { username: 'u', password: 'p' } });
    expect(sent.map(({ authorization }) => authorization)).toEqual([false, 'mine', undefined]);
  });

  it.each([
    ['/api', '/orders'],
    ['api.example', '/orders'],
    ['https://api.example', 'https://[bad'],
    [undefined, '/orders'],
  ])('should say what is wrong with a URL that cannot be parsed: baseURL %s and url %s', async (baseURL, url) => {
    const { instance, sent } = stubbed(tokens().token$);
    const failure = await failureOf(instance.get(url, { baseURL: baseURL ?? '' }));
    expect(isTokenError(failure, 'ERR_ORIGIN_NOT_ALLOWED')).toBe(true);
    expect(failure.message).toBe('the URL of the request cannot be parsed: baseURL and url must make an absolute URL');
    expect(sent).toEqual([]);
  });

  it.each<[string, (config: InternalAxiosRequestConfig) => unknown]>([
    ['sets it', (config) => Object.assign(config, { adapter: 'http' })],
    ['returns a copy with it', (config) => ({ ...config, adapter: 'http' })],
    ['returns a copy with the default', (config) => ({ ...config, adapter: axios.defaults.adapter })],
    ['returns a copy without any', (config) => ({ ...config, adapter: undefined })],
    ['returns a copy with it, later', async (config) => Promise.resolve({ ...config, adapter: ['http'] })],
  ])('should add the token where an interceptor names another adapter before the call: it %s', async (_, change) => {
    const api = await serve(guarded('T2'));
    const transformRequest = jest.fn((data: unknown) => `<${String(data)}>`);
    const instance = axios.create({ baseURL: api.origin, transformRequest });
    instance.interceptors.request.use(change as never);
    const detach = attachToken(instance, (await warmTokens()).token$);
    expect((await instance.post<string>('/a', 'x')).data).toBe('hello T2');
    expect(api.seen.map(({ body }) => String(body))).toEqual(['<x>', '<x>']);
    expect(isTokenError(await failureOf(instance.get('https://other.example')), 'ERR_ORIGIN_NOT_ALLOWED')).toBe(true);
    detach();
    expect(await failureOf(instance.get('/a'))).toEqual(of401);
    expect(transformRequest).toHaveBeenCalledTimes(3);
  });

  it('should leave the answer to an adapter that an interceptor made before the call, such as a cache', async () => {
    const { token$, asked } = tokens();
    const { adapter, sent } = stubbed(token$);
    const instance = axios.create({ baseURL: 'https://api.example' });
    instance.interceptors.request.use((config) => Object.assign(config, { adapter }));
    attachToken(instance, token$);
    await instance.get('/a');
    expect([sent.map(({ authorization }) => authorization), asked]).toEqual([[undefined], []]);
  });

  it('should let the caller say what a rejection is', async () => {
    const { token$, asked } = await warmTokens();
    const instance = axios.create({
      baseURL: 'https://api.example',
      adapter: (config) =>
        Promise.resolve({
          status: 200,
          statusText: '',
          data: { ok: config.headers.get('Authorization') === 'Bearer T2' },
          headers: {},
          config,
        }),
    });
    attachToken(instance, token$, { isRejection: ({ data }) => !(data as { ok: boolean }).ok });
    expect((await instance.get<unknown>('/a')).data).toEqual({ ok: true });
    expect(asked).toHaveLength(2);
  });

  it('should free the connection of a streamed refusal before it repeats', async () => {
    const api = await serve(({ headers }, response) => {
      if (/T[24]$/.test(headers.authorization ?? '')) answer(response, 200, 'hello');
      else response.writeHead(401).write('…');
    });
    const { token$ } = await warmTokens();
    const instance = attached(token$, { baseURL: api.origin });
    for (const adapter of adapters) {
      await instance.get('/a', { responseType: 'stream', adapter });
      if (adapter === 'http') token$.reject(token$.current!);
    }
    await until(() => api.cut.length === adapters.length);
  });

  it('should detach, and make an error’s config as good as a new one', async () => {
    const { token$, asked } = await warmTokens();
    const { instance, detach, adapter } = stubbed(token$, 'Bearer T1', 'Bearer T2');
    const { config } = await axiosFailureOf(instance.get('/a'));
    expect(config!.adapter).toBe(adapter);
    // Some server accepts T2, so that the next refusal is worth a refresh at once.
    await firstValueFrom(withToken(token$, () => of('ok')));
    token$.reject(token$.current!);
    expect((await instance.request<unknown>(config!)).data).toBe('Bearer T3');
    expect(asked).toHaveLength(3);
    detach();
    expect((await instance.request<unknown>(config!)).data).toBeUndefined();
    expect((await instance.get<unknown>('https://elsewhere.test')).data).toBeUndefined();
  });

  it('should send the tokens of the stream that was attached last', async () => {
    const { token$: first$ } = await warmTokens();
    const last$ = createTokenStream(() => of({ access_token: 'L1' }));
    const adapter: AxiosAdapter = (config) =>
      Promise.resolve({ status: 200, statusText: '', data: config.headers.get('Authorization'), headers: {}, config });
    const instance = axios.create({ baseURL: 'https://api.example', adapter });
    const detachFirst = attachToken(instance, first$);
    expect((await instance.get('/a')).data).toBe('Bearer T1');
    first$.close(); // the user signs in again
    const detachLast = attachToken(instance, last$);
    expect((await instance.get('/a')).data).toBe('Bearer L1');
    detachFirst();
    expect((await instance.get('/a')).data).toBe('Bearer L1');
    detachLast();
    expect((await instance.get<unknown>('/a')).data).toBeFalsy();
    last$.close();
  });

  it('should reach a named host by plain http where that is allowed, but through no proxy', async () => {
    const { token$ } = await warmTokens();
    const sent: unknown[] = [];
    const adapter: AxiosAdapter = (config) => {
      sent.push([config.headers.get('Authorization'), config.proxy]);
      return Promise.resolve({ status: 200, statusText: '', data: '', headers: {}, config });
    };
    const options = { allowInsecureRequests: true };
    const instance = attached(token$, { baseURL: 'http://orders.default.svc', adapter }, options);
    await instance.get('/a');
    expect(sent).toEqual([['Bearer T1', false]]);
    expect(await failureOf(instance.get('http://elsewhere.svc'))).toMatchObject({ code: 'ERR_ORIGIN_NOT_ALLOWED' });
    const proxied = instance.get('/a', { proxy: { host: 'proxy.example', port: 8080 } });
    expect(await failureOf(proxied)).toMatchObject({ message: expect.stringContaining('through a proxy') as unknown });
    expect(() => attachToken(instance, token$, { allowInsecureRequests: 1 as never })).toThrow(
      'option "allowInsecureRequests" must be true or false, got 1',
    );
  });

  it('should refuse what it cannot work with, by name', () => {
    const token$ = createTokenStream(() => of({ access_token: 'T1' }));
    expect(() => attachToken({} as never, token$)).toThrow('attachToken takes an axios instance');
    expect(() => attachToken(axios.create(), {} as never)).toThrow('token$ must be a stream made by createTokenStream');
    for (const options of [null, 'https://api.example'])
      expect(() => attachToken(axios.create(), token$, options as never)).toThrow(
        new TypeError('options must be an object'),
      );
    const bound$ = createTokenStream(
      clientCredentials({ tokenEndpoint: 'https://id.example', clientId: 'c', clientAuth: 'none', dpop: true }),
    );
    expect(() => attachToken(axios.create(), bound$)).toThrow('axios cannot sign requests: use createFetch for DPoP');
    for (const option of ['allowedOrigin', 'isRejected'])
      expect(() => attachToken(axios.create(), token$, { [option]: 5 })).toThrow(
        new TypeError(`unknown option "${option}"`),
      );
    expect(() => attachToken(axios.create(), token$, { isRejection: 401 as never })).toThrow(
      'option "isRejection" must be a function, got 401',
    );
    expect(() => attachToken(axios.create(), token$, { allowedOrigins: ['http://api.example'] })).toThrow(
      'option "allowedOrigins[0]" must be https, or http on loopback',
    );
    expect(() => attachToken(axios.create({ baseURL: 'http://api.example' }), token$)).toThrow(
      /^option "baseURL" must be https, or http on loopback .*allowInsecureRequests/,
    );
  });
});
