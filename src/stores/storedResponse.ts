import { InvalidTokenResponseError } from '../errors.js';
import { lifetimeOf } from '../token/refreshPolicy.js';
import { checkTokenResponse } from '../token/tokenResponse.js';
import type { TokenResponse } from '../token/types.js';

/** Whether a stream would accept a response. The stream says why not. */
export function isTokenResponse(value: unknown): value is TokenResponse {
  try {
    checkTokenResponse(value);
    return true;
  } catch {
    return false;
  }
}

/**
 * The lifetime of a stored token. NaN if the option `lifetime` fails: such a token is of no use, but its refresh token
 * is. The stream says what is wrong.
 */
export function storedLifetime(...parameters: Parameters<typeof lifetimeOf>): number {
  try {
    return lifetimeOf(...parameters);
  } catch {
    return NaN;
  }
}

/** The response as others will read it from where a store keeps it as JSON. */
export function storable(response: TokenResponse): TokenResponse {
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(response));
  } catch {
    // The cause is left out: it names members of the response.
    throw new InvalidTokenResponseError(
      'the token response cannot be stored: it has a BigInt or refers to itself, which JSON cannot hold',
    );
  }
  if (!isTokenResponse(copy))
    throw new InvalidTokenResponseError('the token response cannot be stored: as JSON it has no token');
  return copy;
}
