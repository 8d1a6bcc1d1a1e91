/** The common part of the sources without a refresh token: one exchange per request, and revocation at the end. */
import type { AccessToken, TokenSource } from '../token/types.js';
import type { OAuthOptions } from './options.js';
import { REVOCATION_TIMEOUT } from './endpoint/revoke.js';
import { givenBy, TokenEndpoint, withHooks } from './endpoint/tokenEndpoint.js';
import type { GrantParameters } from './endpoint/tokenRequest.js';
import { outliveCaller } from './outliveCaller.js';

/**
 * A source that exchanges one grant per request.
 *
 * @param parametersOf the parameters of the grant, asked for with each request
 */
export function grantSource(
  options: OAuthOptions,
  grantType: string,
  parametersOf: (signal: AbortSignal) => Promise<GrantParameters>,
): TokenSource {
  const endpoint = new TokenEndpoint(options);
  /** Requests of streams that have been closed or signed out: what still answers them is revoked. */
  let discarded: WeakSet<AbortSignal> | undefined;

  const source: TokenSource = async ({ signal }) => {
    const parameters = await parametersOf(signal);
    // After `signOut()` or `close()` the exchange goes on for this long, so that its token can be revoked.
    const delay = () => (discarded?.has(signal) ? REVOCATION_TIMEOUT : 0);
    const response = await outliveCaller(signal, delay, (own) =>
      endpoint.exchange({ grantType, parameters, signal: own }),
    );
    if (discarded?.has(signal)) endpoint.revoke(response.access_token);
    return givenBy(source, response);
  };
  const discard = (token: AccessToken | null, pending?: AbortSignal) => {
    if (pending) (discarded ??= new WeakSet()).add(pending);
    endpoint.revoke(token?.value);
  };
  return withHooks(source, endpoint, discard, discard);
}
