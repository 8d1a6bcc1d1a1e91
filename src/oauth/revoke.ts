import * as oauth from 'oauth4webapi';
import type { AccessToken } from '../token/types.js';
import type { ServerLookup } from './authorizationServer.js';
import { boundedFetch } from './boundedFetch.js';
import { clientOf } from './clientAuth.js';
import type { OAuthOptions } from './options.js';
import { requestBy } from './requestBy.js';

/** Nobody waits for a revocation: a server that is slower than this keeps the token until it expires. Milliseconds. */
export const REVOCATION_TIMEOUT = 2_000;

/** Revokes a token (RFC 7009), best effort: there is no one left to tell of a failure. */
export function revokeBy(options: OAuthOptions, servers: ServerLookup, clientAuth: oauth.ClientAuth, skew: () => number): (token: AccessToken | null) => void {
  const revoke = async (token: AccessToken) => {
    // Its timer does not keep a Node process alive, but an unanswered request does until it fires.
    const signal = AbortSignal.timeout(REVOCATION_TIMEOUT);
    const { issuer, revocation_endpoint } = await servers.get(signal);
    if (revocation_endpoint === undefined) return;
    await oauth.revocationRequest({ issuer, revocation_endpoint }, clientOf(options, skew()), clientAuth, token.value, {
      ...requestBy(boundedFetch('the revocation endpoint', options.fetch), new URL(revocation_endpoint), signal),
      additionalParameters: { token_type_hint: 'access_token' },
    });
  };
  return (token) => {
    if (token) revoke(token).catch(() => undefined);
  };
}
