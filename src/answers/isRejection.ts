/** Decides by an answer whether the server rejected the token, how clearly it said so, and whether it accepted it. */
import { isTokenError } from '../errors.js';
import { fromBase64 } from '../internal/values/jwtClaims.js';
import { errorCodeOf } from './errorCode.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { LONGEST_CHAIN, headerOf } from './members.js';
import { limitsRate } from './anotherTry.js';
import { statusOf } from './status.js';
import { isRateCode } from './oauthErrors.js';

/**
 * What another token of the same grant does not mend: the scope (RFC 6750 section 3.1; registries say so with 401), how
 * the user has signed in (RFC 9470 section 3, Entra's claims challenge), a nonce that the proof lacks (RFC 9449 section
 * 9).
 */
const OTHER_REASON = /\berror\s*=\W*(insufficient_(scope|user_authentication|claims)|use_dpop_nonce)\b/i;

/**
 * A server rejected the token: status 401 or 403, unless another token does not help, or a 403 limits the rate. Of an
 * error that says nothing itself its cause is judged.
 */
export function isRejection(result: unknown): boolean {
  const answer = answerBelow(result);
  const status = statusOf(answer);
  if (status !== 401 && status !== 403) return false;
  if (saysInvalidToken(answer)) return true;
  const challenge = challengeOf(answer);
  if (OTHER_REASON.test(challenge) && !asksForNewerToken(challenge)) return false;
  if (status === 401) return true;
  // Of a body that a client has read. The challenge of a Response is all that it says of itself.
  const code = errorCodeOf(answer) ?? '';
  return !limitsRate(answer) && code !== 'insufficient_scope' && !isRateCode(code);
}

/**
 * The first of an error and its causes that has a status. Not below an error of this library: what another stream's
 * source or client was answered says nothing of this token.
 */
function answerBelow(result: unknown): unknown {
  let each = result;
  for (let depth = 0; depth < LONGEST_CHAIN && !isTokenError(each); depth++) {
    if (statusOf(each) !== undefined) return each;
    each = fieldsOf(each).cause;
  }
  return result;
}

/** `explicit`: the server says that the token is invalid. `bare`: a 403, which may also forbid the resource. */
export type RejectionKind = 'bare' | 'explicit';

/**
 * Explicit: the token itself is invalid, so no other request should use it. Bare: a 403, which may as well say that the
 * resource is forbidden. What only the user's `isRejection` finds, such as an error of GraphQL in a 200, is explicit.
 */
export function kindOfRejection(result: unknown): RejectionKind {
  const answer = answerBelow(result);
  return statusOf(answer) !== 403 || saysInvalidToken(answer) ? 'explicit' : 'bare';
}

const saysInvalidToken = (answer: unknown): boolean => /\berror\s*=\W*invalid_token\b/i.test(challengeOf(answer));

/** The answer shows that the server took the token. An error of the server or of a gateway before it says nothing. */
export const isAcceptance = (result: unknown): boolean => !responseIn(result) || (statusOf(result) ?? 0) < 400;

/** The response that a value is, or has beside what was read of it, as with openapi-fetch. */
export const responseIn = (value: unknown): Response | undefined =>
  [value, fieldsOf(value).response].find(looksLikeResponse) as Response | undefined;

/** A Response or what looks like one; a data row with a `status` is not. */
export function looksLikeResponse(value: unknown): boolean {
  const { status, statusCode, headers } = fieldsOf(value);
  return typeof (status ?? statusCode) === 'number' && typeof headers === 'object' && headers !== null;
}

/** Entra has revoked the token, and asks for one that is issued later: the claim `nbf`. */
const asksForNewerToken = (challenge: string): boolean =>
  [...challenge.matchAll(/\bclaims\s*=\s*"?([\w+/=-]+)/gi)].some(([, claims = '']) => {
    try {
      return fromBase64(claims).includes('"nbf"');
    } catch {
      return false;
    }
  });

/** Amazon API Gateway renames the header. */
const challengeOf = (answer: unknown): string =>
  headerOf(answer, 'www-authenticate') ?? headerOf(answer, 'x-amzn-remapped-www-authenticate') ?? '';
