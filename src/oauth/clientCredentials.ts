/** The public function `clientCredentials`: the source for programs that act for themselves. */
import { requireObject } from '../internal/values/validate.js';
import type { TokenSource } from '../token/types.js';
import { grantSource } from './grantSource.js';
import type { OAuthOptions } from './options.js';

export type ClientCredentialsOptions = OAuthOptions;

const noParameters = () => Promise.resolve({});

/**
 * A token for the program itself, not for a user (RFC 6749 section 4.4).
 *
 * ```ts
 * const token$ = createTokenStream(clientCredentials({
 *   issuer: 'https://id.example.com',
 *   clientId: 'orders',
 *   clientSecret: process.env.CLIENT_SECRET,
 *   scope: 'stock.read',
 * }));
 * ```
 *
 * @throws {@link !TypeError} at creation, when an option is missing or out of range; it never quotes a secret.
 * The source itself fails with `TokenEndpointError` (RFC 6749 section 5.2, or an endpoint that cannot be reached or
 * trusted) or `InvalidTokenResponseError` (an answer that holds no token). Neither holds a secret.
 */
export function clientCredentials(options: ClientCredentialsOptions): TokenSource {
  requireObject(options);
  return grantSource(options, 'client_credentials', noParameters);
}
