import { fieldsOf, headerOf, statusOf } from '../internal/answers.js';

/**
 * A server refused the token: status 401, or a 403 that may be cured by another token. Not cured are
 * `insufficient_scope` (RFC 6750 section 3.1), and a 403 that limits the rate of requests.
 */
export function isRejection(outcome: unknown): boolean {
  const status = statusOf(outcome);
  if (status !== 403) return status === 401;
  return !/\berror\s*=\s*"?insufficient_scope\b/i.test(challengeOf(outcome)) && !limitsRate(outcome);
}

/** The server says that the token itself is no good: no other request should use it. */
export const isExplicit = (outcome: unknown): boolean =>
  statusOf(outcome) === 401 || /\berror\s*=\s*"?invalid_token\b/i.test(challengeOf(outcome));

/** The answer shows that the server took the token. An error of the server or of a gateway before it says nothing. */
export const isAcceptance = (outcome: unknown): boolean =>
  !looksLikeResponse(outcome) || (statusOf(outcome) ?? 0) < 400;

/** A Response or what looks like one; a data row with a `status` is not. */
export function looksLikeResponse(value: unknown): boolean {
  const { status, headers } = fieldsOf(value);
  return typeof status === 'number' && typeof headers === 'object' && headers !== null;
}

/** Asks a predicate of the user's. A promise would count as true whatever it resolves to. */
export function ask(isRejection: (outcome: never) => unknown, outcome: unknown): boolean {
  const answer = isRejection(outcome as never);
  if (typeof (answer as { then?: unknown } | null | undefined)?.then === 'function')
    throw new TypeError('option "isRejection" returned a promise: it must return a boolean');
  return Boolean(answer);
}

/** `Retry-After` (RFC 9110 section 10.2.3), or a rate limit that is used up, under the names that servers use. */
const limitsRate = (outcome: unknown): boolean =>
  headerOf(outcome, 'retry-after') !== undefined ||
  ['x-ratelimit-remaining', 'ratelimit-remaining'].some((name) => Number(headerOf(outcome, name) ?? NaN) === 0);

const challengeOf = (outcome: unknown): string => headerOf(outcome, 'www-authenticate') ?? '';
