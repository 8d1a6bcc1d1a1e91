import type { ObservableInput } from 'rxjs';
import type { TokenResponse } from '../token/types.js';
import type { OAuthOptions } from './options.js';
import type { Supplied } from './source.js';

/**
 * A token response whose refresh token is the one to keep: the new one, or the old one that stays valid. Where the answer was
 * no good but for its refresh token, `access_token` is empty.
 */
export type RotatedTokens = TokenResponse & { refresh_token: string };

export interface RefreshTokenOptions extends OAuthOptions {
  /** The refresh token to start from, or a function that reads it when it is first needed. */
  refreshToken: Supplied;
  /**
   * Stores the new refresh token. It is awaited before anyone sees the new access token, so that a crash never leaves
   * only a used one behind; and it is never called again before it has finished. When it fails the new token stays in
   * use, the failure is reported as an event, and the next refresh stores again.
   */
  // eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- a callback that stores at once returns nothing
  onRotate?: ((tokens: RotatedTokens) => ObservableInput<unknown> | void) | undefined;
  /**
   * Gets tokens in another way (asks the user, say) when the server says that the user must sign in (`invalid_grant` and its
   * dialects such as GitHub's `bad_refresh_token`, `login_required`, `interaction_required`, `consent_required`), or when
   * `refreshToken` is a function that has none yet: it gives nothing, or fails with the code ENOENT. It may
   * take its time: it is called once for all who ask meanwhile, and what it gives is kept even if nobody waits any more.
   * The life of the access token that it gives counts from when it was called.
   */
  reauthenticate?: (() => ObservableInput<TokenResponse>) | undefined;
}
