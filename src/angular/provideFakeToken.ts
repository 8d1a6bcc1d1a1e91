/** The public function `provideFakeToken`: a stream for unit tests that needs no server. */
import type { EnvironmentProviders } from '@angular/core';
import { EMPTY, NEVER, of } from 'rxjs';
import { requireObject } from '../internal/validate.js';
import { streamProviders } from './provideTokenStream.js';
import type { ProvideTokenStreamOptions } from './streamOptions.js';
import { never } from './zones.js';

export interface FakeTokenOptions extends Partial<
  Pick<
    ProvideTokenStreamOptions,
    'allowedOrigins' | 'allowInsecureRequests' | 'paths' | 'exceptPaths' | 'name' | 'isRejection' | 'authorize'
  >
> {
  /**
   * The value of the token. After a rejection the next one has `-2` at its end, and so on. null: there is no token.
   * Default `fake-token`.
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
  const fake = String(token);
  return streamProviders(
    () => {
      let count = 1;
      return () => (token === null ? NEVER : of({ access_token: `${fake}-${String(++count)}` }));
    },
    {
      ...others,
      allowedOrigins,
      scheduler: never,
      wake: EMPTY,
      // The clock of `never` stands still, so that no window of the budget ends.
      rejectionBudget: { max: Infinity },
      ...(token !== null && { initial: { access_token: fake } }),
    },
    options,
  );
}
