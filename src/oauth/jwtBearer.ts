/** The public function `jwtBearer`: the source for service accounts that sign a JWT. */
import { requireObject } from '../internal/values/validate.js';
import type { TokenSource } from '../token/types.js';
import { grantSource } from './grantSource.js';
import type { OAuthOptions } from './options.js';
import { checkSupplied, supplied, type Supplied } from './checks/supplied.js';

export interface JwtBearerOptions extends OAuthOptions {
  /**
   * The signed JWT to exchange, or a function that makes one. The function is called for each fetch, because an
   * assertion expires, too.
   */
  assertion: Supplied;
}

/**
 * A token for a signed JWT (RFC 7523 section 2.1), as Google's service accounts and Salesforce require it.
 *
 * Throws and fails as `clientCredentials` does, or with what `assertion` failed with.
 */
export function jwtBearer(options: JwtBearerOptions): TokenSource {
  requireObject(options);
  const { assertion, ...others } = options;
  checkSupplied('assertion', assertion);
  return grantSource(others, 'urn:ietf:params:oauth:grant-type:jwt-bearer', async (signal) => ({
    assertion: await supplied('assertion', assertion, signal),
  }));
}
