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

/**
 * - `attemptFailed`: there may be another attempt; a token that was suspended is usable again.
 * - `failed`: the source failed permanently. `signedOut`: the session ended. Values and not errors, because subscribers
 *   may have a usable token, or stay for the next session.
 */
export type TokenUpdate =
  | TokenArrived
  | { readonly type: 'attemptFailed' }
  | { readonly type: 'failed' | 'signedOut'; readonly error: TokenUnavailableError };
