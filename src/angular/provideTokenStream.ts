/** The public function `provideTokenStream`, which registers a stream in an injector and closes it there. */
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
import { asyncScheduler, Subject, type Observable } from 'rxjs';
import { createTokenStream, managerOf } from '../token/tokenStream.js';
import type { TokenSource, TokenStream } from '../token/types.js';
import {
  INJECTOR_DESTROYED,
  PROVIDED_STREAMS,
  streamsInForce,
  TOKEN_STREAM,
  STREAMS_IN_FORCE,
  type ProvidedStream,
} from './providedStreams.js';
import { givenOptions, splitOptions, type ProvideTokenStreamOptions } from './streamOptions.js';
import { streamOnServer } from './streamOnServer.js';
import { watchToken } from './tokenWatch.js';
import { outside, storeOutside } from './zones.js';

/**
 * Provides {@link TOKEN_STREAM}. With {@link tokenInterceptor} the requests of `HttpClient` carry its token.
 *
 * The stream's timers run outside of Angular's zone: they do not delay the stability of the application, and cause no
 * change detection. During server-side rendering there is no token: the factory is not called, and requests are not
 * changed. `takeToken` and `refresh()` fail there without a wait, so a guard must let pass where `isPlatformServer`
 * says so. The stream is closed with the injector.
 *
 * ```ts
 * import { provideHttpClient, withInterceptors } from '@angular/common/http';
 * import type { ApplicationConfig } from '@angular/core';
 * import type { TokenSource } from 'rx-fresh-token';
 * import { provideTokenStream, tokenInterceptor } from 'rx-fresh-token/angular';
 *
 * const fetchToken: TokenSource = ({ signal }) => fetch('/session/token', { method: 'POST', signal });
 *
 * export const appConfig: ApplicationConfig = {
 *   providers: [
 *     provideHttpClient(withInterceptors([tokenInterceptor])),
 *     provideTokenStream(() => fetchToken, { allowedOrigins: ['https://api.example.com'] }),
 *   ],
 * };
 * ```
 *
 * @param factory returns the token source. It is called once, when the stream is first needed, and may call `inject`.
 *   Requests that the source makes synchronously with `HttpClient` carry no token. It may also return a stream, which
 *   is closed with the injector, too; the timers of such a stream run in the zone of its subscriber.
 * @param options which requests carry the token, and those of `createTokenStream`, if the factory returns a source
 * @throws TypeError that names an option out of range, or unknown; `store` and `initial` are checked at the first use
 */
export function provideTokenStream(
  factory: () => TokenSource | TokenStream,
  options: ProvideTokenStreamOptions,
): EnvironmentProviders {
  return streamProviders(factory, options);
}

/** @param replacing the options as they were given, of a stream that stands in the place of one with the same name */
export function streamProviders(
  factory: () => TokenSource | TokenStream,
  options: ProvideTokenStreamOptions,
  replacing?: Partial<ProvideTokenStreamOptions>,
): EnvironmentProviders {
  if (typeof factory !== 'function')
    throw new TypeError('provideTokenStream takes a factory: a function that returns a token source');
  const { requests, own } = splitOptions(options);
  const { name } = requests;

  function streamOf(made: TokenSource | TokenStream, zone: NgZone): TokenStream {
    if (typeof made === 'function') {
      const leave = <T>(run: () => T): T => zone.runOutsideAngular(run);
      const { scheduler = asyncScheduler, store: given, ...others } = own;
      const store = typeof given === 'function' ? leave(given) : given;
      const kept = typeof store?.refresh === 'function' ? storeOutside(store, leave) : store;
      return createTokenStream(made, { ...others, scheduler: outside(scheduler, leave), store: kept });
    }
    managerOf(made, 'the factory of provideTokenStream must return a token source (a function) or a stream: ');
    const [misplaced] = Object.keys(own);
    if (misplaced !== undefined)
      throw new TypeError(
        `option "${misplaced}" belongs to createTokenStream, since the factory makes a stream itself`,
      );
    return made;
  }

  const makeStream = (): TokenStream => {
    const zone = inject(NgZone);
    const token$ = isPlatformServer(inject(PLATFORM_ID))
      ? streamOnServer()
      : streamOf(zone.runOutsideAngular(factory), zone);
    // From the beginning, so that whoever injects the token later knows what there was.
    void watchToken(token$);
    // Injected first, so that its listener runs before `close()`: waiting requests complete, and do not fail.
    void inject(INJECTOR_DESTROYED);
    inject(DestroyRef).onDestroy(() => token$.close());
    return token$;
  };

  const token =
    name === undefined ? TOKEN_STREAM : new InjectionToken<TokenStream>(`token stream ${name} of rx-fresh-token`);
  const provided: ProvidedStream = {
    ...requests,
    token,
    replacing: replacing ? givenOptions(requests, replacing) : null,
  };
  return makeEnvironmentProviders([
    { provide: token, useFactory: makeStream },
    { provide: PROVIDED_STREAMS, multi: true, useValue: provided },
    { provide: INJECTOR_DESTROYED, useFactory: injectorDestroyed },
    { provide: STREAMS_IN_FORCE, useFactory: streamsInForce },
  ]);
}

function injectorDestroyed(): Observable<unknown> {
  const destroyed$ = new Subject<void>();
  inject(DestroyRef).onDestroy(() => destroyed$.next());
  return destroyed$;
}
