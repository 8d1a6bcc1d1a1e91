import { API, initTestBed } from './support.js';
import { PlatformLocation } from '@angular/common';
import {
  HTTP_INTERCEPTORS,
  HttpClient,
  HttpContext,
  HttpRequest,
  provideHttpClient,
  withInterceptors,
  withInterceptorsFromDi,
  withRequestsMadeViaParent,
} from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting, type TestRequest } from '@angular/common/http/testing';
import {
  createEnvironmentInjector,
  EnvironmentInjector,
  inject,
  InjectionToken,
  Injector,
  PLATFORM_ID,
  runInInjectionContext,
  ɵɵdefineInjectable,
  ɵɵgetInheritedFactory,
  type EnvironmentProviders,
  type Provider,
  type Type,
} from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { filter, firstValueFrom, NEVER, of } from 'rxjs';
import { takeToken, type AccessToken, type TokenSource, type TokenStore } from 'rx-fresh-token';
import {
  HttpTokenInterceptor,
  injectToken,
  injectTokenState,
  injectTokenStream,
  provideFakeToken,
  provideTokenStream,
  TOKEN_STREAM,
  tokenInterceptor,
  withoutToken,
  withTokenOf,
  type ProvideTokenStreamOptions,
} from 'rx-fresh-token/angular';

initTestBed();
const http = () => TestBed.inject(HttpClient);
const authorization = ({ request }: TestRequest) => request.headers.get('authorization');
const errors: unknown[] = [];
const fail = { error: (error: unknown) => errors.push(error) };
beforeEach(() => {
  errors.length = 0;
});

/** A stream whose tokens are `name-1`, `name-2`, …. */
function stream(value: string, options: Partial<ProvideTokenStreamOptions> = {}): EnvironmentProviders {
  let n = 0;
  return provideTokenStream(() => () => of({ access_token: `${value}-${String(++n)}`, expires_in: 3600 }), {
    allowedOrigins: [API],
    ...options,
  });
}

function provide(...providers: (Provider | EnvironmentProviders)[]): HttpTestingController {
  TestBed.configureTestingModule({
    providers: [
      { provide: PLATFORM_ID, useValue: 'browser' },
      provideHttpClient(withInterceptors([tokenInterceptor])),
      provideHttpClientTesting(),
      ...providers,
    ],
  });
  return TestBed.inject(HttpTestingController);
}

function headerOf(controller: HttpTestingController, url: string, context = new HttpContext()): string | null {
  http().get(url, { context }).subscribe(fail);
  const request = controller.expectOne(url);
  request.flush(1);
  return authorization(request);
}

describe('several streams', () => {
  it.each([
    ['https://api.example/orders', 'Bearer main-1'],
    ['https://api.example/admin', 'Bearer admin-1'],
    ['https://api.example/admin/users', 'Bearer admin-1'],
    ['https://api.example/admin/audit/7', 'Bearer audit-1'],
    ['https://api.example/administration', 'Bearer main-1'],
    ['https://api.example/admin/../orders', 'Bearer main-1'],
    ['https://files.example/a', 'Bearer files-1'],
    ['https://other.example/admin', null],
  ])('should each have its own requests: %s', (url, expected) => {
    const controller = provide(
      stream('main'),
      stream('audit', { name: 'audit', paths: ['/admin/audit/', '/audit'] }),
      stream('admin', { name: 'admin', paths: ['/admin'] }),
      stream('files', { name: 'files', allowedOrigins: ['https://files.example'] }),
    );
    expect(headerOf(controller, url)).toBe(expected);
  });

  it('should be chosen by hand, and each be injected by its name', () => {
    const controller = provide(stream('main'), stream('admin', { name: 'admin', paths: [] }));
    const seen = [
      headerOf(controller, `${API}/users`),
      headerOf(controller, `${API}/users`, withTokenOf('admin')),
      headerOf(controller, `${API}/users`, withTokenOf('admin', withoutToken())),
    ];
    expect(seen).toEqual(['Bearer main-1', 'Bearer admin-1', null]);
    TestBed.runInInjectionContext(() => {
      expect(injectTokenStream()).toBe(TestBed.inject(TOKEN_STREAM));
      expect(injectTokenStream('admin').current?.value).toBe('admin-1');
      expect([injectToken()()?.value, injectToken('admin')()?.value]).toEqual(['main-1', 'admin-1']);
      expect(injectTokenState('admin')()).toBe('fresh');
      expect(() => injectTokenStream('none')).toThrow('no token stream has the name "none"');
    });
  });

  it('should fail a request that is given a name that there is not, or to an origin that may not see the token', () => {
    const controller = provide(stream('main'), stream('admin', { name: 'admin', paths: [] }));
    http()
      .get(`${API}/a`, { context: withTokenOf('none') })
      .subscribe(fail);
    http()
      .get('https://other.example/a', { context: withTokenOf('admin') })
      .subscribe(fail);
    expect(errors).toEqual([
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('"none"') as unknown }),
      expect.objectContaining({ code: 'ERR_ORIGIN_NOT_ALLOWED' }),
    ]);
    controller.verify();
  });

  it.each<[string, () => EnvironmentProviders[], RegExp]>([
    ['two without a name', () => [stream('a'), stream('b')], /twice without a name/],
    ['two of one name', () => [stream('a', { name: 'x' }), stream('b', { name: 'x' })], /twice with the name "x"/],
    [
      'the same origin and path',
      () => [stream('a'), stream('b', { name: 'b' })],
      /without a name and "b" have the same/,
    ],
  ])('should be told apart: %s', (_what, streams, message) => {
    provide(...streams());
    http().get(`${API}/a`).subscribe(fail);
    expect(errors).toEqual([new TypeError()].map(() => expect.objectContaining({ name: 'TypeError' }) as unknown));
    expect(String(errors[0])).toMatch(message);
  });
});

describe('a lazy route that provides streams of its own', () => {
  const LAZY = 'https://lazy.example';
  const routeWith = (...providers: EnvironmentProviders[]) =>
    createEnvironmentInjector(
      [provideHttpClient(withInterceptors([tokenInterceptor])), provideHttpClientTesting(), ...providers],
      TestBed.inject(EnvironmentInjector),
    );
  const sentBy = (route: EnvironmentInjector, url: string, context = new HttpContext()) => {
    route.get(HttpClient).get(url, { context }).subscribe(fail);
    const sent = route.get(HttpTestingController).expectOne(url);
    sent.flush(1);
    return authorization(sent);
  };

  const injectedBy = (injector: Injector) => runInInjectionContext(injector, () => injectTokenStream('admin'));

  it('should use those of the application beside them', () => {
    provide(stream('main'), stream('admin', { name: 'admin', paths: [] }));
    const route = routeWith(stream('lazy', { name: 'lazy', allowedOrigins: [LAZY] }));
    expect([LAZY, API].map((origin) => sentBy(route, `${origin}/a`))).toEqual(['Bearer lazy-1', 'Bearer main-1']);
    expect(sentBy(route, `${API}/b`, withTokenOf('admin'))).toBe('Bearer admin-1');
    expect(errors).toEqual([]);
    expect(injectedBy(route.get(Injector))).toBe(injectedBy(TestBed.inject(Injector)));
  });

  it('should use its own where one of the application has the same name, or the same origin and path', () => {
    provide(stream('main'), stream('admin', { name: 'admin', allowedOrigins: [LAZY] }));
    const route = routeWith(stream('own', { allowedOrigins: [LAZY] }));
    expect([LAZY, API].map((origin) => sentBy(route, `${origin}/a`))).toEqual(['Bearer own-1', null]);
  });
});

it('should leave paths of an allowed origin out', () => {
  const controller = provide(stream('main', { exceptPaths: ['/assets', '/i18n/'] }));
  const paths = ['/assets/i18n/en.json', '/i18n', '/i18n/en.json', '/assetsman', '/orders'];
  expect(paths.map((path) => headerOf(controller, API + path))).toEqual([
    null,
    null,
    null,
    'Bearer main-1',
    'Bearer main-1',
  ]);
});

describe('a class interceptor', () => {
  it('should do what the function does', () => {
    TestBed.configureTestingModule({
      providers: [
        { provide: PLATFORM_ID, useValue: 'browser' },
        provideHttpClient(withInterceptorsFromDi()),
        provideHttpClientTesting(),
        { provide: HTTP_INTERCEPTORS, useClass: HttpTokenInterceptor, multi: true },
        stream('main'),
      ],
    });
    const controller = TestBed.inject(HttpTestingController);
    http().get(`${API}/a`).subscribe(fail);
    controller.expectOne(`${API}/a`).flush(null, { status: 401, statusText: 'Refused' });
    const repeat = controller.expectOne(`${API}/a`);
    expect(authorization(repeat)).toBe('Bearer main-2');
    repeat.flush(1);
  });

  it('should be itself where a subclass of it is provided, as the compiler writes one', () => {
    const intercepted: string[] = [];
    class Own extends HttpTokenInterceptor {
      static readonly ɵfac = (type?: Type<unknown>): unknown => ɵɵgetInheritedFactory(Own)(type ?? Own);
      static readonly ɵprov = ɵɵdefineInjectable({ token: Own, factory: Own.ɵfac });

      override intercept(...[request, next]: Parameters<HttpTokenInterceptor['intercept']>) {
        intercepted.push(request.url);
        return super.intercept(request, next);
      }
    }
    const controller = provide(
      provideHttpClient(withInterceptorsFromDi()),
      provideHttpClientTesting(),
      { provide: HTTP_INTERCEPTORS, useClass: Own, multi: true },
      stream('main'),
    );
    expect(headerOf(controller, `${API}/a`)).toBe('Bearer main-1');
    expect(intercepted).toEqual([`${API}/a`]);
  });
});

describe('provideFakeToken', () => {
  it('should stand in the place of the application’s stream, ask nobody and start no timer', () => {
    jest.useFakeTimers();
    try {
      const factory = jest.fn();
      const controller = provide(
        provideTokenStream(factory, { allowedOrigins: ['https://other.example'] }),
        provideFakeToken({ allowedOrigins: [API] }),
      );
      const token = TestBed.runInInjectionContext(() => injectToken());
      expect([token()?.value, headerOf(controller, `${API}/a`)]).toEqual(['fake-token', 'Bearer fake-token']);
      http().get(`${API}/b`).subscribe(fail);
      controller.expectOne(`${API}/b`).flush(null, { status: 401, statusText: 'Refused' });
      const repeat = controller.expectOne(`${API}/b`);
      expect(authorization(repeat)).toBe('Bearer fake-token-2');
      repeat.flush(1);
      TestBed.inject(TOKEN_STREAM).signOut();
      expect([token(), factory.mock.calls.length, jest.getTimerCount()]).toEqual([null, 0, 0]);
    } finally {
      jest.useRealTimers();
    }
  });

  it('should go where the token of that stream goes, but for what it is told itself', () => {
    const paths = ['/api'];
    const authorize = (request: HttpRequest<unknown>, token: AccessToken) =>
      request.clone({ setHeaders: { authorization: `Own ${token.value}` } });
    const controller = provide(
      provideTokenStream(jest.fn(), { allowedOrigins: [API], paths, authorize }),
      provideFakeToken({ token: 'fake', paths: undefined }),
      provideTokenStream(jest.fn(), { name: 'admin', allowedOrigins: [API], paths: ['/admin'] }),
      provideFakeToken({ name: 'admin', token: 'admin', paths: ['/admin/users'] }),
    );
    const urls = ['/api/a', '/b', '/admin/users', '/admin', '/api/a'].map((path) => `${API}${path}`);
    expect(urls.map((url) => headerOf(controller, url))).toEqual(['Own fake', null, 'Bearer admin', null, 'Own fake']);
    expect(headerOf(controller, 'https://other.example/api/a')).toBeNull();
  });

  it('should have another token after each rejection, however many a test causes', () => {
    const controller = provide(provideFakeToken({ allowedOrigins: [API] }));
    for (let n = 1; n <= 30; n++) {
      http()
        .get(`${API}/${String(n)}`)
        .subscribe(fail);
      controller.expectOne(`${API}/${String(n)}`).flush(null, { status: 401, statusText: 'Refused' });
      const repeat = controller.expectOne(`${API}/${String(n)}`);
      expect(authorization(repeat)).toBe(`Bearer fake-token-${String(n + 1)}`);
      repeat.flush(1);
    }
  });

  it('should say so where it comes before the stream in whose place it stands', () => {
    provide(provideFakeToken({ allowedOrigins: [API] }), stream('main'));
    http().get(`${API}/a`).subscribe(fail);
    expect(errors).toEqual([new TypeError('provideFakeToken() must come after the stream in whose place it stands')]);
  });

  it('should give way to one that comes later, as providers do', () => {
    const controller = provide(
      provideFakeToken({ allowedOrigins: [API] }),
      provideFakeToken({ allowedOrigins: [API], token: 'later' }),
    );
    expect(headerOf(controller, `${API}/a`)).toBe('Bearer later');
  });

  it('should give its token to no request without an origin', () => {
    const controller = provide(provideFakeToken());
    expect(headerOf(controller, `${API}/a`)).toBeNull();
  });

  it('should be as for a user who is not signed in, with null in the place of a token', () => {
    jest.useFakeTimers();
    try {
      const factory = jest.fn();
      const controller = provide(
        provideTokenStream(factory, { allowedOrigins: [API] }),
        provideFakeToken({ token: null }),
      );
      const state = TestBed.runInInjectionContext(() => injectTokenState());
      const token = TestBed.runInInjectionContext(() => injectToken());
      expect([token(), state()]).toEqual([null, 'failed']);
      const token$ = TestBed.inject(TOKEN_STREAM);
      // The second time too: no time passes, so no pause ends.
      for (let n = 0; n < 2; n++) {
        http().get(`${API}/a`).subscribe(fail);
        token$.refresh().subscribe(fail);
        takeToken(token$, { maxWait: 5000 }).subscribe(fail);
        token$.subscribe(fail);
      }
      const unavailable: unknown = expect.objectContaining({
        code: 'ERR_TOKEN_UNAVAILABLE',
        message: 'the token source failed permanently: provideFakeToken({ token: null }) has no token',
        cause: expect.objectContaining({ status: 401 }) as unknown,
      });
      expect(errors).toEqual(Array.from({ length: 8 }, () => unavailable));
      token$.signOut();
      expect(state()).toBe('signedOut');
      http().get(`${API}/a`).subscribe(fail);
      expect([state(), errors.length, factory.mock.calls.length, jest.getTimerCount()]).toEqual(['failed', 9, 0, 0]);
      controller.verify();
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('a store that is made by a function', () => {
  const makeStore = () => {
    const signOut = jest.fn();
    const refresh: TokenStore['refresh'] = () => [
      { response: { access_token: 'S', expires_in: 60 }, age: 0, origin: 'shared' },
    ];
    return { make: jest.fn(() => ({ refresh, signOut })), signOut };
  };

  it('should be made in the browser, and be told of a sign-out', () => {
    const { make, signOut } = makeStore();
    const controller = provide(stream('main', { store: make }));
    expect(headerOf(controller, `${API}/a`)).toBe('Bearer S');
    TestBed.inject(TOKEN_STREAM).signOut();
    expect([make.mock.calls.length, signOut.mock.calls.length]).toEqual([1, 1]);
  });

  it('should have a sign-out that fails later reported as an event', async () => {
    const { make, signOut } = makeStore();
    signOut.mockRejectedValue(new Error('the shared token stays'));
    provide(stream('main', { store: make }));
    const token$ = TestBed.inject(TOKEN_STREAM);
    const reported = firstValueFrom(token$.events.pipe(filter(({ type }) => type === 'refreshFailed')));
    token$.signOut();
    expect(await reported).toMatchObject({ message: expect.stringContaining('the shared token stays') as unknown });
  });

  it('should not be made on a server', () => {
    const { make } = makeStore();
    const controller = provide(
      stream('main', { store: make }),
      { provide: PLATFORM_ID, useValue: 'server' },
      { provide: PlatformLocation, useValue: { href: '/', getBaseHrefFromDOM: () => '' } },
    );
    expect([headerOf(controller, `${API}/a`), TestBed.inject(TOKEN_STREAM).current]).toEqual([null, null]);
    expect(make).not.toHaveBeenCalled();
  });
});

it('should fail requests at once if the source calls inject(), which only the factory may do', () => {
  const LOGIN = new InjectionToken<TokenSource>('login');
  provide(provideTokenStream(() => (request) => inject(LOGIN)(request), { allowedOrigins: [API] }));
  const failed = jest.fn();
  http().get(`${API}/orders`).subscribe({ error: failed });
  const message = expect.stringMatching(/permanently: NG0203: .*must be called from an injection context/) as string;
  expect(failed).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_TOKEN_UNAVAILABLE', message }));
});

it('should end a request that waits for a token quietly when the injector is destroyed', () => {
  provide(provideTokenStream(() => () => NEVER, { allowedOrigins: [API] }));
  const ends: string[] = [];
  http()
    .get(`${API}/a`)
    .subscribe({ error: () => ends.push('error'), complete: () => ends.push('complete') });
  TestBed.resetTestingModule();
  expect(ends).toEqual(['complete']);
});

it.each([
  [401, undefined],
  [200, () => true],
])('should also end one quietly that waits for the token after its answer %d was rejected', (status, isRejection) => {
  let count = 0;
  const controller = provide(
    provideTokenStream(() => () => (count++ === 0 ? of({ access_token: 'T1' }) : NEVER), {
      allowedOrigins: [API],
      isRejection,
    }),
  );
  const ends: string[] = [];
  http()
    .get(`${API}/a`)
    .subscribe({ next: () => ends.push('value'), error: () => ends.push('error'), complete: () => ends.push('end') });
  controller.expectOne(`${API}/a`).flush(null, { status, statusText: 'Said' });
  expect([count, ends]).toEqual([2, []]);
  TestBed.resetTestingModule();
  expect(ends).toEqual(['end']);
});

it('should let a request on its way be answered when the injector is destroyed, though it is a repeat', () => {
  const controller = provide(stream('main'));
  const ends: unknown[] = [];
  http()
    .post(`${API}/a`, 1)
    .subscribe({ next: (value) => ends.push(value), complete: () => ends.push('complete') });
  controller.expectOne(`${API}/a`).flush(null, { status: 401, statusText: 'Refused' });
  const repeat = controller.expectOne(`${API}/a`);
  TestBed.resetTestingModule();
  expect([repeat.cancelled, ends]).toEqual([false, []]);
  repeat.flush('saved');
  expect(ends).toEqual(['saved', 'complete']);
});

it.each([undefined, (request: HttpRequest<unknown>) => request.clone({ setHeaders: { 'x-session': 'S' } })])(
  'should be repeated once by a client whose requests are made via its parent: authorize %p',
  (authorize) => {
    const controller = provide(stream('main', { authorize }));
    const route = createEnvironmentInjector(
      [provideHttpClient(withInterceptors([tokenInterceptor]), withRequestsMadeViaParent())],
      TestBed.inject(EnvironmentInjector),
    );
    route.get(HttpClient).post(`${API}/a`, 1).subscribe(fail);
    for (let n = 0; n < 2; n++) controller.expectOne(`${API}/a`).flush(null, { status: 401, statusText: 'Refused' });
    controller.verify();
    expect(errors).toHaveLength(1);
  },
);
