/** The types of the pipeline's values, of which all views of the token are made. */
import type { TokenUnavailableError } from '../errors.js';
import type { ReceivedToken } from './receivedToken.js';
import type { RefreshReason } from './types.js';

/** A token came. */
export interface TokenArrived extends ReceivedToken {
  readonly type: 'token';
  readonly reason: RefreshReason;
  readonly attempt: number;
  /** No rejection and no `refresh()` caused it: what was forbidden to the token before may be allowed to this one. */
  readonly isRenewal: boolean;
}

/** An attempt failed, and there may be another one: a token that was suspended is usable again. */
export interface AttemptFailed {
  readonly type: 'attemptFailed';
}

/**
 * No token comes: the source failed permanently, or the session ended. A value and not an error, because subscribers
 * may have a usable token, or stay for the next session.
 */
export interface NoToken {
  readonly type: 'failed' | 'signedOut';
  readonly error: TokenUnavailableError;
}

/** The values of the pipeline, from which every view is made. */
export type TokenUpdate = TokenArrived | AttemptFailed | NoToken;
