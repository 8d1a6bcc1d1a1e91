/** What all stores ask of a response: whether it can be stored, how long its token lives, whether others get it. */
import { lifetimeByOption, lifetimeOf } from '../token/decisions/lifetime.js';
import { checkTokenResponse } from '../answers/tokenResponse.js';
import type { TokenResponse, TokenStreamOptions } from '../token/types.js';

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
export function storedLifetime(
  response: TokenResponse,
  issuedAt: number,
  option: TokenStreamOptions['lifetime'],
): number {
  try {
    return lifetimeByOption(response, option) ?? lifetimeOf(response, issuedAt);
  } catch {
    return NaN;
  }
}

/** `leastLife` is this share of the token's life, at most `most` ms. The Lua scripts of Redis compute with both. */
export const LEAST_LIFE = { most: 1500, share: 0.5 };

/**
 * A token with no more life than this is not handed out: half as much again as the largest `expiryMargin` that a stream
 * has by default, since time passes until the stream looks at it. Milliseconds.
 */
export const leastLife = (life: number): number => Math.min(LEAST_LIFE.most, life * LEAST_LIFE.share);

/** Whether a token of that lifetime and age may be handed out; false if its lifetime is NaN, or its age Infinity. */
export const hasLifeLeft = (life: number, age: number): boolean => life - age > leastLife(life);
