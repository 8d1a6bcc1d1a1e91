/** Judges why an attempt failed: whether another one may help, and how long the server asked to wait. */
import { isTokenError } from '../errors.js';
import {
  asksForAnotherTry,
  errorCodeOf,
  fieldsOf,
  headerOf,
  isTemporaryStatus,
  LONGEST_CHAIN,
  statusOf,
} from '../internal/answers.js';
import { messageOf } from '../internal/messageOf.js';
import { isPermanentCode, isTemporaryCode } from '../internal/oauthErrors.js';
import { retryAfterBy } from '../internal/retryAfter.js';
import { callPredicate } from '../internal/callPredicate.js';
import { randomShare } from './callOption.js';
import { isMarkedPermanent } from './permanentError.js';

/** A server is not believed when it asks for a longer pause than this. Milliseconds. */
export const MAX_RETRY_AFTER = 5 * 60_000;

interface FailureSettings {
  readonly isPermanent: (error: unknown) => boolean;
  readonly random: () => number;
  readonly shownNow: () => number;
}

/** A failed attempt. */
export interface Failure {
  readonly error: unknown;
  /** Another attempt does not help. */
  readonly permanent: boolean;
  /** How long the server asked to wait. Milliseconds. */
  readonly retryAfter?: number | undefined;
  /** 0 to 1: how much of the next step of backoff the pause takes. Default all of it. */
  readonly jitter?: number;
}

/** What an attempt failed with. The user's options may throw, and so may a getter of the error. */
export function failureOf(thrown: unknown, { isPermanent, random, shownNow }: FailureSettings): Failure {
  let error = thrown;
  let permanent = false;
  try {
    permanent = callPredicate(isPermanent, error, 'isPermanent');
  } catch (thrownMeanwhile) {
    // The default rule throws only where a getter of the failure does: then nothing is known of it.
    if (isPermanent !== isPermanentFailure)
      error = new TypeError(`option "isPermanent" failed for "${messageOf(thrown)}": ${messageOf(thrownMeanwhile)}`, {
        cause: thrown,
      });
  }
  try {
    const retryAfter = retryAfterOf(thrown, shownNow(), permanent);
    return permanent ? { error, permanent, retryAfter } : { error, permanent, retryAfter, jitter: randomShare(random) };
  } catch (thrownMeanwhile) {
    return isMarkedPermanent(thrownMeanwhile) ? { error: thrownMeanwhile, permanent: true } : { error, permanent };
  }
}

/**
 * The first of a failure and its causes that says why. A source may wrap what a client threw, and one that uses another
 * stream fails as that does. Of several errors, as of Promise.any, it is the first after which a retry may help.
 */
export function failureWithReason(failure: unknown): unknown {
  let each = failure;
  for (let depth = 0; depth < LONGEST_CHAIN; depth++) {
    const says = statusOf(each) ?? errorCodeOf(each) ?? fieldsOf(each).retryAfter;
    // Of this library's errors, only the one that no token came has its reason below it.
    if (isTokenError(each) ? each.code !== 'ERR_TOKEN_UNAVAILABLE' : says !== undefined) return each;
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
  const code = errorCodeOf(failure);
  if (code !== undefined && isTemporaryCode(code)) return false;
  if (code !== undefined && isPermanentCode(code)) return true;
  if (asksForAnotherTry(failure)) return false;
  // An error in a response of status 200 is judged like one of 400. The code of a foreign error need not be a server's.
  if (status === undefined || status < 400) return isTokenError(failure, 'ERR_TOKEN_ENDPOINT') && code !== undefined;
  return status < 500;
}

/**
 * How long the server asked to wait, in ms: by its headers and their `Date`, after a `permanent` failure by
 * `Retry-After` alone; or by the member `retryAfter`. The headers come first: our own errors have one of the two, and
 * others may mean seconds by the member.
 */
export function retryAfterOf(
  thrown: unknown,
  shownNow: number,
  permanent = isPermanentFailure(thrown),
): number | undefined {
  const failure = failureWithReason(thrown);
  const { retryAfter } = fieldsOf(failure);
  const wait =
    retryAfterBy((name) => headerOf(failure, name), statusOf(failure), shownNow, permanent) ??
    (typeof retryAfter === 'number' && retryAfter < Infinity ? retryAfter : -1);
  return wait < 0 ? undefined : Math.min(wait, MAX_RETRY_AFTER);
}
