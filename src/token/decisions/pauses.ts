/** How long the source is not asked: pure functions of the state. */
import { backoffStep, LEAST_PAUSE_AFTER_FAILURE, usualLongestPause } from './backoff.js';
import type { Failure } from './failure.js';
import type { Settings } from '../options.js';
import { lifetimeOfToken } from './lifetime.js';
import { keepsRunning, pauseLeft, usableHeld, type StreamState } from './state.js';

/** How long the source is not asked after the last failure: never shorter than the server asked for. Milliseconds. */
export function pauseAfter(
  state: StreamState,
  { permanent, retryAfter = 0, shareOfStep = 1 }: Omit<Failure, 'error'>,
  { backoff }: Pick<Settings, 'backoff'>,
  now: number,
): number {
  const { usableUntil = Infinity, endsAt = Infinity } = usableHeld(state, now) ?? {};
  const { last } = state;
  // A token that had expired when it came says nothing of the next one.
  const lifetime = (last ? lifetimeOfToken(last.token) : 0) || Infinity;
  const max = backoff.max ?? (permanent ? 60_000 : usualLongestPause(lifetime));
  const step = shareOfStep * backoffStep(state.failures, { ...backoff, max });
  // After a permanent failure until the token at hand is over, because the reason may be gone by then. After another
  // one a third of the time until it expires, so that two more attempts fit. A clock may count fractions.
  const longest = permanent ? Math.max(backoff.initial, Math.floor(usableUntil - now)) : (endsAt - now) / 3;
  return Math.max(LEAST_PAUSE_AFTER_FAILURE, retryAfter, Math.round(Math.min(step, longest)));
}

/**
 * The new end of a pause that is ended early: now, but not before `backoff.initial` has passed since the last request.
 * Without a failure the pause is that after a token which is not kept; it stays.
 */
export const earlyEndOfPause = (
  { pausedUntil, failures, lastFetchAt }: StreamState,
  { initial }: Settings['backoff'],
): number =>
  failures === 0 ? pausedUntil : Math.min(pausedUntil, lastFetchAt + Math.max(LEAST_PAUSE_AFTER_FAILURE, initial));

/** How long to wait before the next look whether a token is needed. Milliseconds; 0: look now, no timer is needed. */
export function delayUntilCheck(state: StreamState, now: number, settings: Settings): number {
  // After a permanent failure nothing is tried until a token is needed.
  if (state.permanentFailure) return 0;
  // If nobody wants a token, the next look ends the pipeline, but not a refresh in its pause: a request that is
  // rejected meanwhile joins its next attempt.
  return state.refresh || keepsRunning(state, now, settings) ? pauseLeft(state, now) : 0;
}
