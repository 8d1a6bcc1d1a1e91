import { ON_CLOSE, ON_SIGN_OUT } from '../internal/sourceHooks.js';
import type { AccessToken, TokenSource } from '../token/types.js';
import type { OAuthOptions } from './options.js';
import { withHooks } from './source.js';
import { tokenEndpoint } from './tokenEndpoint.js';
import type { Parameters } from './tokenRequest.js';

/**
 * A source that exchanges one grant per request.
 *
 * @param parametersOf the parameters of the grant, asked for with each request
 */
export function grantSource(
  options: OAuthOptions,
  grantType: string,
  parametersOf: (signal: AbortSignal) => Promise<Parameters>,
): TokenSource {
  const { exchange, hooks, revoke } = tokenEndpoint(options);
  const revokeLast = (token: AccessToken | null) => {
    revoke(token?.value);
  };
  return withHooks(async ({ signal }) => exchange({ grantType, parameters: await parametersOf(signal), signal }), {
    ...hooks,
    ...(options.revokeOnClose === true && { [ON_CLOSE]: revokeLast }),
    [ON_SIGN_OUT]: revokeLast,
  });
}
