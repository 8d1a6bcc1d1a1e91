import { AsyncLocalStorage } from 'node:async_hooks';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Injectable, Scope, type DynamicModule, type Type } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import type { AxiosAdapter } from 'axios';
import { firstValueFrom, map, Subject, take } from 'rxjs';
import { createTokenStream, takeToken, type TokenResponse, type TokenStream } from 'rx-fresh-token';
import {
  getTokenHttpToken,
  getTokenStreamToken,
  InjectToken,
  InjectTokenHttp,
  TokenModule,
  type TokenModuleOptions,
} from 'rx-fresh-token/nest';
import { fakeTokenSource, startTokenServer, type TokenServerOptions } from 'rx-fresh-token/testing';
import { cleanUp, closing, controller, create, inject, listen, moduleOf, start } from './support.js';

afterEach(cleanUp);

const serverOf = async (options?: TokenServerOptions) => closing(await startTokenServer(options));

interface Answer {
  readonly path: string;
  readonly token: string;
}

/** A controller of `/<path>/:id` that asks the API for `/<path>/<id>`, and answers what it says. */
function proxy(path: string, { name, scope }: { name?: string; scope?: Scope } = {}): Type {
  class Proxy {
    constructor(private readonly http: HttpService) {}

    get(id: string) {
      return this.http.get<Answer>(`/${path}/${id}`).pipe(map(({ data }) => data));
    }
  }
  inject(Proxy, InjectTokenHttp(name));
  const target = controller(Proxy, path);
  if (scope !== undefined) Injectable({ scope })(target);
  return target;
}

describe('an application with TokenModule', () => {
  it('should have no request refused while tokens of two seconds end, whoever calls in parallel', async () => {
    const server = await serverOf({ lifetime: 2000 });
    const { get } = await start({
      imports: [
        TokenModule.forRoot({
          source: server.source,
          // A machine that stands still for less than 0.8 s between sending and arrival causes no refusal.
          stream: { refreshBefore: 1000, expiryMargin: 800 },
          axios: { baseURL: server.origin },
        }),
      ],
      controllers: [proxy('orders')],
    });
    const statuses = new Set<number>();
    const caller = async (id: string) => {
      while (server.counts.tokensIssued < 4) {
        const { status, body } = await get(`/orders/${id}`);
        statuses.add(status);
        expect(body).toMatchObject({ path: `/orders/${id}` });
        await new Promise((done) => setTimeout(done, 5));
      }
    };
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map(caller));
    expect([...statuses]).toEqual([200]);
    expect(server.counts).toMatchObject({ refused: 0, failed: 0 });
    expect(server.counts.accepted).toBeGreaterThan(5);
  });

  it('should repeat what is refused with one new token for all', async () => {
    const server = await serverOf({ lifetime: 60_000 });
    const { get } = await start({
      imports: [TokenModule.forRoot({ source: server.source, axios: { baseURL: server.origin } })],
      controllers: [proxy('orders')],
    });
    await get('/orders/1');
    server.revoke('token-1');
    const answers = await Promise.all(['1', '2', '3'].map((id) => get(`/orders/${id}`)));
    expect(answers.map(({ status, body }) => [status, (body as Answer).token])).toEqual(
      ['1', '2', '3'].map(() => [200, 'token-2']),
    );
    expect(server.counts.tokenRequests).toBe(2);
  });

  it('should keep two names apart, side by side', async () => {
    const [orders, crm] = [
      await serverOf({ names: (n) => `orders-${String(n)}` }),
      await serverOf({ names: (n) => `crm-${String(n)}` }),
    ];
    const { app, get } = await start({
      imports: [
        TokenModule.forRoot({ source: orders.source, axios: { baseURL: orders.origin } }),
        TokenModule.forRootAsync({
          name: 'crm',
          useFactory: () => ({ source: crm.source, axios: { baseURL: crm.origin } }),
        }),
      ],
      controllers: [proxy('orders'), proxy('customers', { name: 'crm' })],
    });
    expect(await get('/orders/1')).toMatchObject({ body: { path: '/orders/1', token: 'orders-1' } });
    expect(await get('/customers/2')).toMatchObject({ body: { path: '/customers/2', token: 'crm-1' } });
    expect(app.get<TokenStream>(getTokenStreamToken()).current?.value).toBe('orders-1');
    expect(app.get<TokenStream>(getTokenStreamToken('crm')).current?.value).toBe('crm-1');
  });

  it('should serve REQUEST-scoped providers with the one stream', async () => {
    const server = await serverOf();
    const { get } = await start({
      imports: [TokenModule.forRoot({ source: server.source, axios: { baseURL: server.origin } })],
      controllers: [proxy('orders', { scope: Scope.REQUEST })],
    });
    const answers = await Promise.all(['1', '2', '3', '4'].map((id) => get(`/orders/${id}`)));
    expect(new Set(answers.map(({ body }) => (body as Answer).token))).toEqual(new Set(['token-1']));
    expect(server.counts).toMatchObject({ tokenRequests: 1, accepted: 4 });
  });

  it('should go on in the context of each caller, for two who wait for one token', async () => {
    const server = await serverOf();
    const tenant = new AsyncLocalStorage<string>();
    const arrives = new Subject<TokenResponse>();
    let sending = 0;
    class Orders {
      constructor(private readonly http: HttpService) {
        this.http.axiosRef.interceptors.request.use((config) => {
          sending++;
          return config;
        });
        this.http.axiosRef.interceptors.response.use((response) => {
          response.headers['x-seen'] = tenant.getStore();
          return response;
        });
      }

      get() {
        return this.http.get('/').pipe(map(({ headers }) => [headers['x-seen'] as unknown, tenant.getStore()]));
      }
    }
    inject(Orders, InjectTokenHttp());
    let asked = 0;
    const source = () => {
      asked++;
      return arrives.pipe(take(1));
    };
    const app = await create({
      imports: [TokenModule.forRoot({ source, axios: { baseURL: server.origin } })],
      controllers: [controller(Orders, 'orders')],
    });
    app.use((request: { headers: Record<string, string> }, _response: unknown, next: () => void) => {
      tenant.run(request.headers['x-tenant']!, next);
    });
    const { get } = await listen(app);
    const answers = Promise.all(['a', 'b'].map((name) => get('/orders/1', { 'x-tenant': name })));
    while (sending < 2 || asked < 1) await new Promise(setImmediate);
    await new Promise(setImmediate);
    const { access_token } = (await (await fetch(server.tokenUrl, { method: 'POST' })).json()) as TokenResponse;
    arrives.next({ access_token, expires_in: 60 });
    expect((await answers).map(({ body }) => body)).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
    expect(asked).toBe(1);
  });

  it('should send the token to no origin but the allowed ones', async () => {
    const [server, other] = [await serverOf(), await serverOf()];
    const { app } = await start({
      imports: [TokenModule.forRoot({ source: server.source, axios: { baseURL: server.origin } })],
    });
    const http = app.get<HttpService>(getTokenHttpToken());
    await expect(firstValueFrom(http.get(`${other.origin}/orders`))).rejects.toMatchObject({
      code: 'ERR_ORIGIN_NOT_ALLOWED',
    });
    expect(other.counts).toMatchObject({ apiRequests: 0, accepted: 0 });
  });
});

describe('what TokenModule provides', () => {
  const options = (): TokenModuleOptions => ({ source: fakeTokenSource(), allowedOrigins: [] });

  it('should be known to all modules, unless isGlobal is false', async () => {
    class Feature {
      constructor(readonly token$: TokenStream) {}
    }
    inject(Feature, InjectToken());
    const appOf = (module: DynamicModule) =>
      Test.createTestingModule({ imports: [module, moduleOf({ providers: [Feature] })] }).compile();
    const app = closing(await appOf(TokenModule.forRoot(options())));
    expect(app.get(Feature, { strict: false }).token$).toBe(app.get(getTokenStreamToken()));
    await expect(appOf(TokenModule.forRoot({ ...options(), isGlobal: false }))).rejects.toThrow(
      'rx-fresh-token/stream/default',
    );
  });

  it('should leave HttpService to HttpModule, and be one by an alias', async () => {
    const both = closing(
      await Test.createTestingModule({ imports: [TokenModule.forRoot(options()), HttpModule] }).compile(),
    );
    expect(both.get(HttpService, { strict: false })).not.toBe(both.get(getTokenHttpToken()));
    const alias = closing(
      await Test.createTestingModule({
        imports: [TokenModule.forRoot(options())],
        providers: [{ provide: HttpService, useExisting: getTokenHttpToken() }],
      }).compile(),
    );
    expect(alias.get(HttpService)).toBe(alias.get(getTokenHttpToken()));
  });

  it('should be made of what a factory or a class gives, with what it injects', async () => {
    const server = await serverOf();
    const config = ConfigModule.forRoot({ ignoreEnvFile: true, load: [() => ({ API: server.origin })] });
    class Options {
      createTokenOptions(): Promise<TokenModuleOptions> {
        return Promise.resolve({ source: server.source, axios: { baseURL: server.origin } });
      }
    }
    const app = closing(
      await Test.createTestingModule({
        imports: [
          TokenModule.forRootAsync({
            imports: [config],
            inject: [ConfigService],
            useFactory: (values: ConfigService) => ({
              source: server.source,
              axios: { baseURL: values.getOrThrow<string>('API') },
            }),
          }),
          TokenModule.forRootAsync({ name: 'class', useClass: Options }),
        ],
      }).compile(),
    );
    for (const name of [undefined, 'class']) {
      const { data } = await firstValueFrom(app.get<HttpService>(getTokenHttpToken(name)).get<Answer>('/orders'));
      expect(data.path).toBe('/orders');
    }
  });

  it('should be replaced in a test by a stream over a fake source, which is closed too', async () => {
    const server = await serverOf();
    const source = fakeTokenSource({ lifetime: 60_000 });
    const never = jest.fn();
    const app = await Test.createTestingModule({
      imports: [TokenModule.forRoot({ source: never, axios: { baseURL: server.origin } })],
    })
      .overrideProvider(getTokenStreamToken())
      .useValue(closing(createTokenStream(source)))
      .compile();
    await expect(firstValueFrom(app.get<HttpService>(getTokenHttpToken()).get('/orders'))).rejects.toMatchObject({
      status: 401,
    });
    expect(source.calls.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
    expect(never).not.toHaveBeenCalled();
    const completed = jest.fn();
    app.get<TokenStream>(getTokenStreamToken()).subscribe({ complete: completed });
    await app.close();
    expect(completed).toHaveBeenCalledTimes(1);
  });
});

describe('shutdown', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] }));
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const appOf = async () => {
    const module = await Test.createTestingModule({
      imports: [
        TokenModule.forRoot({ source: fakeTokenSource(), allowedOrigins: [] }),
        TokenModule.forRoot({ name: 'crm', source: fakeTokenSource(), allowedOrigins: [] }),
      ],
    }).compile();
    const completed: string[] = [];
    for (const name of ['default', 'crm'])
      closing(module.get<TokenStream>(getTokenStreamToken(name))).subscribe({ complete: () => completed.push(name) });
    return { module, completed };
  };

  it('should close every stream and leave no timer, by close()', async () => {
    const { module, completed } = await appOf();
    await module.init();
    expect(jest.getTimerCount()).toBeGreaterThan(0);
    await module.close();
    expect(completed.sort()).toEqual(['crm', 'default']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should close every stream on a signal, after enableShutdownHooks()', async () => {
    const { module, completed } = await appOf();
    const killed = new Promise((resolve) => {
      jest.spyOn(process, 'kill').mockImplementation((_pid, signal) => {
        resolve(signal);
        return true;
      });
    });
    module.enableShutdownHooks(['SIGUSR2']);
    await module.init();
    process.emit('SIGUSR2', 'SIGUSR2');
    expect(await killed).toBe('SIGUSR2');
    expect(completed.sort()).toEqual(['crm', 'default']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('should give a token to the work that a global module behind it ends', async () => {
    const values: string[] = [];
    const worker = {
      provide: 'worker',
      inject: [getTokenStreamToken()],
      useFactory: (token$: TokenStream) => ({
        onApplicationShutdown: async () => values.push((await firstValueFrom(takeToken(token$))).value),
      }),
    };
    const token = TokenModule.forRoot({ source: fakeTokenSource(), allowedOrigins: [] });
    const queue = { module: moduleOf({ providers: [worker] }), global: true };
    const module = await Test.createTestingModule({ imports: [token, queue] }).compile();
    await module.init();
    await module.close();
    expect(values).toEqual(['a']);
  });
});

it('should reach a host of a service mesh by plain http where that is allowed', async () => {
  const sent: unknown[] = [];
  const adapter: AxiosAdapter = (config) => {
    sent.push(config.headers.get('Authorization'));
    return Promise.resolve({ status: 200, statusText: '', data: '', headers: {}, config });
  };
  const source = fakeTokenSource();
  const defaults = { baseURL: 'http://orders.default.svc', adapter };
  const module = TokenModule.forRoot({ source, axios: defaults, allowInsecureRequests: true });
  const app = closing(await Test.createTestingModule({ imports: [module] }).compile());
  await firstValueFrom(app.get<HttpService>(getTokenHttpToken()).get('/a'));
  expect(sent).toEqual(['Bearer a']);
});

describe('a mistake in the options', () => {
  const source = fakeTokenSource();
  const secret = 'canary-of-the-nest-spec';

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'TokenModule needs options'],
    ['no source', { allowedOrigins: [] }, 'option "source" must be a token source'],
    ['a token for a source', { source: secret, allowedOrigins: [] }, 'option "source" must be a token source'],
    ['no destination', { source }, 'option "allowedOrigins" or "axios.baseURL"'],
    ['an empty baseURL', { source, axios: { baseURL: '' } }, 'option "allowedOrigins" or "axios.baseURL"'],
    ['a relative baseURL', { source, axios: { baseURL: '/api' } }, 'option "allowedOrigins" or "axios.baseURL"'],
    ['no origins', { source, allowedOrigins: null }, 'option "allowedOrigins" or "axios.baseURL"'],
    ['a plain origin', { source, allowedOrigins: ['http://api.example'] }, 'option "allowedOrigins[0]"'],
    ['a plain baseURL', { source, axios: { baseURL: 'http://api.example' } }, 'option "baseURL" must be https'],
    ['a number out of range', { source, allowedOrigins: [], stream: { maxWait: -1 } }, 'option "maxWait"'],
    ['no function', { source, allowedOrigins: [], isRejection: 401 }, 'option "isRejection"'],
    ['an option of the stream', { source, allowedOrigins: [], maxWait: 5 }, 'unknown option "maxWait"'],
    ['an option of axios', { source, allowedOrigins: [], timeout: 5 }, 'unknown option "timeout"'],
  ])('should be named while the application is created: %s', async (_case, options, message) => {
    const given = options as TokenModuleOptions;
    const modules = [TokenModule.forRootAsync({ useFactory: () => given })];
    if (given as unknown) modules.push(TokenModule.forRoot(given));
    for (const module of modules) {
      const error: unknown = await create({ imports: [module] }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ name: 'TypeError', message: expect.stringContaining(message) as unknown });
      expect(String(error)).not.toContain(secret);
    }
  });

  it('should be named where the factory gives the name, which is given to forRootAsync itself', async () => {
    const module = TokenModule.forRootAsync({ useFactory: () => ({ source, allowedOrigins: [], name: 'crm' }) });
    await expect(create({ imports: [module] })).rejects.toThrow('unknown option "name" here');
  });

  it.each(['', 7, null])('should be named at once where it is the name: %p', (name) => {
    expect(() => TokenModule.forRoot({ source, allowedOrigins: [], name: name as string })).toThrow('option "name"');
  });

  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['null', [null]],
    ['a text', [secret]],
  ])('should be named at once where %s is given to forRoot', (_what, given) => {
    const forRoot = () => TokenModule.forRoot(...(given as [TokenModuleOptions]));
    expect(forRoot).toThrow(new TypeError('TokenModule needs options: { source, allowedOrigins or axios.baseURL, … }'));
  });

  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['null', [null]],
    ['a text', [secret]],
    ['an object without a factory', [{ source, allowedOrigins: [] }]],
    ['a factory that is no function', [{ useFactory: secret }]],
  ])('should be named at once where %s is given to forRootAsync', (_what, given) => {
    const forRootAsync = () => TokenModule.forRootAsync(...(given as [{ useFactory: () => TokenModuleOptions }]));
    expect(forRootAsync).toThrow(
      new TypeError('TokenModule.forRootAsync needs useFactory, useClass or useExisting: a function or a class'),
    );
  });

  it('should be named where the factory injects the request: there would be a stream for each', async () => {
    const module = TokenModule.forRootAsync({ inject: [REQUEST], useFactory: () => ({ source, allowedOrigins: [] }) });
    await expect(start({ imports: [module] })).rejects.toThrow('must not inject REQUEST-scoped providers');
  });

  describe('where two modules have one name', () => {
    const global = () => TokenModule.forRoot({ source: () => fakeTokenSource()({} as never), allowedOrigins: [] });
    const local = () => TokenModule.forRoot({ source, allowedOrigins: [], isGlobal: false });
    const compile = async (...imports: (DynamicModule | Type)[]) =>
      closing(await Test.createTestingModule({ imports }).compile());

    it('should be named if both are global: the order of imports would decide', async () => {
      const mistake = 'two TokenModules have the name "default": give each its own "name"';
      const async = TokenModule.forRootAsync({ useFactory: () => ({ source, allowedOrigins: [] }) });
      await expect(compile(global(), async)).rejects.toThrow(new TypeError(mistake));
      await expect(compile(moduleOf({ imports: [global()] }), moduleOf({ imports: [async] }))).rejects.toThrow(mistake);
    });

    it('should be named if one module imports two that are not global', async () => {
      const other = TokenModule.forRootAsync({ isGlobal: false, useFactory: () => ({ source, allowedOrigins: [] }) });
      await expect(compile(moduleOf({ imports: [local(), other] }))).rejects.toThrow('give each its own "name"');
    });

    it('should be none if they are one module, or if one at most is global', async () => {
      const same = global();
      await compile(same, moduleOf({ imports: [same], exports: [same] }), moduleOf({ imports: [same] }));
      await compile(moduleOf({ imports: [local()] }), moduleOf({ imports: [local()] }), global());
      await compile(global(), TokenModule.forRoot({ name: 'other', source, allowedOrigins: [] }));
    });

    it('should be none if an application provides a stream of that name itself', async () => {
      const provide = getTokenStreamToken();
      const token$ = closing(createTokenStream(source));
      const own = moduleOf({ providers: [{ provide, useValue: token$ }], exports: [provide] });
      await compile(global(), { module: own, global: true });
    });
  });
});
