import { API, initTestBed, setUp } from './support.js';
import {
  HttpClient,
  HttpContext,
  HttpContextToken,
  HttpErrorResponse,
  HttpEventType,
  type HttpEvent,
} from '@angular/common/http';
import { HttpTestingController, type TestRequest } from '@angular/common/http/testing';
import {
  ApplicationRef,
  computed,
  createEnvironmentInjector,
  effect,
  EnvironmentInjector,
  inject,
  InjectionToken,
  provideZonelessChangeDetection,
  signal,
  type Signal,
} from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { firstValueFrom, map, of, Subject, take, timer } from 'rxjs';
import { isTokenError, type AccessToken, type TokenResponse } from 'rx-fresh-token';
import { injectToken, provideTokenStream, TOKEN_STREAM, withoutToken, withTokenOf } from 'rx-fresh-token/angular';
import { clientCredentials } from 'rx-fresh-token/oauth';

initTestBed();
const http = () => TestBed.inject(HttpClient);
const authorization = ({ request }: TestRequest) => request.headers.get('authorization');
const refuse = (request: TestRequest, status = 401, headers = {}) => {
  request.flush('no', { status, statusText: 'Refused', headers });
};
const errors: unknown[] = [];
const values: unknown[] = [];
const keep = { next: (value: unknown) => values.push(value), error: (error: unknown) => errors.push(error) };
beforeEach(() => {
  errors.length = values.length = 0;
});

describe('a request', () => {
  it('should carry the latest token to an allowed origin', () => {
    const { controller, token$ } = setUp();
    for (const expected of ['Bearer T1', 'Bearer T1', 'Bearer T2']) {
      if (expected === 'Bearer T2') token$.refresh().subscribe();
      http().get(`${API}/a?b=c`).subscribe(keep);
      const request = controller.expectOne(`${API}/a?b=c`);
      expect(authorization(request)).toBe(expected);
      request.flush({ fine: true });
    }
    expect(values).toEqual(Array(3).fill({ fine: true }));
  });

  it.each([
    'https://api.example.evil.test/a',
    'https://other.example/a',
    'http://api.example/a',
    'https://api.example:444/a',
    '/a',
    'https://evil.test\\@api.example/',
    'https://',
  ])('to %s should pass untouched, and its refusal too', (url) => {
    const { controller, asked } = setUp();
    http().get(url).subscribe(keep);
    const request = controller.expectOne(url);
    expect(authorization(request)).toBeNull();
    refuse(request);
    expect(errors).toEqual([expect.any(HttpErrorResponse)]);
    expect(asked).toEqual([]);
  });

  it.each(['orders', '/orders'])(
    'should go to the page’s own origin where that is allowed, and be repeated there: %s',
    (url) => {
      const root = globalThis as { document?: unknown };
      root.document = { baseURI: `${API}/app/` };
      try {
        const { controller } = setUp();
        http().get(url).subscribe(keep);
        const request = controller.expectOne(url);
        expect(authorization(request)).toBe('Bearer T1');
        refuse(request);
        const repeat = controller.expectOne(url);
        expect(authorization(repeat)).toBe('Bearer T2');
        repeat.flush(1);
        expect(values).toEqual([1]);
      } finally {
        delete root.document;
      }
    },
  );

  it('should pass untouched with an Authorization of its own, with withoutToken(), and as JSONP', () => {
    const { controller, asked } = setUp();
    const mine = new HttpContextToken(() => 0);
    http()
      .get(`${API}/1`, { headers: { Authorization: 'Basic x' } })
      .subscribe(keep);
    http().get(`${API}/2`, { context: withoutToken() }).subscribe(keep);
    http()
      .get(`${API}/3`, { context: withoutToken(new HttpContext().set(mine, 7)) })
      .subscribe(keep);
    const [first, second, third] = ['1', '2', '3'].map((path) => controller.expectOne(`${API}/${path}`));
    expect([first, second, third].map((request) => authorization(request!))).toEqual(['Basic x', null, null]);
    expect(third!.request.context.get(mine)).toBe(7);
    for (const request of [first, second, third]) refuse(request!);
    expect(errors).toHaveLength(3);
    expect(asked).toEqual([]);
  });

  it('that goes untouched should not call the factory, so that it may load what the factory needs', () => {
    const { factory, controller } = setUp({ lazily: true });
    for (const [url, options] of [
      ['https://static.example/config.json', {}],
      [`${API}/config.json`, { context: withoutToken() }],
      [`${API}/mine`, { headers: { Authorization: 'x' } }],
    ] as const) {
      http().get(url, options).subscribe(keep);
      controller.expectOne(url).flush(1);
    }
    expect([values, factory.mock.calls]).toEqual([[1, 1, 1], []]);
    http().get(`${API}/a`).subscribe(keep);
    expect(authorization(controller.expectOne(`${API}/a`))).toBe('Bearer T1');
    expect(factory).toHaveBeenCalledTimes(1);
  });

  it.each([401, 403])('should be repeated once with a new token after %d', (status) => {
    const { controller, asked } = setUp();
    http().post(`${API}/orders`, { item: 'tea' }).subscribe(keep);
    refuse(controller.expectOne(`${API}/orders`), status);
    const repeat = controller.expectOne(`${API}/orders`);
    expect([authorization(repeat), repeat.request.body]).toEqual(['Bearer T2', { item: 'tea' }]);
    repeat.flush({ id: 7 });
    expect(values).toEqual([{ id: 7 }]);
    expect(asked.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
  });

  it('should hand the second refusal to the caller as Angular words it, and remember the resource', () => {
    const { controller, asked } = setUp();
    http().get(`${API}/forbidden`).subscribe(keep);
    for (const token of ['Bearer T1', 'Bearer T2']) {
      const request = controller.expectOne(`${API}/forbidden`);
      expect(authorization(request)).toBe(token);
      // As the browser does: the request is sent before it is answered.
      request.event({ type: HttpEventType.Sent });
      refuse(request, 403);
    }
    http().get(`${API}/forbidden`).subscribe(keep);
    refuse(controller.expectOne(`${API}/forbidden`), 403);
    expect(errors).toEqual([expect.any(HttpErrorResponse), expect.any(HttpErrorResponse)]);
    expect(errors[0]).toMatchObject({ name: 'HttpErrorResponse', status: 403, error: 'no' });
    expect(asked).toHaveLength(2);
  });

  it('should share one refresh with all who were refused', () => {
    const answers = new Subject<TokenResponse>();
    const { controller, asked } = setUp({
      source: (_request, n) => (n === 1 ? of({ access_token: 'T1' }) : answers.pipe(take(1))),
    });
    const paths = Array.from({ length: 20 }, (_, n) => `${API}/${String(n)}`);
    for (const path of paths) http().get(path).subscribe(keep);
    for (const path of paths) refuse(controller.expectOne(path));
    answers.next({ access_token: 'T2' });
    for (const path of paths) controller.expectOne(path).flush('fine');
    expect(values).toHaveLength(20);
    expect(asked).toHaveLength(2);
  });

  it('should not blame the token where it does not matter', () => {
    const { controller, asked } = setUp();
    http().get(`${API}/1`).subscribe(keep);
    refuse(controller.expectOne(`${API}/1`), 403, { 'www-authenticate': 'Bearer error="insufficient_scope"' });
    http().get(`${API}/2`).subscribe(keep);
    refuse(controller.expectOne(`${API}/2`), 500);
    http().get(`${API}/3`).subscribe(keep);
    controller.expectOne(`${API}/3`).error({ type: 'error' } as ProgressEvent);
    expect(errors.map((error) => (error as HttpErrorResponse).status)).toEqual([403, 500, 0]);
    expect(asked).toHaveLength(1);
  });

  it.each(['https://elsewhere.example/login', 'https://'])(
    'should not blame the token for what %s said after a redirect',
    (where) => {
      const { controller, asked } = setUp();
      http().get(`${API}/1`).subscribe(keep);
      const request = controller.expectOne(`${API}/1`);
      // The test bed cannot redirect; an error of Angular's tells where it came from.
      (request as unknown as { observer: { error(error: unknown): void } }).observer.error(
        new HttpErrorResponse({ status: 401, url: where }),
      );
      expect(errors).toHaveLength(1);
      expect(asked).toHaveLength(1);
    },
  );

  it.each([
    ['POST', true],
    ['PUT', true],
    ['DELETE', true],
    ['GET', true],
    // XMLHttpRequest reports only where the answer came from.
    ['POST', undefined],
    ['GET', undefined],
  ])(
    'should not be sent again once a redirect may have made a GET of it, and refresh all the same: %s, redirected %p',
    (method, redirected) => {
      const { controller, asked } = setUp();
      http().request(method, `${API}/orders`).subscribe(keep);
      const request = controller.expectOne(`${API}/orders`);
      (request as unknown as { observer: { error(error: unknown): void } }).observer.error(
        new HttpErrorResponse({ status: 401, url: `${API}/orders/7`, ...(redirected && { redirected }) }),
      );
      if (method === 'GET') controller.expectOne(`${API}/orders`).flush('fine');
      controller.verify();
      expect([errors.length, values]).toEqual(method === 'GET' ? [0, ['fine']] : [1, []]);
      http().get(`${API}/2`).subscribe(keep);
      expect(authorization(controller.expectOne(`${API}/2`))).toBe('Bearer T2');
      expect(asked).toHaveLength(2);
    },
  );

  it.each<[string, boolean | undefined, RequestCache | undefined, (RequestCache | undefined)[]]>([
    // `withFetch()`: only its answers say so.
    ['by fetch', false, undefined, [undefined, 'reload']],
    ["by fetch, with the caller's own `cache`", false, 'no-store', ['no-store', 'no-store']],
    // Which warns of the field.
    ['by XMLHttpRequest', undefined, undefined, [undefined, undefined]],
  ])('should be repeated past the HTTP cache: %s', (_name, redirected, cache, expected) => {
    const { controller } = setUp();
    http()
      .get(`${API}/a`, cache && { cache })
      .subscribe(keep);
    const first = controller.expectOne(`${API}/a`);
    (first as unknown as { observer: { error(error: unknown): void } }).observer.error(
      new HttpErrorResponse({ status: 403, url: `${API}/a`, ...(redirected !== undefined && { redirected }) }),
    );
    const second = controller.expectOne(`${API}/a`);
    expect([first.request.cache, second.request.cache]).toEqual(expected);
  });

  it('should keep its progress events in their order, through a repeat too', () => {
    const { controller } = setUp();
    const seen: number[] = [];
    http()
      .post(`${API}/file`, 'data', { reportProgress: true, observe: 'events' })
      .subscribe((event: HttpEvent<unknown>) => seen.push(event.type));
    const first = controller.expectOne(`${API}/file`);
    first.event({ type: HttpEventType.UploadProgress, loaded: 1, total: 2 });
    refuse(first);
    const second = controller.expectOne(`${API}/file`);
    second.event({ type: HttpEventType.UploadProgress, loaded: 2, total: 2 });
    second.event({ type: HttpEventType.DownloadProgress, loaded: 1 });
    second.flush('fine');
    const { Sent, UploadProgress, DownloadProgress, Response } = HttpEventType;
    expect(seen).toEqual([Sent, UploadProgress, Sent, UploadProgress, DownloadProgress, Response]);
  });

  it('should be cancelled by unsubscribing, while the refresh goes on', () => {
    const answers = new Subject<TokenResponse>();
    const { controller, token$ } = setUp({ source: () => answers.pipe(take(1)) });
    const waiting = http().get(`${API}/1`).subscribe(keep);
    const staying = http().get(`${API}/2`).subscribe(keep);
    waiting.unsubscribe();
    answers.next({ access_token: 'T1' });
    controller.expectNone(`${API}/1`);
    const request = controller.expectOne(`${API}/2`);
    staying.unsubscribe();
    expect(request.cancelled).toBe(true);
    expect(token$.current?.value).toBe('T1');
  });

  it('should send anew at each subscription', () => {
    const { controller } = setUp();
    const request$ = http().get(`${API}/a`);
    for (const round of [1, 2]) {
      request$.subscribe(keep);
      controller.expectOne(`${API}/a`).flush(round);
    }
    expect(values).toEqual([1, 2]);
  });

  it('of the token source should carry no token, even through the same HttpClient', () => {
    const { controller } = setUp({
      make: () => {
        const client = inject(HttpClient);
        return () => client.post<TokenResponse>(`${API}/token`, null);
      },
    });
    http().get(`${API}/a`).subscribe(keep);
    const token = controller.expectOne(`${API}/token`);
    expect(authorization(token)).toBeNull();
    token.flush({ access_token: 'T1', expires_in: 60 });
    const request = controller.expectOne(`${API}/a`);
    expect(authorization(request)).toBe('Bearer T1');
    request.flush('fine');
    expect(values).toEqual(['fine']);
  });

  it('should fail with TokenUnavailableError when the source failed permanently', () => {
    setUp({
      source: () => {
        throw Object.assign(new Error('no'), { status: 400 });
      },
    });
    http().get(`${API}/a`).subscribe(keep);
    expect(isTokenError(errors[0], 'ERR_TOKEN_UNAVAILABLE')).toBe(true);
  });
});

describe('the stream', () => {
  it('should fetch nothing before it is needed', () => {
    const { asked, factory } = setUp();
    expect(factory).toHaveBeenCalledTimes(1);
    expect(asked).toEqual([]);
  });

  it('should close with its injector', async () => {
    const { factory } = setUp();
    const child = createEnvironmentInjector(
      [provideTokenStream(factory, { allowedOrigins: [API] })],
      TestBed.inject(EnvironmentInjector),
    );
    const token$ = child.get(TOKEN_STREAM);
    await firstValueFrom(token$);
    let completed = false;
    token$.subscribe({ complete: () => (completed = true) });
    child.destroy();
    expect(completed).toBe(true);
    expect(token$.current).toBeNull();
    http().get(`${API}/a`).subscribe(keep);
    TestBed.inject(HttpTestingController).expectOne(`${API}/a`).flush(1);
  });

  it('should do nothing during server rendering', () => {
    jest.useFakeTimers();
    try {
      const { controller, token$, factory, asked } = setUp({
        platform: 'server',
        initial: { access_token: 'T0', expires_in: 60 },
      });
      const token = TestBed.runInInjectionContext(injectToken);
      http().get(`${API}/a`).subscribe(keep);
      const request = controller.expectOne(`${API}/a`);
      expect(authorization(request)).toBeNull();
      refuse(request);
      token$.subscribe(keep);
      expect(jest.getTimerCount()).toBe(0);
      expect([factory.mock.calls, asked, values, token()]).toEqual([[], [], [], null]);
      expect(errors).toHaveLength(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it.each([
    ['an allowed origin', `${API}/a`, {}, false],
    ['a relative URL, whose origin a server does not know', '/a', {}, false],
    ['a stream chosen by name', 'https://other.example/a', { context: withTokenOf('named') }, false],
    ['an allowed origin, without the scheme', `//${API.slice('https://'.length)}/a`, {}, false],
    ['another origin', 'https://other.example/a', {}, undefined],
    ['another origin, without the scheme', '//other.example/a', {}, undefined],
    ['an excepted path', `${API}/public/a`, {}, undefined],
    ['a relative URL of an excepted path', '/public/a', {}, undefined],
    ['withoutToken', `${API}/a`, { context: withoutToken() }, undefined],
    ['no URL at all', 'http://', {}, undefined],
  ])(
    'should keep what a server is answered from the browser only where it needs a token: %s',
    (_, url, how, cached) => {
      const { controller } = setUp({ platform: 'server', exceptPaths: ['/public'] });
      http().get(url, how).subscribe(keep);
      expect(controller.expectOne(url).request.transferCache).toBe(cached);
    },
  );

  it('should not make the effect that sends it depend on signals of the token source', () => {
    const other = signal(0);
    const { controller } = setUp({
      make: () => () => {
        other();
        return of({ access_token: 'T1', expires_in: 3600 });
      },
      lazily: true,
    });
    let runs = 0;
    TestBed.runInInjectionContext(() =>
      effect(() => {
        runs++;
        http().get(`${API}/a`).subscribe();
      }),
    );
    TestBed.tick();
    controller.expectOne(`${API}/a`).flush(1);
    other.set(1);
    TestBed.tick();
    controller.verify();
    expect(runs).toBe(1);
  });

  it('should let a zoneless application become stable while renewals are pending', async () => {
    const { asked } = setUp({
      providers: [provideZonelessChangeDetection()],
      source: (_request, n) => timer(5).pipe(map(() => ({ access_token: `T${String(n)}`, expires_in: 0.3 }))),
    });
    const token = TestBed.runInInjectionContext(injectToken);
    await firstValueFrom(TestBed.inject(TOKEN_STREAM));
    await TestBed.inject(ApplicationRef).whenStable();
    const before = asked.length;
    while (asked.length === before || !token()) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(token()?.value).toMatch(/^T\d+$/);
  });

  it('should refuse what it cannot work with, by name', () => {
    for (const factory of [5, undefined])
      expect(() => provideTokenStream(factory as never, { allowedOrigins: [API] })).toThrow(
        'provideTokenStream takes a factory: a function that returns a token source',
      );
    expect(() => provideTokenStream(() => () => [], {} as never)).toThrow(
      'option "allowedOrigins" must be an array of origins, got undefined',
    );
    expect(() => provideTokenStream(() => () => [], { allowedOrigins: ['http://api.example'] })).toThrow(
      /https, or http on loopback/,
    );
    expect(() => setUp({ jitter: 2 })).toThrow('option "jitter"');
  });

  it('should fail requests with tokens that are bound to a key, which they could not prove', () => {
    const source = clientCredentials({ tokenEndpoint: API, clientId: 'c', clientAuth: 'none', dpop: true });
    setUp({ make: () => source });
    const error = jest.fn();
    TestBed.inject(HttpClient).get(`${API}/a`).subscribe({ error });
    expect(error).toHaveBeenCalledWith(new TypeError('HttpClient cannot sign requests: use createFetch for DPoP'));
  });

  it.each([undefined, {}, Promise.resolve({ access_token: 'T1' })])(
    'should say what its factory must return, and that it is not %p',
    (made) => {
      expect(() => setUp({ make: () => made as never, maxWait: 5 })).toThrow(
        'the factory of provideTokenStream must return a token source (a function) or a stream: token$ must be a stream made by createTokenStream',
      );
    },
  );
});

describe('injectToken', () => {
  it('should be the usable token, through renewal, a refresh that fails, and closing', () => {
    let failing = false;
    const { token$ } = setUp({
      source: (_request, n) => {
        if (failing) throw Object.assign(new Error('no'), { status: 400 });
        return of({ access_token: `T${String(n)}`, expires_in: 3600 });
      },
    });
    const token = TestBed.runInInjectionContext(injectToken);
    expect(token()?.value).toBe('T1');
    token$.refresh().subscribe();
    expect(token()?.value).toBe('T2');
    failing = true;
    token$.reject(token$.current!);
    // The refresh fails, and the token serves on.
    expect([token()?.value, token$.current?.value]).toEqual(['T2', 'T2']);
    token$.close();
    expect(token()).toBeNull();
  });

  it('should stop keeping the token fresh when its injector is gone', () => {
    const { token$ } = setUp();
    const TOKEN = new InjectionToken<Signal<AccessToken | null>>('');
    const child = createEnvironmentInjector(
      [{ provide: TOKEN, useFactory: injectToken }],
      TestBed.inject(EnvironmentInjector),
    );
    const token = child.get(TOKEN);
    child.destroy();
    token$.refresh().subscribe();
    expect([token()?.value, token$.current?.value]).toEqual(['T1', 'T2']);
  });

  it('should change even where Angular lets no signal be written', () => {
    const { token$ } = setUp();
    const token = TestBed.runInInjectionContext(injectToken);
    const refreshed = computed(() => {
      token$.refresh().subscribe();
      return token$.current?.value;
    });
    expect([refreshed(), token()?.value]).toEqual(['T2', 'T2']);
  });
});
