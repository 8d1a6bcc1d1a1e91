import { initTestBed } from './support.js';
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
import { of } from 'rxjs';
import { provideTokenStream, tokenInterceptor } from 'rx-fresh-token/angular';

initTestBed();

const whole = globalThis as { ngServerMode?: boolean };

/** One application, rendered by a server and taken over by a browser: both have the same transfer state. */
function start(platform: 'server' | 'browser', transferState: TransferState) {
  whole.ngServerMode = platform === 'server';
  TestBed.resetTestingModule();
  TestBed.configureTestingModule({
    providers: [
      { provide: PLATFORM_ID, useValue: platform },
      { provide: TransferState, useValue: transferState },
      provideHttpClient(withInterceptors([tokenInterceptor])),
      provideHttpClientTesting(),
      withHttpTransferCache({}),
      provideTokenStream(() => () => of({ access_token: 'T1', expires_in: 3600 }), {
        allowedOrigins: ['https://api.example'],
      }),
    ],
  });
  return TestBed.inject(HttpTestingController);
}

afterEach(() => {
  delete whole.ngServerMode;
});

/** What `httpResource` and `HttpClient` say in one application, and the Authorization that was sent for each. */
function load(platform: 'server' | 'browser', transferState: TransferState, url: string) {
  const controller = start(platform, transferState);
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
