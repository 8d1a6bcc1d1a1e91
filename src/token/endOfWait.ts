/** Decides whether an update ends a wait for a token, and how: a pure function of the state. */
import type { TokenUpdate } from './receivedToken.js';
import { usableHeld, type StreamState } from './state.js';
import type { AccessToken } from './types.js';

export interface Wait {
  /** The token at hand, which each new subscriber gets first: for a caller that needs another one. */
  readonly except?: TokenUpdate | null;
  /** The wait ends without a token when an attempt fails, and the token at hand stays usable. */
  readonly untilFailure?: boolean;
}

/** How a wait ends: with a token, with none, or with an error. */
export type EndOfWait = { readonly token: AccessToken | null } | { readonly error: unknown };

/** Null: the wait goes on. @param session the one in which it began */
export function endOfWait(
  update: TokenUpdate,
  { except, untilFailure }: Wait,
  session: StreamState['sessionTokens'],
  state: StreamState,
  now: number,
): EndOfWait | null {
  if (update === except) return null;
  const failure = 'error' in update ? update : null;
  // The session may have ended before this waiter hears of the update, and the next one may have a token already.
  if (state.sessionTokens !== session) return failure;
  if (update.type === 'token') return update;
  const usable = usableHeld(state, now);
  // It came meanwhile.
  if (usable && usable !== except) return usable;
  // After a failed attempt the suspended token is usable again.
  if (usable && untilFailure) return { token: null };
  return failure;
}
