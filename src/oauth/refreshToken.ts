import type { ObservableInput } from 'rxjs';
import { ON_CLOSE, ON_SIGN_OUT } from '../internal/sourceHooks.js';
import type { SourceHooks } from '../token/proof.js';
import type { TokenResponse, TokenSource } from '../token/types.js';
import { requireOptions } from './checkOptions.js';
import { forgottenTokens } from './forgottenTokens.js';
import type { OAuthOptions } from './options.js';
import { createQueue } from './queue.js';
import { refreshSession } from './refreshSession.js';
import { checkSupplied, withHooks, type Supplied } from './source.js';
import { tokenEndpoint } from './tokenEndpoint.js';
import { optionalFunction, refuseControlCharacters, trimmed } from './requireOption.js';

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

/**
 * A token for a user who signed in before (RFC 6749 section 6). The server may replace the refresh token with each use
 * and revoke everything when an old one comes back (RFC 9700 section 4.14.2): so there is one exchange at a time,
 * however often the source is called, and one that was begun is brought to its end even if its caller leaves.
 *
 * ```ts
 * const vault = fileTokenVault('token.json');
 * const token$ = createTokenStream(refreshToken({
 *   issuer: 'https://id.example.com', clientId: 'cli', clientAuth: 'none',
 *   refreshToken: vault.read, onRotate: vault.write,
 * }));
 * ```
 *
 * Several processes that share a store (`rx-fresh-token/redis`) rotate one chain: the refresh token lies in the store with
 * the access token, and `refreshToken` is only what the first of them begins with. Seal it there (`encryptionKey`).
 *
 * @throws {@link !TypeError} at creation, when an option is missing or out of range; it never quotes a secret.
 * The source itself fails with `TokenEndpointError` or `InvalidTokenResponseError`, which hold no secret.
 * `invalid_grant` and its dialects are permanent: the user must sign in again.
 */
export function refreshToken(options: RefreshTokenOptions): TokenSource {
  requireOptions('refreshToken', options);
  const { refreshToken: given, onRotate, reauthenticate, revokeOnClose } = options;
  checkSupplied('refreshToken', given);
  if (typeof given === 'string') refuseControlCharacters('refreshToken', given.trim());
  optionalFunction('onRotate', onRotate);
  optionalFunction('reauthenticate', reauthenticate);
  const endpoint = tokenEndpoint(options);
  const settings = {
    refreshToken: trimmed(given) ?? given,
    onRotate,
    reauthenticate,
    endpoint,
    inTurn: createQueue(),
    forgotten: forgottenTokens(endpoint.revoke),
  };
  let session = refreshSession(settings);
  const hooks: SourceHooks = {
    ...endpoint.hooks,
    ...(revokeOnClose === true && {
      [ON_CLOSE]: (token) => {
        endpoint.revoke(token?.value);
        session.revokeUndelivered();
      },
    }),
    [ON_SIGN_OUT]: (token) => {
      session.end(token?.value);
      session = refreshSession(settings);
    },
  };
  return withHooks((request) => session.fetch(request), hooks);
}
