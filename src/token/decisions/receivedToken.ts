/** Makes a `ReceivedToken` (token, times, origin) of what the source, the store or the option `initial` gave. */
import { messageOf } from '../../answers/messageOf.js';
import { InvalidTokenResponseError, type TokenUnavailableError } from '../../errors.js';
import { accessToken, sameToken } from './accessToken.js';
import { LEAST_PAUSE_AFTER_TOKEN } from './backoff.js';
import type { TokenChanged, UntimedTokenEvent } from '../events.js';
import { lifetimeByOption, lifetimeOf, lifetimeOfToken, saysLifetime } from './lifetime.js';
import { timesOf, type TokenTimes } from './tokenTimes.js';
import type { Settings } from '../options.js';
import type { SourceHooks } from '../sourceHooks.js';
import { checkTokenResponse } from '../../answers/tokenResponse.js';
import type { AccessToken, RefreshReason, TokenResponse } from '../types.js';

export interface SourceResult {
  readonly response: TokenResponse;
  /** Milliseconds since the token was asked for. Absent: it was this request that asked. */
  readonly age?: number;
  /** Milliseconds by which the exchange that brought it was sent before it was asked for here. Default 0. */
  readonly headStart?: number;
  /** The source that gave it, if it was asked here. */
  readonly source?: SourceHooks;
  readonly origin: TokenChanged['origin'];
}

/** How a token was asked for here. */
interface FetchInfo {
  readonly reason: RefreshReason;
  readonly attempt: number;
  /** Milliseconds since then. */
  readonly took: number;
  /** No rejection and no `refresh()` caused it: what was forbidden to the token before may be allowed to this one. */
  readonly isOnSchedule: boolean;
}

/**
 * What is known of a token. It is the update that brings the token, and what later subscribers are given. A new object
 * means that the source has answered, even with the same token.
 */
export interface ReceivedToken extends TokenTimes, FetchInfo {
  readonly type: 'token';
  readonly token: AccessToken;
  readonly origin: TokenChanged['origin'];
  /** A server rejected it: no request is given it until the attempt under way, or the next one, has ended. */
  isSuspended: boolean;
  isAccepted: boolean;
  isExpiryReported: boolean;
}

/**
 * The values of the pipeline, of which all views of the token are made:
 *
 * - `token`: a token came.
 * - `attemptFailed`: the event `refreshFailed` with `permanent: false`. A token that was suspended is usable again.
 * - `failed`: the same with `permanent: true`; no event for who comes later. `signedOut`: the session ended. Values and
 *   not errors, because subscribers may have a usable token, or stay for the next session.
 *
 * `event`: what is emitted before the update.
 */
export type TokenUpdate =
  | ReceivedToken
  | { readonly type: 'attemptFailed'; readonly event: UntimedTokenEvent }
  | {
      readonly type: 'failed';
      readonly error: TokenUnavailableError;
      /** Whose failure it is, by its tokens: the next session is not told. */
      readonly session: WeakSet<AccessToken> | null;
      readonly event?: UntimedTokenEvent | undefined;
    }
  | { readonly type: 'signedOut'; readonly error: TokenUnavailableError; readonly event: UntimedTokenEvent };

/** What it needs of the stream: the tokens before, the options, the clock. */
interface Context {
  readonly state: { readonly held: ReceivedToken | null; readonly last: ReceivedToken | null };
  readonly settings: Settings;
  readonly now: () => number;
}

/** How old a token is at least, in milliseconds. Throws if a store does not say it of a token that others fetched. */
function ageOf({ age, headStart = 0, origin }: SourceResult, took: number): number {
  const isFromStore = age !== undefined || origin === 'shared';
  if (isFromStore && !(Number.isFinite(age) && (age as number) >= 0))
    throw new InvalidTokenResponseError('the token store handed out a token without a valid age');
  // It was asked for here. A store of the user's does not know of the head start: the age that it says is too low.
  return age === undefined || headStart > 0 ? Math.max(age ?? 0, took + headStart) : age;
}

/** @throws InvalidTokenResponseError, TokenEndpointError */
export function receivedToken(
  result: SourceResult,
  info: FetchInfo,
  { state: { held, last }, settings, now }: Context,
): ReceivedToken {
  const { response, origin } = result;
  checkTokenResponse(response);
  const { took, reason } = info;
  const time = now();
  const own = lifetimeByOption(response, settings.lifetime);
  const withAge = (tokenAge: number, life = own): ReceivedToken => {
    // What the user sees is on the stream's own clock.
    const issuedAt = settings.userNow() - tokenAge;
    const lifetime = life ?? lifetimeOf(response, issuedAt, origin === 'initial', last?.token);
    const token = accessToken(response, issuedAt, lifetime, settings.tokenType);
    const times = timesOf(token, time - tokenAge, took, settings);
    // What a server rejected counts as accepted no more, though the source gave it again.
    const isAccepted = reason !== 'rejected' && sameToken(token, held?.token) && held?.isAccepted === true;
    // Not by a spread: V8 gives an object that was made by one five times the memory.
    return Object.assign(
      { type: 'token' as const, token, origin, isSuspended: false, isAccepted, isExpiryReported: false },
      info,
      times,
    );
  };
  const received = withAge(ageOf(result, took));
  if (!last || !sameToken(received.token, last.token)) return received;
  // Receiving the same token again does not extend its lifetime, unless its response or the option says how long it
  // lives.
  const wouldLiveLonger = own === undefined && !saysLifetime(response) && received.endsAt > last.endsAt;
  return postponed(wouldLiveLonger ? withAge(time - last.requestedAt, lifetimeOfToken(last.token)) : received, time);
}

/** A source that caches may give a token that is due: it is asked again after half of what is left of its life. */
function postponed(received: ReceivedToken, now: number): ReceivedToken {
  const { renewAt, usableUntil } = received;
  if (renewAt > now) return received;
  const wait = Math.max(LEAST_PAUSE_AFTER_TOKEN, (usableUntil - now) / 2);
  return Object.assign(received, { renewAt: Math.min(usableUntil, now + wait) });
}

/** @throws TypeError if the option `initial` is no token response */
export function initialToken(response: unknown, stream: Parameters<typeof receivedToken>[2]): ReceivedToken {
  const result = { response, origin: 'initial' } as SourceResult;
  try {
    return receivedToken(result, { reason: 'initial', attempt: 1, took: 0, isOnSchedule: true }, stream);
  } catch (cause) {
    throw new TypeError(`option "initial" must be a token response: ${messageOf(cause)}`, { cause });
  }
}
