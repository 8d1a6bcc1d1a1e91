/** The times of a lease: how long a leader may fetch, and how long the others pause. */
import { backoffStep, LEAST_PAUSE_AFTER_FAILURE, usualLongestPause } from '../../token/decisions/backoff.js';

/**
 * The first pause after a failed fetch; no fetch follows a failed one sooner, even if the application asks for it.
 * Milliseconds.
 */
export const SHORTEST_PAUSE = 250;

/**
 * How long a leader may fetch: within `fetchTimeout`, and within its lease, which began when it was asked for, less a
 * margin for the way to Redis and back. Not above 0: not at all.
 */
export const fetchTime = (
  { sent, lease }: { readonly sent: number; readonly lease: number },
  now: number,
  fetchTimeout: number,
): number => Math.min(fetchTimeout, sent + lease - Math.min(1000, lease / 10) - now);

/**
 * How long the whole fleet pauses after a failed fetch. Without jitter: one process fetches at a time, so there is no
 * herd to scatter. No longer than a sixth of a token's life, unless the server asks for more: `retryAfterOf` limits
 * that.
 */
export function sharedPause(failures: number, life: number, retryAfter = 0): number {
  const max = Math.max(LEAST_PAUSE_AFTER_FAILURE, usualLongestPause(life > 0 ? life : Infinity));
  const step = backoffStep(failures + 1, { initial: SHORTEST_PAUSE, factor: 2, max });
  return Math.ceil(Math.max(retryAfter, step));
}

/** How long one who waits for a leader sleeps before it looks itself: a push that is lost costs this much at most. */
export const pollPause = (round: number, left: number): number =>
  Math.min(left + 1, backoffStep(round + 1, { initial: 50, factor: 2, max: 1000 }));

const HOUR = 3_600_000;

/**
 * No token is stored with a longer life: some servers say that a token lives for ever by the largest number that they
 * know, which neither Redis nor its clock can count. Milliseconds.
 */
const LONGEST_LIFE = 100 * 365 * 24 * HOUR;

/** A lifetime as Redis keeps it: whole milliseconds; -1 when unknown, 0 when the token cannot be kept. */
export const lifeOf = (lifetime: number): number =>
  lifetime === Infinity ? -1 : Math.min(LONGEST_LIFE, Math.max(0, Math.floor(lifetime) || 0));

/**
 * How long Redis keeps what is stored: past the token's end, so that generations go on; a refresh token outlives its
 * access token by far.
 */
export const ttlOf = (life: number, hasRefreshToken: boolean): number =>
  Math.ceil(hasRefreshToken ? Math.max(life, 0) + 90 * 24 * HOUR : life < 0 ? 30 * 24 * HOUR : life + HOUR);
