import { isPlatformServer } from '@angular/common';
import {
  DestroyRef,
  inject,
  InjectionToken,
  makeEnvironmentProviders,
  NgZone,
  PLATFORM_ID,
  type EnvironmentProviders,
} from '@angular/core';
import { asyncScheduler, EMPTY, NEVER } from 'rxjs';
import { Destinations } from '../http/authorize.js';
import { requireFunctions, wrong } from '../internal/validate.js';
import { createTokenStream, managerOf } from '../token/tokenStream.js';
import type { TokenSource, TokenStream, TokenStreamOptions } from '../token/types.js';
import { storeOutside } from './storeOutside.js';
import { never, outside } from './zoneScheduler.js';

export interface ProvideTokenStreamOptions extends TokenStreamOptions {
  /** The exact origins that may see the token; requests to all others pass untouched. https, or http on loopback. */
  allowedOrigins: readonly string[];
}

/** The application's token stream. Injecting it fetches nothing; during server rendering it never emits. */
export const TOKEN_STREAM: InjectionToken<TokenStream> = /* @__PURE__ */ new InjectionToken<TokenStream>(
  'TOKEN_STREAM of rx-fresh-token',
);

/** Where the token may go. Null during server rendering: nowhere. */
export const DESTINATIONS: InjectionToken<Destinations | null> =
  /* @__PURE__ */ new InjectionToken<Destinations | null>('destinations of rx-fresh-token');

/**
 * Provides {@link TOKEN_STREAM}, on which the requests of `HttpClient` ride by {@link tokenInterceptor}.
 *
 * The stream's timers run outside of Angular's zone, where there is one: they neither keep the application unstable nor
 * cause change detection. During server rendering there is no token: the factory is not called, nothing is scheduled, and
 * requests pass untouched. The stream closes with the injector.
 *
 * ```ts
 * import { provideHttpClient, withInterceptors } from '@angular/common/http';
 * import type { ApplicationConfig } from '@angular/core';
 * import { provideTokenStream, tokenInterceptor } from 'rx-fresh-token/angular';
 *
 * export const appConfig: ApplicationConfig = {
 *   providers: [
 *     provideHttpClient(withInterceptors([tokenInterceptor])),
 *     provideTokenStream(() => ({ signal }) => fetch('/session/token', { method: 'POST', signal }).then((r) => r.json()), {
 *       allowedOrigins: ['https://api.example.com'],
 *     }),
 *   ],
 * };
 * ```
 *
 * @param factory makes the token source, once, when the stream is first needed. It may `inject`; requests that the source makes
 *   with `HttpClient` carry no token. It may make the stream itself as well, which then closes with the injector all the
 *   same; the timers of one who subscribes to that within the zone are the zone's, as any timer's.
 * @param options those of `createTokenStream`, unless the factory makes the stream, and `allowedOrigins`
 * @throws TypeError that names an option out of range; the stream's own options are checked when it is made
 */
export function provideTokenStream(
  factory: () => TokenSource | TokenStream,
  options: ProvideTokenStreamOptions,
): EnvironmentProviders {
  requireFunctions({ factory });
  const { allowedOrigins, ...own } = options;
  if ((allowedOrigins as unknown) === undefined) throw wrong('allowedOrigins', allowedOrigins, 'an array of origins');
  const destinations = new Destinations({ allowedOrigins });
  const isServer = () => isPlatformServer(inject(PLATFORM_ID));

  function streamOf(made: TokenSource | TokenStream, zone: NgZone): TokenStream {
    const { scheduler = asyncScheduler, store } = own;
    const leave = <T>(run: () => T): T => zone.runOutsideAngular(run);
    const kept = typeof store?.refresh === 'function' && { store: storeOutside(store, leave) };
    if (typeof made === 'function')
      return createTokenStream(made, { ...own, scheduler: outside(scheduler, leave), ...kept });
    const [misplaced] = Object.keys(own);
    if (misplaced !== undefined)
      throw new TypeError(
        `option "${misplaced}" belongs to createTokenStream, since the factory makes a stream itself`,
      );
    managerOf(made);
    return made;
  }

  const makeStream = (): TokenStream => {
    if (isServer()) return createTokenStream(() => NEVER, { scheduler: never, wake: EMPTY });
    const zone = inject(NgZone);
    const token$ = streamOf(zone.runOutsideAngular(factory), zone);
    inject(DestroyRef).onDestroy(() => {
      token$.close();
    });
    return token$;
  };

  return makeEnvironmentProviders([
    { provide: TOKEN_STREAM, useFactory: makeStream },
    { provide: DESTINATIONS, useFactory: () => (isServer() ? null : destinations) },
  ]);
}
