import { API, initTestBed, setUp } from './support.js';
import {
  HttpClient,
  HttpErrorResponse,
  HttpResponse,
  provideHttpClient,
  withInterceptors,
  type HttpRequest,
} from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { NEVER, VirtualTimeScheduler } from 'rxjs';
import { injectToken, provideFakeToken, provideTokenStream, tokenInterceptor } from 'rx-fresh-token/angular';

initTestBed();
const http = () => TestBed.inject(HttpClient);
const errors: unknown[] = [];
const values: unknown[] = [];
const keep = { next: (value: unknown) => values.push(value), error: (error: unknown) => errors.push(error) };
beforeEach(() => {
  errors.length = values.length = 0;
});

describe('options of the stream', () => {
  it('should be checked at the call without calling a clock of the application', () => {
    const now = jest.fn(() => Date.now());
    provideTokenStream(() => () => [], { allowedOrigins: [API], now });
    expect(now).not.toHaveBeenCalled();
    expect(() => provideTokenStream(() => () => [], { allowedOrigins: [API], now: 1 as never })).toThrow(/"now"/);
  });
});

describe('the option isRejection', () => {
  it('should say what a refusal is, by status: 419 is one, and 403 is none', () => {
    const { controller, asked } = setUp({ isRejection: ({ status }) => status === 419 });
    for (let n = 0; n < 20; n++) {
      http().delete(`${API}/forbidden`).subscribe(keep);
      controller.expectOne(`${API}/forbidden`).flush(null, { status: 403, statusText: 'Forbidden' });
    }
    expect([errors.length, asked.length]).toEqual([20, 1]);
    http().get(`${API}/a`).subscribe(keep);
    controller.expectOne(`${API}/a`).flush(null, { status: 419, statusText: 'Expired' });
    const repeat = controller.expectOne(`${API}/a`);
    expect(repeat.request.headers.get('authorization')).toBe('Bearer T2');
    repeat.flush('fine');
    expect(values).toEqual(['fine']);
  });

  it('should see an answer with status 200 too, whatever members its body has', () => {
    const { controller } = setUp({
      isRejection: (outcome) => outcome instanceof HttpResponse && !(outcome.body as { ok: boolean }).ok,
    });
    http().get(`${API}/a`).subscribe(keep);
    controller.expectOne(`${API}/a`).flush({ ok: false, cancel: true, resume: 'no' });
    controller.expectOne(`${API}/a`).flush({ ok: true });
    expect([values, errors]).toEqual([[{ ok: true }], []]);
  });

  it.each([401, 200])('should be a TypeError when it returns a promise, after %d', (status) => {
    const { controller, asked } = setUp({ isRejection: (() => Promise.resolve(false)) as never });
    http().get(`${API}/a`).subscribe(keep);
    controller.expectOne(`${API}/a`).flush({}, { status, statusText: 'Said' });
    expect(errors).toEqual([new TypeError('option "isRejection" returned a promise: it must return a boolean')]);
    expect([values, asked.length]).toEqual([[], 1]);
  });
});

it.each([provideTokenStream.bind(null, () => () => [{ access_token: 'fake-token' }]), provideFakeToken])(
  'the option allowInsecureRequests should let the token go to a named host by plain http: %p',
  (provide) => {
    const options = { allowedOrigins: ['http://192.168.1.20:3000'] };
    expect(() => provide(options)).toThrow('allowInsecureRequests');
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(withInterceptors([tokenInterceptor])),
        provideHttpClientTesting(),
        provide({ ...options, allowInsecureRequests: true }),
      ],
    });
    http().get('http://192.168.1.20:3000/a').subscribe();
    const { request } = TestBed.inject(HttpTestingController).expectOne('http://192.168.1.20:3000/a');
    expect(request.headers.get('authorization')).toBe('Bearer fake-token');
  },
);

describe('the option authorize', () => {
  const authorize = (request: HttpRequest<unknown>, token: { value: string }) =>
    request.clone({ setHeaders: { 'x-session': token.value } });

  it('should put the token where the server wants it, and let no redirect take it along', () => {
    const { controller } = setUp({ authorize });
    http().get(`${API}/a`).subscribe(keep);
    for (const token of ['T1', 'T2']) {
      const sent = controller.expectOne(`${API}/a`);
      expect([sent.request.headers.get('x-session'), sent.request.headers.has('authorization')]).toEqual([
        token,
        false,
      ]);
      expect(sent.request.redirect).toBe('error');
      // What a server rendered without the token is not the answer to it.
      expect(sent.request.transferCache).toBe(false);
      sent.flush(1, token === 'T1' ? { status: 401, statusText: 'Refused' } : {});
    }
    http().get(`${API}/b`, { redirect: 'manual' }).subscribe(keep);
    const manual = controller.expectOne(`${API}/b`);
    expect([manual.request.redirect, manual.request.transferCache]).toEqual(['manual', false]);
    manual.flush(1);
  });

  it.each([
    ['nothing', () => undefined],
    ['a promise, whose rejection is handled', () => Promise.reject(new Error('too late'))],
  ])('should be a TypeError when it returns %s', (_what, authorize) => {
    setUp({ authorize: authorize as never });
    http().get(`${API}/a`).subscribe(keep);
    expect(errors).toEqual([new TypeError('option "authorize" must return an HttpRequest')]);
  });
});

describe('the timeout of HttpClient', () => {
  const timedOut = expect.objectContaining({
    name: 'HttpErrorResponse',
    status: 0,
    statusText: 'Request timeout',
    error: expect.objectContaining({ name: 'TimeoutError' }) as unknown,
  }) as unknown;

  it('should cover the wait for the token', () => {
    const scheduler = new VirtualTimeScheduler(undefined, 501);
    const { controller } = setUp({ source: () => NEVER, scheduler });
    http().get(`${API}/a`, { timeout: 500 }).subscribe(keep);
    http().get(`${API}/b`, { timeout: 502 }).subscribe(keep);
    scheduler.flush();
    expect(errors).toEqual([timedOut]);
    expect(errors[0]).toBeInstanceOf(HttpErrorResponse);
    controller.expectNone(`${API}/a`);
  });

  it('should cover the repeat, which is cancelled', () => {
    const scheduler = new VirtualTimeScheduler(undefined, 501);
    const { controller } = setUp({ scheduler });
    http().get(`${API}/a`, { timeout: 500 }).subscribe(keep);
    controller.expectOne(`${API}/a`).flush(null, { status: 401, statusText: 'Refused' });
    const repeat = controller.expectOne(`${API}/a`);
    scheduler.flush();
    expect([errors, repeat.cancelled]).toEqual([[timedOut], true]);
  });

  it('should leave no timer behind a request that was answered', () => {
    jest.useFakeTimers();
    try {
      const { controller } = setUp({ source: () => [{ access_token: 'T' }] });
      http().get(`${API}/a`, { timeout: 500 }).subscribe(keep);
      controller.expectOne(`${API}/a`).flush(1);
      expect([values, jest.getTimerCount()]).toEqual([[1], 0]);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('options that cannot be', () => {
  it.each<[object, string]>([
    [{ isrejection: () => true }, 'unknown option "isrejection"'],
    [{ toString: 1 }, 'unknown option "toString"'],
    [{ isRejection: 419 }, 'option "isRejection" must be a function, got 419'],
    [{ authorize: 'x' }, 'option "authorize" must be a function, got string'],
    [{ name: '' }, 'option "name" must be a string that is not empty, got ""'],
    [{ paths: '/api' }, 'option "paths" must be an array of paths, got "/api"'],
    [{ paths: ['api'] }, 'option "paths[0]" must be a path that begins with "/", without "*" and query, got "api"'],
    [{ exceptPaths: ['/a', '/b/*'] }, 'option "exceptPaths[1]" must be a path'],
    [{ exceptPaths: ['/a?b'] }, 'option "exceptPaths[0]" must be a path'],
    [{ maxWait: -1 }, 'option "maxWait" must be a number, at least 0, or Infinity, got -1'],
  ])('should be named: %j', (options, message) => {
    expect(() => provideTokenStream(() => () => [], { allowedOrigins: [API], ...options })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(message) as string }) as Error,
    );
  });
});

it.each([null, 'https://api.example', 5])('options as a whole that cannot be should be named: %j', (options) => {
  for (const provide of [
    () => provideTokenStream(() => () => [], options as never),
    () => provideFakeToken(options as never),
  ])
    expect(provide).toThrow(new TypeError('options must be an object'));
});

describe('a provideTokenStream that was forgotten', () => {
  it('should be named by a request, and by injectToken', () => {
    TestBed.configureTestingModule({
      providers: [provideHttpClient(withInterceptors([tokenInterceptor])), provideHttpClientTesting()],
    });
    http().get(`${API}/a`).subscribe(keep);
    expect(errors).toEqual([
      new Error('tokenInterceptor needs a token stream: call provideTokenStream() among the providers'),
    ]);
    expect(() => TestBed.runInInjectionContext(() => injectToken())).toThrow(/provideTokenStream\(\)/);
    expect(() => TestBed.runInInjectionContext(() => injectToken('admin'))).toThrow(/provideTokenStream\(\)/);
  });
});
