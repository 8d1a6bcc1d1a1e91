/** The type of the pipeline's values, of which all views of the token are made. */
import type { TokenUnavailableError } from '../errors.js';
import type { ReceivedToken } from './receivedToken.js';

/**
 * - `token`: a token came.
 * - `attemptFailed`: there may be another attempt; a token that was suspended is usable again.
 * - `failed`: the source failed permanently. `signedOut`: the session ended. Values and not errors, because subscribers
 *   may have a usable token, or stay for the next session.
 */
export type TokenUpdate =
  | ReceivedToken
  | { readonly type: 'attemptFailed' }
  | { readonly type: 'failed' | 'signedOut'; readonly error: TokenUnavailableError };
