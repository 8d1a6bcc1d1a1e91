/** How long the pause after a failed attempt is: pure functions of the number of failures and the options. */
import { lifetimeOfToken } from './refreshPolicy.js';
import type { AccessToken } from './types.js';

/** A failed fetch is not repeated sooner than this, whatever the jitter. Milliseconds. */
export const MIN_PAUSE = 50;

/** The longest pause after permanent failures. Milliseconds. */
const MAX_PERMANENT_PAUSE = 60_000;

export interface Backoff {
  readonly initial: number;
  readonly max: number;
  readonly factor: number;
}

type BackoffSettings = Omit<Backoff, 'max'> & { readonly max: number | undefined };

/** By default no pause is longer than a sixth of a token's lifetime. */
export function backoffOf(settings: BackoffSettings, last: AccessToken | undefined): Backoff {
  const lifetime = last ? lifetimeOfToken(last) : Infinity;
  return { ...settings, max: settings.max ?? Math.min(10_000, (lifetime || Infinity) / 6) };
}

/** The unjittered pause after the given attempt, the first being 1. */
export const backoffStep = (attempt: number, { initial, max, factor }: Backoff): number =>
  Math.min(max, initial * Math.min(factor ** (attempt - 1), Number.MAX_VALUE));

/**
 * The pause after a permanent failure, the last of so many in a row: without jitter, and growing to a minute. It ends
 * with the use of the token at hand, which has `remaining` ms left: the reason of the failure may be gone by then.
 */
export function permanentPause(
  failures: number,
  settings: BackoffSettings,
  { remaining, retryAfter = 0 }: { remaining: number; retryAfter?: number | undefined },
): number {
  const step = backoffStep(failures, { ...settings, max: settings.max ?? MAX_PERMANENT_PAUSE });
  return Math.max(MIN_PAUSE, retryAfter, Math.min(step, Math.max(settings.initial, remaining)));
}

/**
 * The pause before the next attempt: full jitter, short enough that two more attempts fit into the `remaining` life of
 * the token at hand, and never shorter than the server asked for.
 */
export function retryDelay(
  attempt: number,
  backoff: Backoff,
  {
    jitter = 1,
    remaining,
    retryAfter = 0,
  }: { jitter?: number | undefined; remaining: number; retryAfter?: number | undefined },
): number {
  const pause = Math.min(jitter * backoffStep(attempt, backoff), remaining / 3);
  return Math.max(MIN_PAUSE, Math.round(pause) || 0, retryAfter);
}
