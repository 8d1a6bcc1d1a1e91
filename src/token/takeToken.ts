/** The public function `takeToken`: one usable token, for code that does not need a stream. */
import type { Observable } from 'rxjs';
import { numbersIn } from '../internal/values/validate.js';
import { managerOf } from './tokenStream.js';
import type { AccessToken, TokenStream } from './types.js';

export interface TakeTokenOptions {
  /** Waits at most this many ms for a usable token. >= 0. Default: the stream's `maxWait`. */
  maxWait?: number | undefined;
}

/**
 * One usable token, for whatever asks for a token function: a database driver, a message broker, another client.
 *
 * ```ts
 * const password = () => firstValueFrom(takeToken(token$)).then((token) => token.value);
 * ```
 *
 * @returns a cold Observable that emits the token at hand, or the next one, and completes. It errors with
 *   {@link TokenUnavailableError} when none comes within `maxWait`, {@link TokenStreamClosedError} after `close()`.
 * @throws TypeError if `token$` was not made by `createTokenStream`, or `maxWait` is out of range
 */
export function takeToken(token$: TokenStream, options: TakeTokenOptions = {}): Observable<AccessToken> {
  const { maxWait } = numbersIn(options, { maxWait: [0, Infinity] });
  return managerOf(token$).take(maxWait);
}
