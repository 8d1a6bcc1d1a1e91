/** Decides what follows when a server rejects a token: a pure function of the state. */
import { sameToken } from './accessToken.js';
import type { RejectionOutcome } from '../events.js';
import type { Rejection, RejectionMemory } from './rejectionMemory.js';
import { blockingFailure, isReplacing, pauseLeft, usableHeld, type StreamState } from './state.js';

/** A rejected request waits for the next attempt if that is this near. Milliseconds. */
const LONGEST_WAIT = 1000;

/** Compares before anything is refreshed: a late rejection of an old token costs nothing. */
export function rejectionOutcome(
  state: StreamState,
  memory: Pick<RejectionMemory, 'isRemembered' | 'mayForce'>,
  rejection: Rejection,
  now: number,
): RejectionOutcome {
  const { held } = state;
  if (!held || !sameToken(held.token, rejection.token)) return 'alreadyReplaced';
  if (memory.isRemembered(rejection, now, held.token.expiresAt < Infinity)) return 'suppressed';
  const inUse = usableHeld(state, now);
  // An attempt has failed and the next one is far: the token stays in use, and no request waits.
  if (inUse && pauseLeft(state, now) > LONGEST_WAIT) return 'suppressed';
  // It is being replaced, or has expired meanwhile.
  if (isReplacing(state) || !inUse) return 'refreshing';
  // A rejection does not end the pause after a permanent failure, so a request would wait in vain.
  const mayForce = !blockingFailure(state, now) && memory.mayForce(rejection.kind, held.isAccepted, now);
  return mayForce ? 'refreshing' : 'suppressed';
}
