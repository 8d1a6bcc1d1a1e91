/** Judges a failure of a source: whether another attempt may help, and how long the server asked to wait. */
import { isTokenError } from '../errors.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { asksForAnotherTry } from './anotherTry.js';
import { errorCodeOf } from './errorCode.js';
import { headerOf, LONGEST_CHAIN } from './members.js';
import { isPermanentCode, isTemporaryCode } from './oauthErrors.js';
import { isMarkedPermanent } from './permanentError.js';
import { retryAfterBy } from './retryAfter.js';
import { isTemporaryStatus, statusOf } from './status.js';

/** A server is not believed when it asks for a longer pause than this. Milliseconds. */
export const MAX_RETRY_AFTER = 5 * 60_000;

/**
 * The first of a failure and its causes that says why. A source may wrap what a client threw, and one that uses another
 * stream fails as that does. Of several errors, as of Promise.any, it is the first after which a retry may help.
 */
export function failureWithReason(failure: unknown): unknown {
  let each = failure;
  for (let depth = 0; depth < LONGEST_CHAIN; depth++) {
    const reasonGiven = statusOf(each) ?? errorCodeOf(each) ?? fieldsOf(each).retryAfter;
    // Of this library's errors, only the one that no token came has its reason below it.
    const saysWhy = isTokenError(each) ? each.code !== 'ERR_TOKEN_UNAVAILABLE' : reasonGiven !== undefined;
    if (saysWhy) return each;
    const { cause, reason, errors } = fieldsOf(each);
    const several = Array.isArray(errors) ? errors : [];
    each = [cause, reason].find(isObject) ?? several.find((one) => !isPermanentFailure(one)) ?? several[0];
  }
  return failure;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** Marked as permanent, or an error of this library inside the source. */
const isPermanentInItself = (failure: unknown): boolean =>
  isMarkedPermanent(failure) ||
  isTokenError(failure, 'ERR_TOKEN_STREAM_CLOSED') ||
  isTokenError(failure, 'ERR_ORIGIN_NOT_ALLOWED');

/** A retry does not help: a code of OAuth, a 4xx that does not ask to come back, and a mistake of the source's. */
export function isPermanentFailure(thrown: unknown): boolean {
  const failure = failureWithReason(thrown);
  if (isPermanentInItself(failure)) return true;
  const status = statusOf(failure);
  if (isTemporaryStatus(status) || fieldsOf(failure).$retryable) return false;
  const code = errorCodeOf(failure) ?? '';
  if (isTemporaryCode(code)) return false;
  if (isPermanentCode(code)) return true;
  if (asksForAnotherTry(failure)) return false;
  // An error in a response of status 200 is judged like one of 400. The code of a foreign error need not be a server's.
  if (status === undefined || status < 400) return isTokenError(failure, 'ERR_TOKEN_ENDPOINT') && code !== '';
  return status < 500;
}

/**
 * How long the server asked to wait, in ms: by its headers and their `Date`, after a `permanent` failure by
 * `Retry-After` alone; or by the member `retryAfter`. The headers come first: our own errors have one of the two, and
 * others may mean seconds by the member.
 */
export function retryAfterOf(
  thrown: unknown,
  userNow: number,
  permanent = isPermanentFailure(thrown),
): number | undefined {
  const failure = failureWithReason(thrown);
  const { retryAfter } = fieldsOf(failure);
  const wait =
    retryAfterBy((name) => headerOf(failure, name), statusOf(failure), userNow, permanent) ??
    (typeof retryAfter === 'number' && retryAfter < Infinity ? retryAfter : -1);
  return wait < 0 ? undefined : Math.min(wait, MAX_RETRY_AFTER);
}
