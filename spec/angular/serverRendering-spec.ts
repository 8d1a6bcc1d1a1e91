import { initTestBed } from './support.js';
import { PlatformLocation } from '@angular/common';
import {
  HttpClient,
  httpResource,
  provideHttpClient,
  withInterceptors,
  ɵwithHttpTransferCache as withHttpTransferCache,
} from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { ApplicationRef, PLATFORM_ID, TransferState } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { firstValueFrom, of, type Observable } from 'rxjs';
import { createFetch, takeToken, withToken, type TokenStream } from 'rx-fresh-token';
import { connectWithToken, eventStream } from 'rx-fresh-token/connect';
import {
  injectToken,
  injectTokenState,
  provideFakeToken,
  provideTokenStream,
  TOKEN_STREAM,
  tokenInterceptor,
  type ProvideTokenStreamOptions,
} from 'rx-fresh-token/angular';

initTestBed();

const whole = globalThis as { ngServerMode?: boolean; document?: { baseURI: string } };

/** Where the page is, and what it and its server give to `provideTokenStream`. */
interface Page {
  readonly href: string;
  readonly base: string;
  readonly options: Partial<Record<'server' | 'browser', ProvideTokenStreamOptions>>;
}

const PLAIN: Page = { href: 'https://shop.example/', base: '', options: {} };

/** One application, rendered by a server and taken over by a browser: both have the same transfer state. */
function start(platform: 'server' | 'browser', transferState: TransferState, { href, base, options }: Page) {
  whole.ngServerMode = platform === 'server';
  if (platform === 'browser') whole.document = { baseURI: new URL(base, href).href };
  TestBed.resetTestingModule();
  TestBed.configureTestingModule({
    providers: [
      { provide: PLATFORM_ID, useValue: platform },
      { provide: TransferState, useValue: transferState },
      { provide: PlatformLocation, useValue: { href, getBaseHrefFromDOM: () => base } },
      provideHttpClient(withInterceptors([tokenInterceptor])),
      provideHttpClientTesting(),
      withHttpTransferCache({}),
      provideTokenStream(
        () => () => of({ access_token: 'T1', expires_in: 3600 }),
        options[platform] ?? { allowedOrigins: ['https://api.example'] },
      ),
    ],
  });
  return TestBed.inject(HttpTestingController);
}

afterEach(() => {
  delete whole.ngServerMode;
  delete whole.document;
});

/** What `httpResource` and `HttpClient` say in one application, and the Authorization that was sent for each. */
function load(platform: 'server' | 'browser', transferState: TransferState, url: string, page = PLAIN) {
  const controller = start(platform, transferState, page);
  const sent: (string | null)[] = [];
  const answer = () => {
    for (const request of controller.match(url)) {
      const header = request.request.headers.get('authorization');
      sent.push(header);
      request.flush({ user: header ? 'alice' : 'nobody' });
    }
  };
  const resource = TestBed.runInInjectionContext(() => httpResource<{ user: string }>(() => url));
  TestBed.tick();
  answer();
  const values: unknown[] = [];
  TestBed.inject(HttpClient)
    .get(url)
    .subscribe((value) => values.push(value));
  answer();
  return { resource, values, sent };
}

it('should not show to a signed-in user what the server was answered without a token', async () => {
  const transferState = new TransferState();
  const url = 'https://api.example/me';
  const server = load('server', transferState, url);
  await TestBed.inject(ApplicationRef).whenStable();
  expect(server.resource.value()).toEqual({ user: 'nobody' });
  const browser = load('browser', transferState, url);
  await TestBed.inject(ApplicationRef).whenStable();
  expect([browser.resource.value(), browser.values, browser.sent]).toEqual([
    { user: 'alice' },
    [{ user: 'alice' }],
    ['Bearer T1', 'Bearer T1'],
  ]);
});

it('should leave what needs no token to the transfer cache', async () => {
  const transferState = new TransferState();
  const url = 'https://cdn.example/words.json';
  load('server', transferState, url);
  await TestBed.inject(ApplicationRef).whenStable();
  const browser = load('browser', transferState, url);
  await TestBed.inject(ApplicationRef).whenStable();
  expect([browser.resource.value(), browser.values, browser.sent]).toEqual([
    { user: 'nobody' },
    [{ user: 'nobody' }],
    [],
  ]);
});

/** The token goes to the page's own origin, which the server does not know; `paths` says what the API is. */
const ofPage = (options: Pick<ProvideTokenStreamOptions, 'paths' | 'exceptPaths'>, href = PLAIN.href) => ({
  server: { ...options, allowedOrigins: [] },
  browser: { ...options, allowedOrigins: [new URL(href).origin] },
});
const API_OF_SHOP = ofPage({ paths: ['/shop/api'] });

/** What a page shows, and the requests that it sends, after a server has rendered it. */
async function shownAfterServer(url: string, given: Partial<Page>): Promise<unknown[]> {
  const transferState = new TransferState();
  const page = { ...PLAIN, ...given };
  load('server', transferState, url, page);
  await TestBed.inject(ApplicationRef).whenStable();
  const browser = load('browser', transferState, url, page);
  await TestBed.inject(ApplicationRef).whenStable();
  return [browser.resource.value(), browser.sent];
}

it.each<[name: string, url: string, page: Partial<Page>]>([
  ['relative to a base', 'api/orders', { base: '/shop/', options: API_OF_SHOP }],
  ['relative to an absolute base', 'api/orders', { base: 'https://shop.example/shop/', options: API_OF_SHOP }],
  ['that begins with a dot', './api/orders', { base: '/shop/', options: API_OF_SHOP }],
  ['that goes up', '../api/orders', { base: '/shop/en/', options: API_OF_SHOP }],
  ['relative to the page', 'api/orders', { href: 'https://shop.example/shop/en', options: API_OF_SHOP }],
  ['that is a query alone', '?page=2', { href: 'https://shop.example/shop/api', options: API_OF_SHOP }],
  ['rooted', '/shop/api/orders', { base: '/shop/', options: API_OF_SHOP }],
  ['absolute, of the page', 'https://shop.example/shop/api', { options: API_OF_SHOP }],
  ['without a scheme, of the page', '//shop.example/shop/api', { options: API_OF_SHOP }],
  ['outside of exceptPaths', 'assets/me', { base: '/shop/', options: ofPage({ exceptPaths: ['/assets'] }) }],
  ['relative to a base elsewhere', 'me', { base: 'https://api.example/' }],
])('should not show what a server was answered without a token: a URL %s', async (_, url, given) => {
  expect(await shownAfterServer(url, given)).toEqual([{ user: 'alice' }, ['Bearer T1', 'Bearer T1']]);
});

it('should not show what a server was answered that knows its page by http, and by a path alone', async () => {
  for (const server of ['http://shop.example/', '/']) {
    const transferState = new TransferState();
    load('server', transferState, server === '/' ? '/shop/api' : 'https://shop.example/shop/api', {
      ...PLAIN,
      href: server,
      options: API_OF_SHOP,
    });
    await TestBed.inject(ApplicationRef).whenStable();
    expect(transferState.isEmpty).toBe(true);
  }
});

it.each<[name: string, url: string, page: Partial<Page>]>([
  ['in exceptPaths', 'assets/en.json', { base: '/shop/', options: ofPage({ exceptPaths: ['/shop/assets'] }) }],
  ['outside of paths', 'api/orders', { base: '/shop/', options: ofPage({ paths: ['/api'] }) }],
  ['relative to a base elsewhere', 'words.json', { base: 'https://cdn.example/', options: ofPage({}) }],
])('should leave what needs no token to the transfer cache: a URL %s', async (_, url, given) => {
  expect(await shownAfterServer(url, given)).toEqual([{ user: 'nobody' }, []]);
});

describe('the stream of a server', () => {
  const streamOfServer = (): TokenStream => {
    start('server', new TransferState(), PLAIN);
    return TestBed.inject(TOKEN_STREAM);
  };
  const failure = {
    code: 'ERR_TOKEN_UNAVAILABLE',
    message: expect.stringMatching(/on a server.*isPlatformServer/) as unknown,
  };
  const endOf = (given$: Observable<unknown>): unknown[] => {
    const seen: unknown[] = [];
    given$.subscribe({
      next: (value) => seen.push(value),
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('end'),
    });
    return seen;
  };

  /** Timers of Angular that are set now, such as that of a change detection without zones. */
  const nextTimer = () => new Promise((resolve) => setTimeout(resolve));

  it.each<[name: string, ask: (token$: TokenStream) => Observable<unknown>]>([
    ['takeToken', (token$) => takeToken(token$)],
    ['takeToken without a limit', (token$) => takeToken(token$, { maxWait: Infinity })],
    ['refresh', (token$) => token$.refresh()],
    ['withToken', (token$) => token$.pipe(withToken((token) => of(token.value)))],
  ])('should fail for who waits for a token that never comes, but not in a change detection: %s', async (_, ask) => {
    const seen = endOf(ask(streamOfServer()));
    await nextTimer();
    expect(seen).toEqual([]);
    await nextTimer();
    expect(seen).toEqual([expect.objectContaining(failure)]);
  });

  it.each<[name: string, connect: (token$: TokenStream) => Observable<unknown>]>([
    ['connectWithToken', (token$) => token$.pipe(connectWithToken(() => of(1)))],
    ['eventStream', (token$) => eventStream(token$, '/events', { baseUrl: 'https://api.example' })],
  ])('should open no connection, and fail none, until the page is rendered: %s', async (_, connect) => {
    const seen = endOf(connect(streamOfServer()));
    await nextTimer();
    await nextTimer();
    expect(seen).toEqual([]);
    TestBed.resetTestingModule();
    expect(seen).toEqual([expect.objectContaining({ code: 'ERR_TOKEN_STREAM_CLOSED' })]);
  });

  it('should be closed for who comes when the page is rendered', async () => {
    const token$ = streamOfServer();
    TestBed.resetTestingModule();
    await expect(firstValueFrom(takeToken(token$))).rejects.toMatchObject({ code: 'ERR_TOKEN_STREAM_CLOSED' });
  });

  it('should fail a fetch', async () => {
    const fetchWithToken = createFetch(streamOfServer(), { allowedOrigins: ['https://api.example'], fetch: jest.fn() });
    await expect(fetchWithToken('https://api.example/me')).rejects.toMatchObject(failure);
  });

  it('should show no failure to a page, which renders as if nothing had needed a token yet', async () => {
    const token$ = streamOfServer();
    const events: unknown[] = [];
    token$.events.subscribe((event) => events.push(event.type));
    await firstValueFrom(token$.refresh()).catch(() => undefined);
    const shown = TestBed.runInInjectionContext(() => [injectToken(), injectTokenState()]);
    const seen = endOf(token$);
    await TestBed.inject(ApplicationRef).whenStable();
    expect([shown.map((each) => each()), seen]).toEqual([[null, 'absent'], []]);
    expect(events).not.toContain('refreshFailed');
    TestBed.resetTestingModule();
    expect(seen).toEqual(['end']);
  });

  it('should have no fake token either', async () => {
    TestBed.resetTestingModule();
    TestBed.configureTestingModule({ providers: [{ provide: PLATFORM_ID, useValue: 'server' }, provideFakeToken()] });
    const token$ = TestBed.inject(TOKEN_STREAM);
    expect(token$.current).toBeNull();
    await expect(firstValueFrom(takeToken(token$))).rejects.toMatchObject(failure);
  });
});
