/** Stands in for the library where its size is measured: the same names, nothing behind them. */
import type { HttpInterceptorFn } from '@angular/common/http';
import { InjectionToken, makeEnvironmentProviders, signal } from '@angular/core';
import { EMPTY } from 'rxjs';
import type { AccessToken, TokenSource, TokenStream } from 'rx-fresh-token';

export const TOKEN_STREAM = new InjectionToken<TokenStream>('TOKEN_STREAM');
export const tokenInterceptor: HttpInterceptorFn = (request, next) => next(request);
export const injectToken = () => signal<AccessToken | null>(null).asReadonly();
export const provideTokenStream = (_factory: () => TokenSource, _options: object) =>
  makeEnvironmentProviders([{ provide: TOKEN_STREAM, useValue: { events: EMPTY, close: () => undefined } }]);
