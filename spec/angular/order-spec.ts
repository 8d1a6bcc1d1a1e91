import { API, initTestBed, setUp } from './support.js';
import { HttpClient, HttpResponse, type HttpErrorResponse, type HttpInterceptorFn } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { catchError, finalize, map, NEVER, of, retry, tap, throwError } from 'rxjs';

initTestBed();

const URL = `${API}/orders`;
const refusal = { status: 401, statusText: 'Refused' };

/** Asks for the orders with another interceptor before the token's, or behind it; keeps what the caller gets. */
function ask(place: 'before' | 'behind', other: HttpInterceptorFn, source?: () => typeof NEVER) {
  const { controller } = setUp({ [place === 'before' ? 'outer' : 'inner']: [other], ...(source && { source }) });
  const got: unknown[] = [];
  TestBed.inject(HttpClient)
    .get(URL)
    .subscribe({ next: (value) => got.push(value), error: (error: unknown) => got.push(error) });
  /** The token of the request that is under way, which is answered. */
  const answer = (options?: typeof refusal): string | null => {
    const call = controller.expectOne(URL);
    call.flush(options ? null : 'fine', options);
    return call.request.headers.get('Authorization');
  };
  return { got, answer, controller };
}

describe('retry', () => {
  const repeating: HttpInterceptorFn = (request, next) => next(request).pipe(retry(1));

  it('should repeat what failed after the refresh and the repeat, when it stands before', () => {
    const { got, answer } = ask('before', repeating);
    expect([answer(refusal), answer(refusal), answer()]).toEqual(['Bearer T1', 'Bearer T2', 'Bearer T2']);
    expect(got).toEqual(['fine']);
  });

  it('should repeat a refused request with the same token, when it stands behind', () => {
    const { got, answer } = ask('behind', repeating);
    expect([answer(refusal), answer(refusal), answer()]).toEqual(['Bearer T1', 'Bearer T1', 'Bearer T2']);
    expect(got).toEqual(['fine']);
  });
});

describe('a cache', () => {
  const cached: HttpInterceptorFn = () => of(new HttpResponse({ body: 'cached' }));

  it.each([
    ['before', ['cached']],
    ['behind', []],
  ] as const)('should answer without a token only when it stands before: %s', (place, expected) => {
    expect(ask(place, cached, () => NEVER).got).toEqual(expected);
  });
});

describe('a loader', () => {
  it.each([
    // The wait for the token and the repeat are one request.
    ['before', ['start', 'end']],
    ['behind', ['start', 'end', 'start', 'end']],
  ] as const)('should count, when it stands %s: %j', (place, expected) => {
    const log: string[] = [];
    const { answer } = ask(place, (request, next) => {
      log.push('start');
      return next(request).pipe(finalize(() => log.push('end')));
    });
    answer(refusal);
    answer();
    expect(log).toEqual(expected);
  });

  it('should be running while the token is awaited, when it stands before', () => {
    const log: string[] = [];
    ask(
      'before',
      (request, next) => next(request).pipe(tap({ subscribe: () => log.push('start') })),
      () => NEVER,
    );
    expect(log).toEqual(['start']);
  });
});

describe('an error toast', () => {
  it.each([
    ['before', []],
    ['behind', [401]],
  ] as const)('should show no refusal that a repeat has healed, when it stands before: %s', (place, expected) => {
    const shown: number[] = [];
    const { got, answer } = ask(place, (request, next) =>
      next(request).pipe(tap({ error: (error: unknown) => shown.push((error as HttpErrorResponse).status) })),
    );
    answer(refusal);
    answer();
    expect([got, shown]).toEqual([['fine'], expected]);
  });
});

describe('an interceptor that words errors anew', () => {
  it.each([
    ['before', ['fine']],
    ['behind', [new Error('it did not work')]],
  ] as const)('should hide the refusal from the token’s when it stands behind: %s', (place, expected) => {
    const { got, answer } = ask(place, (request, next) =>
      next(request).pipe(catchError(() => throwError(() => new Error('it did not work')))),
    );
    answer(refusal);
    if (place === 'before') answer();
    expect(got).toEqual(expected);
  });
});

describe('an interceptor that changes the URL', () => {
  it('should take the token along to where it says, when it stands behind', () => {
    const { controller } = ask('behind', (request, next) => next(request.clone({ url: 'https://else.example/a' })));
    expect(controller.expectOne('https://else.example/a').request.headers.has('Authorization')).toBe(true);
  });

  it('should keep the token from an origin that is not allowed, when it stands before', () => {
    const { controller } = ask('before', (request, next) => next(request.clone({ url: 'https://else.example/a' })));
    expect(controller.expectOne('https://else.example/a').request.headers.has('Authorization')).toBe(false);
  });
});

it('should see each event of the answer once, when it stands before', () => {
  const events: number[] = [];
  const { answer } = ask('before', (request, next) =>
    next(request).pipe(
      map((event) => {
        events.push(event.type);
        return event;
      }),
    ),
  );
  answer(refusal);
  answer();
  expect(events.filter((type) => type === 4)).toHaveLength(1);
});
