import { InvalidTokenResponseError } from '../errors.js';
import { accessToken, checkTokenResponse } from './accessToken.js';
import type { Settings } from './options.js';
import { lifetimeOf, windowsOf, type Windows } from './refreshPolicy.js';
import type { Answer } from './sourceCalls.js';
import type { AccessToken } from './types.js';

/** A token that has just come, from wherever. */
export interface Arrival extends Windows {
  readonly token: AccessToken;
  /** Milliseconds since it was asked for here. */
  readonly took: number;
  /** Milliseconds since it was issued, as far as anyone can tell. */
  readonly age: number;
  readonly origin: Answer['origin'];
}

/** Makes a token of an answer. @throws InvalidTokenResponseError, TokenEndpointError */
export function arrivalOf(
  { response, age, headStart = 0, origin }: Answer,
  { sentAt, took, now }: { sentAt: number; took: number; now: number },
  settings: Settings,
): Arrival {
  checkTokenResponse(response);
  if (age !== undefined && !(Number.isFinite(age) && age >= 0))
    throw new InvalidTokenResponseError('the token store handed out a token without a valid age');
  // A store that took the exchange for one of its own thinks too little.
  const known = age === undefined || headStart === 0 ? age : Math.max(age, took + headStart);
  const issuedAt = known === undefined ? sentAt - headStart : now - known;
  const token = accessToken(
    response,
    issuedAt,
    lifetimeOf(response, issuedAt, settings.lifetime, origin === 'initial'),
  );
  return { token, took, age: known ?? took + headStart, origin, ...windowsOf(token, took, settings) };
}

/** Too little life is left to keep it. */
export const isOverOnArrival = ({ token, age, overAt }: Arrival, now: number): boolean =>
  Math.max(now, token.issuedAt + age) >= overAt;
