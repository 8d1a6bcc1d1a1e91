import { API, initTestBed, setUp } from './support.js';
import { HttpClient } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { of, Subject, take, throwError, VirtualTimeScheduler, type Observable } from 'rxjs';
import type { AccessToken, TokenEvent, TokenResponse } from 'rx-fresh-token';
import { injectToken, injectTokenState } from 'rx-fresh-token/angular';
import { viewAfter, type TokenView } from '../../src/angular/tokenWatch.js';

initTestBed();

const inject = () => TestBed.runInInjectionContext(() => ({ token: injectToken(), state: injectTokenState() }));
const shown = ({ token, state }: ReturnType<typeof inject>) => [token()?.value ?? null, state()];

describe('what is shown of the token', () => {
  const T1 = { id: 'T1' } as AccessToken;
  const T2 = { id: 'T2' } as AccessToken;
  const view = (state: TokenView['state'], token: AccessToken | null = null, hasFailed = false): TokenView => ({
    state,
    token,
    hasFailed,
  });
  const failure = (permanent: boolean) => ({ type: 'refreshFailed', permanent }) as TokenEvent;
  const of = (type: TokenEvent['type']) => ({ type }) as TokenEvent;
  it.each<[TokenView, TokenEvent, AccessToken | null, TokenView]>([
    [view('absent'), of('refreshStarted'), null, view('absent')],
    [view('absent'), of('tokenChanged'), T1, view('fresh', T1)],
    [view('absent'), failure(false), null, view('absent')],
    [view('absent'), failure(true), null, view('failed', null, true)],
    [view('fresh', T1), of('tokenRejected'), null, view('renewing', T1)],
    [view('fresh', T1), of('tokenExpired'), null, view('renewing', T1)],
    [view('fresh', T1), failure(true), T1, view('fresh', T1, true)],
    [view('fresh', T1, true), of('tokenExpired'), null, view('failed', null, true)],
    [view('renewing', T1), failure(false), null, view('renewing', T1)],
    [view('renewing', T1), failure(false), T1, view('fresh', T1)],
    [view('renewing', T1), of('tokenChanged'), T2, view('fresh', T2)],
    [view('failed', null, true), of('refreshStarted'), null, view('failed', null, true)],
    [view('failed', null, true), of('tokenChanged'), T2, view('fresh', T2)],
    [view('fresh', T1), of('signedOut'), null, view('signedOut')],
    [view('signedOut'), of('refreshStarted'), null, view('signedOut')],
    [view('signedOut'), of('tokenChanged'), T2, view('fresh', T2)],
    [view('renewing', T1), of('closed'), null, view('signedOut')],
  ])('%j after %j, usable: %j', (last, event, current, expected) => {
    expect(viewAfter(last, event, current)).toEqual(expected);
  });
});

it('should keep the last token while a refused one is replaced', () => {
  const answers = new Subject<TokenResponse>();
  const { token$ } = setUp({
    source: (_request, n): Observable<TokenResponse> =>
      n === 1 ? of({ access_token: 'T1', expires_in: 60 }) : answers.pipe(take(1)),
  });
  const view = inject();
  expect(shown(view)).toEqual(['T1', 'fresh']);
  token$.reject(token$.current!);
  expect([token$.current, ...shown(view)]).toEqual([null, 'T1', 'renewing']);
  answers.next({ access_token: 'T2', expires_in: 60 });
  expect(shown(view)).toEqual(['T2', 'fresh']);
});

it('should say that the source failed permanently, once the token is over, until there is another', () => {
  const scheduler = new VirtualTimeScheduler(undefined, 20_000);
  let failing = false;
  const { token$ } = setUp({
    scheduler,
    source: (_request, n) => {
      if (failing) throw Object.assign(new Error('no'), { status: 400 });
      return of({ access_token: `T${String(n)}`, expires_in: 30 });
    },
  });
  const view = inject();
  failing = true;
  scheduler.flush();
  expect(shown(view)).toEqual(['T1', 'fresh']);
  scheduler.maxFrames = 40_000;
  scheduler.flush();
  expect([token$.current, ...shown(view)]).toEqual([null, null, 'failed']);
  failing = false;
  scheduler.maxFrames = 200_000;
  scheduler.schedule(() => token$.refresh().subscribe(), 60_000);
  scheduler.flush();
  expect(view.state()).toBe('fresh');
  // Whoever injected the token keeps the new one fresh too.
  expect(Number(view.token()?.value.slice(1))).toBeGreaterThan(4);
});

it('should be signed out by signOut(), and ask for no token by itself until somebody else does', () => {
  const { token$, asked, controller } = setUp();
  const early = inject();
  token$.signOut();
  const late = inject();
  expect([shown(early), shown(late), asked.length]).toEqual([[null, 'signedOut'], [null, 'signedOut'], 1]);
  TestBed.inject(HttpClient).get(`${API}/a`).subscribe();
  expect([shown(early), shown(late), asked.length]).toEqual([['T2', 'fresh'], ['T2', 'fresh'], 2]);
  controller.expectOne(`${API}/a`).flush(1);
  token$.close();
  expect([shown(early), shown(late)]).toEqual([
    [null, 'signedOut'],
    [null, 'signedOut'],
  ]);
});

it('should know what became of the token before anybody asked', () => {
  const { token$ } = setUp({ source: () => throwError(() => Object.assign(new Error('no'), { status: 400 })) });
  token$.subscribe({ error: () => undefined });
  expect(shown(inject())).toEqual([null, 'failed']);
});

it('should fetch nothing by watching the state', () => {
  const { asked } = setUp();
  expect(TestBed.runInInjectionContext(() => injectTokenState())()).toBe('absent');
  expect(asked).toEqual([]);
});

it('should ask for no token by itself after the source failed permanently, until somebody else does', () => {
  const scheduler = new VirtualTimeScheduler(undefined, 60_000);
  const { asked, token$ } = setUp({
    source: (_request, n) =>
      n === 1 ? throwError(() => Object.assign(new Error('no'), { status: 401 })) : of({ access_token: 'T2' }),
    scheduler,
  });
  const first = inject();
  expect([shown(first), asked.length]).toEqual([[null, 'failed'], 1]);
  // The pause after the failure is over.
  scheduler.schedule(() => undefined, 60_000);
  scheduler.flush();
  const second = inject();
  expect([shown(second), asked.length]).toEqual([[null, 'failed'], 1]);
  token$.refresh().subscribe();
  expect([shown(first), shown(second), asked.length]).toEqual([['T2', 'fresh'], ['T2', 'fresh'], 2]);
});
