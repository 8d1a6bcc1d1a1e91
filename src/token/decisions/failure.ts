/** Judges why an attempt failed: whether another one may help, and how long the server asked to wait. */
import { messageOf } from '../../answers/messageOf.js';
import { callPredicate } from '../../internal/values/callPredicate.js';
import { randomShare } from './callOption.js';
import { isPermanentFailure, retryAfterOf } from '../../answers/isPermanentFailure.js';
import { isMarkedPermanent } from '../../answers/permanentError.js';
import type { RefreshFailed } from '../events.js';
import type { Settings } from '../options.js';

export interface Failure {
  readonly error: unknown;
  /** Another attempt does not help. */
  readonly permanent: boolean;
  /** How long the server asked to wait. Milliseconds. */
  readonly retryAfter?: number | undefined;
  /** 0 to 1: how much of the next step of backoff the pause takes. Default all of it. */
  readonly shareOfStep?: number;
}

/** What an attempt failed with. The user's options may throw, and so may a getter of the error. */
export function failureOf(
  thrown: unknown,
  { isPermanent, random, userNow }: Pick<Settings, 'isPermanent' | 'random' | 'userNow'>,
): Failure {
  let error = thrown;
  let permanent = false;
  try {
    permanent = callPredicate(isPermanent, error, 'isPermanent');
  } catch (optionError) {
    // The default rule throws only where a getter of the failure does: then nothing is known of it.
    if (isPermanent !== isPermanentFailure)
      error = new TypeError(`option "isPermanent" failed for "${messageOf(thrown)}": ${messageOf(optionError)}`, {
        cause: thrown,
      });
  }
  try {
    const retryAfter = retryAfterOf(thrown, userNow(), permanent);
    return permanent
      ? { error, permanent, retryAfter }
      : { error, permanent, retryAfter, shareOfStep: randomShare(random) };
  } catch (optionError) {
    return isMarkedPermanent(optionError) ? { error: optionError, permanent: true } : { error, permanent };
  }
}

export const refreshFailed = (
  error: unknown,
  attempt = 1,
  retryIn: number | null = null,
  permanent = false,
): RefreshFailed => ({ type: 'refreshFailed', error, message: messageOf(error), attempt, retryIn, permanent });
