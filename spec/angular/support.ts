import '@angular/compiler';
import { PlatformLocation } from '@angular/common';
import { provideHttpClient, withInterceptors, type HttpInterceptorFn } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import {
  ErrorHandler,
  NgModule,
  PLATFORM_ID,
  platformCore,
  ɵINJECTOR_SCOPE,
  type EnvironmentProviders,
  type Provider,
} from '@angular/core';
import { TestBed, TestComponentRenderer } from '@angular/core/testing';
import { of, type ObservableInput } from 'rxjs';
import type { TokenRequest, TokenResponse, TokenSource, TokenStream } from 'rx-fresh-token';
import {
  provideTokenStream,
  TOKEN_STREAM,
  tokenInterceptor,
  type ProvideTokenStreamOptions,
} from 'rx-fresh-token/angular';

export const API = 'https://api.example';

/** Angular's test bed without a DOM, and so without the browser's module, of which this is what it needs. */
export function initTestBed(): void {
  const TestModule = class {
    readonly isModule = true;
  };
  NgModule({
    providers: [
      ErrorHandler,
      { provide: ɵINJECTOR_SCOPE, useValue: 'root' },
      { provide: TestComponentRenderer, useValue: { removeAllRootElements: () => undefined } },
    ],
  })(TestModule);
  TestBed.initTestEnvironment(TestModule, platformCore());
}

let last: HttpTestingController | undefined;
// After Angular's own, which ends the test's injector.
afterEach(() => {
  last?.verify();
  last = undefined;
});

export interface Setup extends Partial<ProvideTokenStreamOptions> {
  source?: (request: TokenRequest, n: number) => ObservableInput<TokenResponse>;
  providers?: (Provider | EnvironmentProviders)[];
  /** Interceptors that come before the token's. */
  outer?: HttpInterceptorFn[];
  /** Interceptors that come after the token's. */
  inner?: HttpInterceptorFn[];
  platform?: 'browser' | 'server';
  /** The factory: it makes a source of its own, or a stream. */
  make?: () => TokenSource | TokenStream;
  /** Leave it to the first request to make the stream. */
  lazily?: boolean;
}

/** An injector as an application has it: tokens T1, T2, …, that live an hour. */
export function setUp({
  source,
  providers = [],
  outer = [],
  inner = [],
  platform = 'browser',
  make,
  lazily = false,
  ...options
}: Setup = {}) {
  const asked: TokenRequest[] = [];
  const factory = jest.fn(() => (request: TokenRequest) => {
    const n = asked.push(request);
    return source ? source(request, n) : of({ access_token: `T${String(n)}`, expires_in: 3600 });
  });
  TestBed.configureTestingModule({
    providers: [
      { provide: PLATFORM_ID, useValue: platform },
      // A server has it from platform-server.
      { provide: PlatformLocation, useValue: { href: '/', getBaseHrefFromDOM: () => '' } },
      provideHttpClient(withInterceptors([...outer, tokenInterceptor, ...inner])),
      provideHttpClientTesting(),
      provideTokenStream(make ?? factory, { allowedOrigins: [API], ...options }),
      ...providers,
    ],
  });
  last = TestBed.inject(HttpTestingController);
  return { asked, factory, controller: last, token$: lazily ? (undefined as never) : TestBed.inject(TOKEN_STREAM) };
}
