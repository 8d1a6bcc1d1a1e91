import { isTokenError } from '../errors.js';
import { errorCodeOf, fieldsOf, headerOf, isHtml, limitsRate, statusOf } from '../internal/answers.js';
import { isOAuthCode, isTemporaryCode } from '../internal/oauthErrors.js';
import { parseHttpDate, parseRetryAfter } from '../internal/retryAfter.js';
import { isMistake } from './tokenResponse.js';
import type { AccessToken } from './types.js';

/** A failed fetch is not repeated sooner than this, whatever the jitter. Milliseconds. */
export const MIN_PAUSE = 50;

/** A server is not believed when it asks for a longer pause than this. Milliseconds. */
export const MAX_RETRY_AFTER = 5 * 60_000;

/** The longest pause after permanent failures. Milliseconds. */
const MAX_PERMANENT_PAUSE = 60_000;

const HTTP_TRANSIENT = [408, 425, 429];

export interface Backoff {
  readonly initial: number;
  readonly max: number;
  readonly factor: number;
}

type BackoffSettings = Omit<Backoff, 'max'> & { readonly max: number | undefined };

/** By default no pause is longer than a sixth of a token's lifetime. */
export function backoffOf(settings: BackoffSettings, previous: AccessToken | null): Backoff {
  const lifetime = previous ? previous.expiresAt - previous.issuedAt : Infinity;
  return { ...settings, max: settings.max ?? Math.min(10_000, (lifetime || Infinity) / 6) };
}

/** The unjittered pause after the given attempt, the first being 1. */
export const backoffStep = (attempt: number, { initial, max, factor }: Backoff): number =>
  Math.min(max, initial * Math.min(factor ** (attempt - 1), Number.MAX_VALUE));

/** The pause after the given number of permanent failures: without jitter, and growing to a minute. */
export const permanentPause = (failures: number, settings: BackoffSettings, retryAfter = 0): number =>
  Math.max(MIN_PAUSE, retryAfter, backoffStep(failures, { ...settings, max: settings.max ?? MAX_PERMANENT_PAUSE }));

/**
 * The pause before the next attempt: full jitter, short enough that two more attempts fit into the `remaining` life of
 * the token at hand, and never shorter than the server asked for.
 */
export function retryDelay(
  attempt: number,
  backoff: Backoff,
  { random, remaining, retryAfter = 0 }: { random: () => number; remaining: number; retryAfter?: number | undefined },
): number {
  const pause = Math.min(random() * backoffStep(attempt, backoff), remaining / 3);
  return Math.max(MIN_PAUSE, Math.round(pause) || 0, retryAfter);
}

/**
 * Failures that a retry does not help: an error code of OAuth, a 4xx that does not ask to come back, and a source that returns
 * no token response at all.
 */
export function isPermanentFailure(failure: unknown): boolean {
  if (isMistake(failure)) return true;
  const status = statusOf(failure);
  if (status !== undefined && HTTP_TRANSIENT.includes(status)) return false;
  const code = errorCodeOf(failure);
  if (code !== undefined && isTemporaryCode(code)) return false;
  if (code !== undefined && isOAuthCode(code)) return true;
  if (limitsRate(failure)) return false;
  // An error in a response of status 200 is judged like one of 400.
  if (status === undefined || status < 400) return isTokenError(failure, 'ERR_TOKEN_ENDPOINT') && code !== undefined;
  return status < 500 && !(status === 403 && isHtml(failure));
}

/** How long the server asked to wait, in ms: `retryAfter`, or the `Retry-After` header by that response's own `Date`. */
export function retryAfterOf(failure: unknown, now: number): number | undefined {
  const { retryAfter } = fieldsOf(failure);
  const wait =
    typeof retryAfter === 'number' && retryAfter >= 0 && retryAfter < Infinity
      ? retryAfter
      : parseRetryAfter(headerOf(failure, 'retry-after'), parseHttpDate(headerOf(failure, 'date') ?? '') || now);
  return wait === undefined ? undefined : Math.min(wait, MAX_RETRY_AFTER);
}
