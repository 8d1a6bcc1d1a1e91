/** The public function `refreshToken`: the source for users, whose refresh tokens may be replaced at each use. */
import { requireFunctions, requireObject } from '../internal/values/validate.js';
import type { TokenSource } from '../token/types.js';
import { createForgottenTokens } from './endpoint/revoke.js';
import { createQueue } from '../internal/async/queue.js';
import { createRefreshSession } from './signIn/refreshSession.js';
import type { RefreshTokenOptions } from './options.js';
import { checkSupplied } from './checks/supplied.js';
import { givenBy, TokenEndpoint, withHooks, type OnEnd } from './endpoint/tokenEndpoint.js';
import { refuseControlCharacters, trimmed } from './checks/textOption.js';

/**
 * A token for a user who signed in before (RFC 6749 section 6). The server may replace the refresh token with each use,
 * and may revoke all tokens when an old one comes back (RFC 9700 section 4.14.2). So there is one exchange at a time,
 * and an exchange that has begun is finished, even if its caller leaves.
 *
 * ```ts
 * const vault = fileTokenVault('token.json');
 * const token$ = createTokenStream(refreshToken({
 *   issuer: 'https://id.example.com', clientId: 'cli', clientAuth: 'none',
 *   refreshToken: vault.read, onRotate: vault.write,
 * }));
 * ```
 *
 * With a store (`rx-fresh-token/redis`) several processes share one refresh token. It is in the store with the access
 * token, and `refreshToken` is used by the first process only. Encrypt it there (`encryptionKey`).
 *
 * Throws and fails as `clientCredentials` does. `invalid_grant` and the like are permanent: the user must sign in
 * again.
 */
export function refreshToken(options: RefreshTokenOptions): TokenSource {
  requireObject(options);
  const { refreshToken: given, onRotate, reauthenticate, ...others } = options;
  checkSupplied('refreshToken', given);
  const start = trimmed(given) ?? given;
  if (typeof start === 'string') refuseControlCharacters('refreshToken', start);
  requireFunctions({ onRotate, reauthenticate });
  const endpoint = new TokenEndpoint(others);
  const settings = {
    refreshToken: start,
    onRotate,
    reauthenticate,
    endpoint,
    inTurn: createQueue(),
    forgotten: createForgottenTokens(endpoint),
  };
  let session = createRefreshSession(settings);
  const source: TokenSource = async (request) => givenBy(source, await session.fetch(request));
  const onSignOut: OnEnd = (token) => {
    session.end(token?.raw);
    session = createRefreshSession(settings);
  };
  return withHooks(source, endpoint, onSignOut, (token) => endpoint.revoke(token?.value));
}
