/** Makes a token, with the moments of its life, of what the source, the store or the option `initial` gave. */
import { InvalidTokenResponseError } from '../errors.js';
import { accessToken, sameToken } from './accessToken.js';
import type { TokenChanged } from './events.js';
import type { Settings } from './options.js';
import { lifetimeOf, lifetimeOfToken, saysLifetime, timesOf, type TokenTimes } from './refreshPolicy.js';
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
  readonly origin: TokenChanged['origin'];
}

/** A source that gives the same token again, or one that cannot be kept, is asked no sooner than this. Milliseconds. */
export const LEAST_PAUSE = 1000;

/**
 * Makes a token of what came.
 *
 * @param took milliseconds since it was asked for here
 * @throws InvalidTokenResponseError, TokenEndpointError
 */
export function receivedToken(
  { response, age, headStart = 0, origin }: SourceResult,
  took: number,
  { state: { last }, settings, now }: { state: { last: ReceivedToken | null }; settings: Settings; now: () => number },
): ReceivedToken {
  checkTokenResponse(response);
  const isFromStore = age !== undefined || origin === 'shared';
  if (isFromStore && !(Number.isFinite(age) && (age as number) >= 0))
    throw new InvalidTokenResponseError('the token store handed out a token without a valid age');
  // A store may not know that its fetch joined an older exchange; then its age is too small.
  const knownAge = age === undefined || headStart > 0 ? Math.max(age ?? 0, took + headStart) : age;
  const time = now();
  const receive = (tokenAge: number, life?: number): ReceivedToken => {
    // What the user sees is on the stream's own clock.
    const issuedAt = settings.now() - tokenAge;
    const lifetime = life ?? lifetimeOf(response, issuedAt, settings.lifetime, origin === 'initial', last?.token);
    const token = accessToken(response, issuedAt, lifetime, settings.tokenType);
    return { token, took, origin, ...timesOf(token, time - tokenAge, took, settings) };
  };
  const received = receive(knownAge);
  if (!last || !sameToken(received.token, last.token)) return received;
  // Receiving the same token again does not extend its lifetime, unless its response says how long it lives.
  const isYounger = !saysLifetime(response) && received.endsAt > last.endsAt;
  return askedAgain(isYounger ? receive(time - last.requestedAt, lifetimeOfToken(last.token)) : received, time);
}

/**
 * A source that caches hands the same token out until it expires. If that token is due for renewal, the source is asked
 * again after half of what is left of its life.
 */
function askedAgain(received: ReceivedToken, now: number): ReceivedToken {
  const { renewAt, usableUntil } = received;
  if (renewAt > now) return received;
  const wait = Math.max(LEAST_PAUSE, (usableUntil - now) / 2);
  return { ...received, renewAt: Math.min(usableUntil, now + wait) };
}
