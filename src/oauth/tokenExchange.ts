/** The public function `tokenExchange`: the source for a service that calls another one for a user. */
import { requireObject } from '../internal/values/validate.js';
import type { TokenSource } from '../token/types.js';
import { grantSource } from './grantSource.js';
import type { OAuthOptions } from './options.js';
import { checkSupplied, supplied, type Supplied } from './checks/supplied.js';
import { checkText } from './checks/textOption.js';

export interface TokenExchangeOptions extends OAuthOptions {
  /**
   * The token to exchange: the new token has the rights of its user. A function is called for each fetch, since this
   * token expires too.
   */
  subjectToken: Supplied;
  /** What kind of token it is. Default `urn:ietf:params:oauth:token-type:access_token`. */
  subjectTokenType?: string | undefined;
  /** The token of the party that acts for the subject, if the server shall note it. */
  actorToken?: Supplied | undefined;
  /** What kind of token that is. Default `urn:ietf:params:oauth:token-type:access_token`. */
  actorTokenType?: string | undefined;
  /** The kind of token that is wanted. Default: the server's. */
  requestedTokenType?: string | undefined;
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/**
 * A token in exchange for another one (RFC 8693). For example, the token of a caller for a token that the next service
 * accepts. `subjectToken` may come from another stream: `() => user$.pipe(take(1), map((token) => token.value))`.
 *
 * Throws and fails as `clientCredentials` does, or with what `subjectToken` or `actorToken` failed with.
 */
export function tokenExchange(options: TokenExchangeOptions): TokenSource {
  requireObject(options);
  const {
    subjectToken,
    subjectTokenType = ACCESS_TOKEN,
    actorToken,
    actorTokenType = ACCESS_TOKEN,
    requestedTokenType,
    ...others
  } = options;
  checkSupplied('subjectToken', subjectToken);
  if (actorToken !== undefined) checkSupplied('actorToken', actorToken);
  checkText('subjectTokenType', subjectTokenType);
  checkText('actorTokenType', actorTokenType);
  if (requestedTokenType !== undefined) checkText('requestedTokenType', requestedTokenType);
  return grantSource(others, 'urn:ietf:params:oauth:grant-type:token-exchange', async (signal) => {
    const [subject, actor] = await Promise.all([
      supplied('subjectToken', subjectToken, signal),
      actorToken === undefined ? undefined : supplied('actorToken', actorToken, signal),
    ]);
    return {
      subject_token: subject,
      subject_token_type: subjectTokenType,
      requested_token_type: requestedTokenType,
      ...(actor !== undefined && { actor_token: actor, actor_token_type: actorTokenType }),
    };
  });
}
