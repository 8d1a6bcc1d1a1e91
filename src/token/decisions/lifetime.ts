/** How long a token lives, by its response: the option `lifetime`, `expires_in`, or the claims of a JWT. */
import { permanentError } from '../../answers/permanentError.js';
import { jwtClaims } from '../../internal/values/jwtClaims.js';
import { callOption } from './callOption.js';
import type { AccessToken, TokenResponse, TokenStreamOptions } from '../types.js';

/** Names under which servers give a lifetime that is not read. */
const UNREAD_LIFETIME = /^((access_?)?token_?)?expir|^valid(ity|_?until)|^(exp|ttl|lease_duration)$/i;

const YEAR = 365 * 86_400_000;

/** Tokens that are new when they come are equally old by their `iat`, but for this: servers round it. Milliseconds. */
const SAME_AGE = 2000;

/** How long a token lives from the moment it was asked for, in milliseconds. `Infinity` when unknown. */
export const lifetimeOfToken = ({ issuedAt, expiresAt }: AccessToken): number => expiresAt - issuedAt;

/** The default `expiryMargin`, but for a JWT with times in whole seconds: see `timesOf`. */
export const usualMargin = (lifetime: number): number => Math.min(1000, lifetime / 30);

/** The lifetime in seconds. Zoho gives those beside milliseconds. What cannot be read, as `3600s`, counts as absent. */
function secondsIn({ expires_in, expires_in_sec }: TokenResponse): number | undefined {
  const value = expires_in_sec ?? expires_in;
  if (typeof value === 'number') return Number.isNaN(value) ? undefined : value;
  return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}

/** Some servers give the time of expiry, in seconds or milliseconds since 1970: as a lifetime, decades. */
function givenLifetime(response: TokenResponse, issuedAt: number): number | undefined {
  const seconds = secondsIn(response);
  if (seconds === undefined) return undefined;
  const left = seconds * (seconds > 1e12 ? 1 : 1000) - issuedAt;
  return seconds > 1e9 && Math.abs(left) < YEAR ? left : seconds * 1000;
}

/** Whether a response says how long its token lives, so that the same token may come again and live longer. */
export const saysLifetime = (response: TokenResponse): boolean => secondsIn(response) !== undefined;

/** The response gives a lifetime in a form that is not read: its token would be used until it is rejected. */
export function hasUnreadLifetime(response: TokenResponse): boolean {
  if (saysLifetime(response)) return false;
  // An `expires_in` or `exp` that is no number, and what others call it, such as `expires_at` and Vault's.
  const given = { ...jwtClaims(response.access_token), ...response } as Record<string, unknown>;
  return Object.keys(given).some((name) => UNREAD_LIFETIME.test(name) && (Number.isNaN(given[name]) || given[name]));
}

/** What the option `lifetime` says, in milliseconds. */
export function lifetimeByOption(
  response: TokenResponse,
  override: TokenStreamOptions['lifetime'],
): number | undefined {
  const own: unknown = override && callOption('lifetime', override, response);
  const kind = Number.isNaN(own) ? 'NaN' : typeof own;
  if (kind === 'number' || kind === 'undefined') return own as number | undefined;
  throw permanentError(`option "lifetime" must return a number or undefined, got ${kind}`);
}

/**
 * A token's lifetime in ms from the moment it was asked for: `expires_in` (RFC 6749 section 5.1), else the claims of a
 * JWT (RFC 7519 section 4.1):
 *
 * - `exp - issuedAt`, where that is less than `exp - iat`: a source that caches may hand out a JWT that is old;
 * - `exp - iat` all the same, if no more life than the margin would remain: our clock is ahead of the server's;
 * - `exp - iat` also if less than half would remain, and the token before looked equally old when it came: two new
 *   tokens show by how much the clocks differ. Otherwise the token would be replaced again and again.
 *
 * @param issuedAt when it was asked for, on the stream's clock
 * @param isSaved the token may have expired before it came, so a past `exp` is believed
 * @returns `Infinity` when it is unknown; zero or less when the token cannot be kept
 */
export function lifetimeOf(response: TokenResponse, issuedAt: number, isSaved = false, last?: AccessToken): number {
  const given = givenLifetime(response, issuedAt);
  if (given !== undefined && !isSaved) return given;
  const { exp, iat } = jwtClaims(response.access_token);
  const remaining = typeof exp === 'number' ? exp * 1000 - issuedAt : Infinity;
  // Of a token that was saved as it came, only the claims tell how old it is.
  if (given !== undefined) return Math.min(given, remaining);
  if (typeof exp !== 'number') return Infinity;
  // Hand-made issuers give `iat` in milliseconds.
  if (typeof iat !== 'number' || iat >= exp) return remaining;
  const fullLifetime = (exp - iat) * 1000;
  const isAsOld =
    last && Math.abs((iat - (jwtClaims(last.value).iat as number)) * 1000 - (issuedAt - last.issuedAt)) < SAME_AGE;
  // Not where more than half remains: Entra dates its tokens back by 5 minutes.
  const least = isAsOld ? fullLifetime / 2 : usualMargin(fullLifetime);
  return isSaved || remaining > least ? Math.min(remaining, fullLifetime) : fullLifetime;
}
