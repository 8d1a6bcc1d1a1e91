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
