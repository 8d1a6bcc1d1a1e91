/** The public function `provideFakeToken`: a stream for unit tests that needs no server. */
import type { EnvironmentProviders } from '@angular/core';
import { EMPTY, of, throwError } from 'rxjs';
import { TokenEndpointError } from '../errors.js';
import { requireObject } from '../internal/values/validate.js';
import { createTokenStream } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import { streamProviders } from './provideTokenStream.js';
import type { ProvideTokenStreamOptions } from './streamOptions.js';
import { watchToken } from './tokenWatch.js';
import { never } from './zones.js';

export interface FakeTokenOptions extends Partial<
  Pick<
    ProvideTokenStreamOptions,
    'allowedOrigins' | 'allowInsecureRequests' | 'paths' | 'exceptPaths' | 'name' | 'isRejection' | 'authorize'
  >
> {
  /**
   * The value of the token. After a rejection the next one has `-2` at its end, and so on. null: nobody is signed in.
   * The state is `failed`, and requests, `takeToken` and `refresh()` fail at once. Default `fake-token`.
   */
  token?: string | null | undefined;
}

/**
 * A stream for tests: it has a token at once, asks no server and starts no timer, so `fakeAsync` has nothing to wait
 * for. It stands in the place of the stream of the same name that is provided before it, if there is one, with the
 * options of that one for requests: `allowedOrigins`, `paths`, `authorize` and so on.
 *
 * ```ts
 * import { provideHttpClient, withInterceptors } from '@angular/common/http';
 * import { provideHttpClientTesting } from '@angular/common/http/testing';
 * import { provideFakeToken, tokenInterceptor } from 'rx-fresh-token/angular';
 *
 * const providers = [
 *   provideHttpClient(withInterceptors([tokenInterceptor])),
 *   provideHttpClientTesting(),
 *   provideFakeToken({ allowedOrigins: ['https://api.example.com'] }), // Authorization: Bearer fake-token
 * ];
 * ```
 *
 * @param options the options for requests that are given here take the place of the other stream's;
 *   `allowInsecureRequests` counts only with `allowedOrigins`. Without another stream and without `allowedOrigins` no
 *   request carries the token
 */
export function provideFakeToken(options: FakeTokenOptions = {}): EnvironmentProviders {
  requireObject(options);
  const { token = 'fake-token', allowedOrigins = [], ...others } = options;
  return streamProviders(
    () => (token === null ? signedOut() : signedIn(token)),
    { ...others, allowedOrigins },
    options,
  );
}

/** The clock of `never` stands still, so that no pause ends, and no window of the budget. */
const STILL = { scheduler: never, wake: EMPTY, maxWait: 0, rejectionBudget: { max: Infinity } };

function signedIn(fake: string): TokenStream {
  let count = 1;
  return createTokenStream(() => of({ access_token: `${fake}-${String(++count)}` }), {
    ...STILL,
    initial: { access_token: fake },
  });
}

/** It has failed already, as it has a token already that is not null. */
function signedOut(): TokenStream {
  const token$ = createTokenStream(
    () => throwError(() => new TokenEndpointError('provideFakeToken({ token: null }) has no token', { status: 401 })),
    STILL,
  );
  void watchToken(token$);
  token$.subscribe({ error: () => undefined });
  return token$;
}
