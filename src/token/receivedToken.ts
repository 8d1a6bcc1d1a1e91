import { InvalidTokenResponseError } from '../errors.js';
import { accessToken, sameToken } from './accessToken.js';
import type { TokenChanged } from './events.js';
import type { Settings } from './options.js';
import { lifetimeOf, saysLifetime, timesOf, type TokenTimes } from './refreshPolicy.js';
import { checkTokenResponse } from './tokenResponse.js';
import type { AccessToken, TokenResponse } from './types.js';

/** What the source, the store before it, or the option `initial` gave. */
export interface SourceResult {
  readonly response: TokenResponse;
  /** Milliseconds since the token was asked for. Absent: it was this request that asked. */
  readonly age?: number;
  /** Milliseconds by which the exchange that brought it was sent before it was asked for here. Default 0. */
  readonly headStart?: number;
  readonly origin: TokenChanged['origin'];
}

/** A token that has just come. */
export interface ReceivedToken extends TokenTimes {
  readonly token: AccessToken;
  /** Milliseconds since it was asked for here. */
  readonly took: number;
  /** Milliseconds since it was issued, as far as anyone can tell. */
  readonly age: number;
  readonly origin: TokenChanged['origin'];
}

/**
 * When a token came. Milliseconds on the stream's clock, but `took`, which a clock that is set back does not shorten.
 */
export interface Reception {
  readonly sentAt: number;
  readonly took: number;
  readonly now: number;
}

/** The last token, and how far the stream's clock was ahead of the monotonic one when it came. Milliseconds. */
export interface TokenBefore {
  readonly previous: AccessToken | null;
  readonly clockLead: number;
}

/**
 * Milliseconds by which the stream's clock was set back since `previous` came: the times of that token are on the old
 * clock.
 */
export const setBackOf = ({ clockLead }: TokenBefore, now: number, { ticks }: Pick<Settings, 'ticks'>): number =>
  Math.max(0, clockLead - now + ticks());

/** The same token again is asked for no sooner than after this. Milliseconds. */
const SAME_TOKEN_PAUSE = 1000;

/** Makes a token of what came. @throws InvalidTokenResponseError, TokenEndpointError */
export function receivedToken(
  { response, age, headStart = 0, origin }: SourceResult,
  { sentAt, took, now }: Reception,
  before: TokenBefore,
  settings: Settings,
): ReceivedToken {
  const { previous } = before;
  checkTokenResponse(response);
  const isFromStore = age !== undefined || origin === 'shared';
  if (isFromStore && !(Number.isFinite(age) && (age as number) >= 0))
    throw new InvalidTokenResponseError('the token store handed out a token without a valid age');
  // A store may not know that its fetch joined an older exchange; then its age is too small.
  const givenAge = age === undefined || headStart === 0 ? age : Math.max(age, took + headStart);
  // A clock that was set back while the token was fetched would lengthen its life.
  const sentHere = settings.hasCustomClock && now >= sentAt ? sentAt : Math.min(sentAt, now - took);
  const issuedAt = givenAge === undefined ? sentHere - headStart : now - givenAge;
  const lifetime = lifetimeOf(response, issuedAt, settings.lifetime, origin === 'initial');
  const token = accessToken(response, issuedAt, lifetime, settings.tokenType);
  const received = { took, age: givenAge ?? took + headStart, origin };
  if (!previous || !sameToken(token, previous)) return { token, ...received, ...timesOf(token, took, settings) };
  const again = sameTokenAgain(token, previous, setBackOf(before, now, settings), now, took, settings);
  return { ...received, ...again, age: Math.max(received.age, now - again.token.issuedAt) };
}

/** Receiving the same token again does not extend its lifetime, unless its response says how long it lives. */
function sameTokenAgain(
  token: AccessToken,
  { issuedAt, expiresAt }: AccessToken,
  setBack: number,
  now: number,
  took: number,
  settings: Settings,
) {
  const keepsOwnLifetime = saysLifetime(token.raw) || token.expiresAt <= expiresAt - setBack;
  const lasting = keepsOwnLifetime
    ? token
    : accessToken(token.raw, issuedAt - setBack, expiresAt - issuedAt, settings.tokenType);
  const { renewAt, usableUntil } = timesOf(lasting, took, settings);
  if (renewAt > now) return { token: lasting, renewAt, usableUntil };
  // A source that caches hands the same token out until it expires. It is asked again after half of what is left.
  const wait = Math.max(SAME_TOKEN_PAUSE, (usableUntil - now) / 2);
  return { token: lasting, renewAt: Math.min(usableUntil, now + wait), usableUntil };
}

/** Too little life is left to keep it. */
export const isUnusableOnArrival = ({ token, age, usableUntil }: ReceivedToken, now: number): boolean =>
  Math.max(now, token.issuedAt + age) >= usableUntil;
