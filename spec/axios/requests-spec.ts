import { Agent, globalAgent } from 'node:http';
import { Readable } from 'node:stream';
import { inspect } from 'node:util';
import axios, { type AxiosAdapter, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { map, NEVER, of, Subject, take, timer } from 'rxjs';
import { isTokenError, type TokenResponse, type TokenStream } from 'rx-fresh-token';
import { attachToken, withoutToken } from 'rx-fresh-token/axios';
import { NativeUrl } from '../http/reactNative.js';
import { answer, cleanUp, failureOf, guarded, serve, tokens, until, warmTokens } from '../http/support.js';

const root = globalThis as { document?: unknown };
afterEach(async () => {
  delete root.document;
  await cleanUp();
});

const API = 'https://api.example';
const authorizationOf = ({ headers }: InternalAxiosRequestConfig) => headers.get('Authorization') as unknown;

/** An instance over a stub, which answers with these statuses, then 200. */
function stubbed(
  token$: TokenStream,
  ...statuses: number[]
): { instance: AxiosInstance; sent: InternalAxiosRequestConfig[] } {
  const sent: InternalAxiosRequestConfig[] = [];
  const adapter: AxiosAdapter = (config) => {
    sent.push(config);
    const response = { status: statuses.shift() ?? 200, statusText: '', data: 'ok', headers: {}, config };
    return response.status === 200
      ? Promise.resolve(response)
      : Promise.reject(new axios.AxiosError('refused', 'ERR_BAD_REQUEST', config, undefined, response));
  };
  const instance = axios.create({ adapter, baseURL: API });
  attachToken(instance, token$);
  return { instance, sent };
}

const form = () => {
  const data = new FormData();
  data.append('n', '1');
  return data;
};
const asIs = (data: unknown) => data;
/** A body, what its owner does with it after the call, and what is sent of it. */
const bodies: [string, () => unknown, (body: never) => void, string][] = [
  ['an object', () => ({ n: 1 }), (body: { n: number }) => (body.n = 2), '{"n":1}'],
  ['an array', () => [1], (body: number[]) => body.push(2), '[1]'],
  ['FormData', form, (body: FormData) => body.set('n', '2'), 'n=1'],
  ['URLSearchParams', () => new URLSearchParams('n=1'), (body: URLSearchParams) => body.set('n', '2'), 'n=1'],
  ['a Buffer', () => Buffer.from('1'), (body: Buffer) => body.fill('2'), '1'],
  ['an ArrayBuffer', () => Uint8Array.of(49).buffer, (body: ArrayBuffer) => new Uint8Array(body).fill(50), '1'],
  ['a Uint8Array', () => Uint8Array.of(49), (body: Uint8Array) => body.fill(50), '1'],
];
const textOf = async (body: unknown): Promise<string> =>
  body instanceof FormData ? `n=${(body.get('n') as string | null) ?? ''}` : new Response(body as BodyInit).text();

describe('a body that is changed after the call', () => {
  it.each(bodies)(
    'should be sent as it was while the first token is awaited: %s',
    async (_what, make, change, text) => {
      const arrives = new Subject<TokenResponse>();
      const { instance, sent } = stubbed(tokens({}, () => arrives.pipe(take(1))).token$);
      const body = make();
      const answered = instance.post('/a', body);
      await Promise.resolve();
      change(body as never);
      arrives.next({ access_token: 'T1', expires_in: 60 });
      await answered;
      expect(await Promise.all(sent.map(({ data }) => textOf(data)))).toEqual([text]);
    },
  );

  it.each(bodies)('should be repeated as it was: %s', async (_what, make, change, text) => {
    const { instance, sent } = stubbed((await warmTokens()).token$, 401);
    const body = make();
    const answered = instance.post('/a', body);
    await Promise.resolve();
    change(body as never);
    await answered;
    expect(await Promise.all(sent.map(({ data }) => textOf(data)))).toEqual([text, text]);
  });

  it('should be each request’s own, and so should params', async () => {
    const arrives = new Subject<TokenResponse>();
    const { instance, sent } = stubbed(tokens({}, () => arrives.pipe(take(1))).token$);
    const data = form();
    const params = new URLSearchParams('page=1');
    const first = instance.post('/a', data, { params, transformRequest: asIs });
    await Promise.resolve();
    data.set('n', '2');
    params.set('page', '2');
    const second = instance.post('/a', data, { params, transformRequest: asIs });
    await Promise.resolve();
    arrives.next({ access_token: 'T1', expires_in: 60 });
    await Promise.all([first, second]);
    expect(await Promise.all(sent.map((config) => textOf(config.data)))).toEqual(['n=1', 'n=2']);
    expect(sent.map((config) => String(config.params))).toEqual(['page=1', 'page=2']);
  });
});

describe('postForm on Node', () => {
  it('should be repeated where all parts are in memory', async () => {
    const api = await serve(guarded('T2'));
    const instance = axios.create({ baseURL: api.origin });
    attachToken(instance, (await warmTokens()).token$);
    expect((await instance.postForm<string>('/a', { item: 'tea', file: Buffer.from('leaf') })).data).toBe('hello T2');
    const [first, second] = api.seen.map(({ body, headers }) => [String(body), headers['content-type']]);
    expect(first![0]).toMatch(/name="item"\r\n\r\ntea\r\n[^]*leaf/);
    expect(first![1]).toMatch(/^multipart\/form-data; boundary=/);
    expect(second).toEqual(first);
  });

  it('should not be repeated where a part is a stream', async () => {
    const api = await serve(guarded('T2'));
    const instance = axios.create({ baseURL: api.origin });
    const { token$, asked } = await warmTokens();
    attachToken(instance, token$);
    expect(await failureOf(instance.postForm('/a', { file: Readable.from(['once']) }))).toMatchObject({
      response: { status: 401 },
    });
    await until(() => asked.length === 2);
    expect(api.seen).toHaveLength(1);
  });
});

it('should show no token in an error, though the caller’s agent carries another request', async () => {
  const api = await serve(({ path }, response) => {
    if (path === '/500') answer(response, 500);
  });
  const { token$ } = tokens({ initial: { access_token: 'SECRET', expires_in: 60 } });
  const httpAgent = new Agent({ keepAlive: true });
  const instance = axios.create({ baseURL: api.origin, httpAgent });
  attachToken(instance, token$);
  const stop = new AbortController();
  const waiting = failureOf(instance.get('/waiting', { signal: stop.signal }));
  await until(() => api.seen.length === 1);
  const error = await failureOf(instance.get('/500'));
  expect(JSON.stringify(error)).toContain('/500');
  expect(JSON.stringify(error)).not.toContain('SECRET');
  expect(inspect(error, { depth: 12, showHidden: true })).not.toContain('SECRET');
  expect((error as unknown as { config: { httpAgent: unknown } }).config.httpAgent).toBe(httpAgent);
  stop.abort();
  await waiting;
  httpAgent.destroy();
});

it('should show no token in an error, though the stream that was sent knows where it was piped to', async () => {
  const api = await serve((_seen, response) => answer(response, 500));
  const { token$ } = await warmTokens();
  const instance = axios.create({ baseURL: api.origin, adapter: 'http' });
  attachToken(instance, token$);
  const error = await failureOf(instance.post('/a', Readable.from([Buffer.from('x')])));
  expect(api.authorizations()).toEqual(['Bearer T1']);
  for (const text of [JSON.stringify(error), inspect(error, { depth: 10 })]) expect(text).not.toContain('Bearer T1');
});

it('should take a relative URL of an answer for the request’s own origin, as mocks of servers word it', async () => {
  const { token$ } = await warmTokens();
  const instance = axios.create({
    baseURL: API,
    adapter: (config) => {
      const status = authorizationOf(config) === 'Bearer T2' ? 200 : 401;
      const request = { responseURL: config.url };
      return Promise.resolve({ status, statusText: '', data: 'ok', headers: {}, config, request });
    },
  });
  attachToken(instance, token$);
  expect((await instance.get('/a')).status).toBe(200);
});

it('should work with an interceptor that returns a config of its own, without an adapter', async () => {
  const { token$ } = await warmTokens();
  const { instance, sent } = stubbed(token$);
  instance.interceptors.request.use(({ method }) => ({ url: `${API}/own`, method }) as InternalAxiosRequestConfig);
  await instance.get('/a');
  expect(sent.map((config) => [config.url, authorizationOf(config)])).toEqual([[`${API}/own`, 'Bearer T1']]);
});

it('should send a page’s relative baseURL to the page’s origin', async () => {
  root.document = { baseURI: `${API}/app/` };
  const { instance, sent } = stubbed((await warmTokens()).token$);
  instance.defaults.baseURL = '/api';
  attachToken(instance, (await warmTokens()).token$)();
  const own = axios.create({ baseURL: '/api', adapter: instance.defaults.adapter! });
  attachToken(own, (await warmTokens()).token$);
  await own.get('/orders');
  expect(sent.map(authorizationOf)).toEqual(['Bearer T1']);
  expect(isTokenError(await failureOf(own.get('https://other.example/')), 'ERR_ORIGIN_NOT_ALLOWED')).toBe(true);
});

it('should leave credentials in a URL to axios, and the token away', async () => {
  const api = await serve(({ headers }, response) => answer(response, 200, headers.authorization));
  const { token$, asked } = tokens();
  const baseURL = api.origin.replace('//', '//user:pass@');
  const instance = axios.create({ baseURL });
  attachToken(instance, token$);
  expect((await instance.get<string>('/a')).data).toBe(`Basic ${Buffer.from('user:pass').toString('base64')}`);
  const error = await failureOf(instance.get('https://user:pass@other.example/'));
  expect([isTokenError(error, 'ERR_ORIGIN_NOT_ALLOWED'), asked]).toEqual([true, []]);
  expect(error.message).not.toContain('pass');
});

it('should carry the token in React Native, whose URL has no setters', async () => {
  const { URL } = globalThis;
  Object.assign(globalThis, { URL: NativeUrl });
  try {
    const { instance, sent } = stubbed((await warmTokens()).token$, 401);
    await instance.get('/orders');
    expect(sent.map(authorizationOf)).toEqual(['Bearer T1', 'Bearer T2']);
  } finally {
    Object.assign(globalThis, { URL });
  }
});

describe('a proxy', () => {
  it('of the environment should see no token in clear', async () => {
    const proxy = await serve((_seen, response) => answer(response, 200, 'proxied'));
    const api = await serve(guarded('T1'));
    const instance = axios.create({ baseURL: api.origin });
    attachToken(instance, (await warmTokens()).token$);
    const before = { ...process.env };
    Object.assign(process.env, { http_proxy: proxy.origin, no_proxy: '', NO_PROXY: '' });
    try {
      expect((await axios.get<string>(`${api.origin}/a`)).data).toBe('proxied');
      expect((await instance.get<string>('/a')).data).toBe('hello T1');
    } finally {
      for (const name of ['http_proxy', 'no_proxy', 'NO_PROXY'])
        if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[name];
    }
    expect(proxy.seen).toHaveLength(1);
  });

  it("of the environment should see none by Node's own agent", async () => {
    const { instance, sent } = stubbed((await warmTokens()).token$);
    const own = axios.create({ baseURL: 'http://localhost', adapter: instance.defaults.adapter! });
    attachToken(own, (await warmTokens()).token$);
    await own.get('/a');
    const { options } = globalAgent as unknown as { options: { proxyEnv?: unknown } };
    // As Node 24 starts with the variable NODE_USE_ENV_PROXY.
    options.proxyEnv = { http_proxy: 'http://proxy.example' };
    const httpAgent = new Agent();
    try {
      await own.get('/a');
      await own.get('/b');
      await own.get('/a', { httpAgent });
      await instance.get('/a');
    } finally {
      delete options.proxyEnv;
    }
    const [before, first, second, given, secure] = sent.map(
      (config) => config.httpAgent as { options?: unknown } | undefined,
    );
    expect([before, given, secure]).toEqual([undefined, httpAgent, undefined]);
    expect(first?.options).toEqual({ ...options, proxyEnv: undefined });
    // Its connections are kept.
    expect(second).toBe(first);
  });

  it('of the request should see none either, unless it is on this machine', async () => {
    const { instance, sent } = stubbed((await warmTokens()).token$);
    const own = axios.create({ baseURL: 'http://localhost', adapter: instance.defaults.adapter! });
    attachToken(own, (await warmTokens()).token$);
    const error = await failureOf(own.get('/a', { proxy: { host: 'proxy.example', port: 8080 } }));
    expect([error.name, sent.length]).toEqual(['TypeError', 0]);
    const byName = { host: 'localhost', hostname: 'proxy.example', port: 8080 };
    expect([(await failureOf(own.get('/a', { proxy: byName }))).name, sent.length]).toEqual(['TypeError', 0]);
    for (const host of ['127.0.0.1', '::1']) await own.get('/a', { proxy: { host, port: 8080 } });
    await instance.get('/a', { proxy: { host: 'proxy.example', port: 8080 } });
    expect(sent).toHaveLength(3);
  });
});

it('should repeat a refused HEAD whose answer has no body to free', async () => {
  const { token$ } = await warmTokens();
  const instance = axios.create({
    baseURL: API,
    adapter: (config) => {
      const status = authorizationOf(config) === 'Bearer T2' ? 200 : 401;
      return Promise.resolve({ status, statusText: '', data: null, headers: {}, config });
    },
  });
  attachToken(instance, token$);
  expect((await instance.head('/a', { responseType: 'stream' })).status).toBe(200);
});

it('should let one request go without a token', async () => {
  const { token$, asked } = tokens();
  const { instance, sent } = stubbed(token$);
  await instance.get('/health', withoutToken());
  await instance.get('/health', withoutToken({ headers: { authorization: 'x', 'x-order': '7' }, timeout: 5 }));
  await instance.get('/health', withoutToken({ headers: new axios.AxiosHeaders({ Authorization: 'x' }) }));
  expect(sent.map(({ headers }) => headers.toJSON())).not.toContainEqual(
    expect.objectContaining({ Authorization: expect.anything() as unknown }),
  );
  expect([sent[1]!.headers.get('x-order'), sent[1]!.timeout, asked.length]).toEqual(['7', 5, 0]);
});

it('should go to any origin without a token, with the other headers as they were given', async () => {
  const { instance, sent } = stubbed((await warmTokens()).token$);
  const headers = new axios.AxiosHeaders({ 'User-Agent': false, 'X-Part': '7' });
  await instance.put('https://files.example/upload?signature=x', '…', withoutToken({ headers }));
  expect([sent[0]?.headers.get('Authorization'), sent[0]?.headers.get('User-Agent')]).toEqual([false, false]);
  expect(sent[0]?.headers.get('X-Part')).toBe('7');
});

it('should use the adapters of axios where an instance has none, and the next where there is no fetch', async () => {
  const api = await serve(guarded('T1'));
  const { fetch } = globalThis;
  for (const adapter of [undefined, ['fetch', 'http'] as const]) {
    const instance = axios.create({ baseURL: api.origin });
    instance.defaults.adapter = adapter as never;
    attachToken(instance, (await warmTokens()).token$);
    if (adapter) Reflect.deleteProperty(globalThis, 'fetch');
    try {
      expect((await instance.get<string>('/a')).data).toBe('hello T1');
    } finally {
      globalThis.fetch = fetch;
    }
  }
});

it('should take a promise of isRejection for a mistake, not for a refusal', async () => {
  const { token$, asked } = await warmTokens();
  const { instance, sent } = stubbed(token$);
  const own = axios.create({ baseURL: API, adapter: instance.defaults.adapter! });
  attachToken(own, token$, { isRejection: (() => Promise.resolve(false)) as never });
  expect(await failureOf(own.post('/a'))).toEqual(
    new TypeError('option "isRejection" returned a promise: it must return a boolean'),
  );
  expect([sent.length, asked.length]).toEqual([1, 1]);
});

it('should not wait for another token when the answer that rejects the first takes the whole timeout', async () => {
  const answers = [of({ access_token: 'T1', expires_in: 60 })];
  const { token$, asked } = tokens({}, () => answers.shift() ?? NEVER);
  const adapter: AxiosAdapter = async (config) => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const response = { status: 401, statusText: '', data: '', headers: {}, config };
    throw new axios.AxiosError('rejected', 'ERR_BAD_REQUEST', config, undefined, response);
  };
  const instance = axios.create({ adapter, baseURL: API, timeout: 50 });
  attachToken(instance, token$);
  expect(await failureOf(instance.get('/a'))).toMatchObject({ response: { status: 401 } });
  expect(asked).toHaveLength(2);
}, 5000);

it('should send where the platform has no URL.canParse', async () => {
  const { token$ } = await warmTokens();
  const { instance, sent } = stubbed(token$, 401);
  const { canParse } = URL;
  Object.assign(URL, { canParse: undefined });
  try {
    await instance.post('/a');
  } finally {
    Object.assign(URL, { canParse });
  }
  expect(sent).toHaveLength(2);
});

it('should have no origin by default where the baseURL has none', async () => {
  const { token$ } = await warmTokens();
  const instance = axios.create({ baseURL: 'localhost:3000' });
  attachToken(instance, token$);
  expect(await failureOf(instance.get('/a'))).toMatchObject({ name: 'OriginNotAllowedError' });
});

it('should word a timeout by the caller’s number, though the sending was given the time left', async () => {
  const { token$ } = tokens({}, () => timer(20).pipe(map(() => ({ access_token: 'T1', expires_in: 60 }))));
  const given: unknown[] = [];
  // As the fetch adapter does, which knows no `timeoutErrorMessage`.
  const adapter: AxiosAdapter = ({ timeout }) => {
    given.push(timeout);
    return Promise.reject(new axios.AxiosError(`timeout of ${String(timeout)}ms exceeded`, 'ETIMEDOUT'));
  };
  const instance = axios.create({ adapter, baseURL: API, timeout: 10_000 });
  attachToken(instance, token$);
  expect(await failureOf(instance.get('/a'))).toMatchObject({
    code: 'ETIMEDOUT',
    message: 'timeout of 10000ms exceeded',
  });
  expect(given[0]).toBeLessThan(10_000);
});

it('should send with a time limit even if the time was over before its timer could say so', async () => {
  const busy = () => {
    const end = performance.now() + 60;
    while (performance.now() < end);
    return { access_token: 'T1', expires_in: 60 };
  };
  const { token$ } = tokens({}, () => timer(5).pipe(map(busy)));
  const given: unknown[] = [];
  const adapter: AxiosAdapter = (config) => {
    given.push(config.timeout);
    return Promise.resolve({ data: '', status: 200, statusText: '', headers: {}, config });
  };
  const instance = axios.create({ adapter, baseURL: API, timeout: 50 });
  attachToken(instance, token$);
  await instance.get('/a');
  expect(given).toEqual([1]);
});

it('should leave nothing of its own in the config of an answer, with which a caller may send again', async () => {
  const transformRequest = (data: unknown) => data;
  const { instance } = stubbed(tokens().token$);
  const { config } = await instance.get('/a', { transformRequest });
  expect(config.transformRequest).toEqual([transformRequest]);
  // This interceptor runs after that of `attachToken`.
  const bare = axios.create({ adapter: instance.defaults.adapter, baseURL: API });
  bare.interceptors.request.use((given) => ({ ...given, transformRequest: undefined }));
  attachToken(bare, tokens().token$);
  expect((await bare.get('/a')).config.transformRequest).toEqual([]);
});

describe('a Node stream that breaks while the token is awaited', () => {
  const waiting = () => {
    const { token$ } = tokens({}, () => new Subject<TokenResponse>());
    return stubbed(token$);
  };
  const unread = () => new Readable({ read: () => undefined });

  it('should fail the request with its error, as axios does', async () => {
    const { instance, sent } = waiting();
    const body = unread();
    const failure = failureOf(instance.post('/a', body));
    setImmediate(() => body.destroy(Object.assign(new Error('gone'), { code: 'ENOENT' })));
    const error = await failure;
    expect(axios.isAxiosError(error)).toBe(true);
    expect(error).toMatchObject({ message: 'gone', code: 'ENOENT', config: { url: '/a' } });
    expect(sent).toEqual([]);
  });

  it('should cancel the request where it is closed without one', async () => {
    const { instance, sent } = waiting();
    const body = unread();
    const failure = failureOf(instance.post('/a', body));
    setImmediate(() => body.destroy());
    expect(axios.isCancel(await failure)).toBe(true);
    expect(sent).toEqual([]);
  });
});
