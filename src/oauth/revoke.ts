import * as oauth from 'oauth4webapi';
import type { ServerLookup } from './authorizationServer.js';
import { boundedFetch, requestBy } from './boundedFetch.js';
import type { ClientIdentity } from './clientAuth.js';
import type { CheckedOptions } from './checkOptions.js';

/**
 * Revokes a token (RFC 7009) where the server has an endpoint for it. Best effort: there is no subscriber left to tell
 * of a failure.
 */
export type Revoke = (token: unknown, hint?: 'access_token' | 'refresh_token') => void;

/**
 * No caller waits for a revocation: a server that is slower than this keeps the token until it expires. Milliseconds.
 */
export const REVOCATION_TIMEOUT = 2_000;

export function createRevoke(options: CheckedOptions, servers: ServerLookup, identity: ClientIdentity): Revoke {
  async function revoke(token: string, token_type_hint: string): Promise<void> {
    // Its timer does not keep a Node process alive, but an unanswered request does until it fires.
    const signal = AbortSignal.timeout(REVOCATION_TIMEOUT);
    const server = await servers.get(signal);
    if (server.revocation_endpoint === undefined) return;
    const url = new URL(server.revocation_endpoint);
    await oauth.revocationRequest(server, ...identity(signal), token, {
      ...requestBy(boundedFetch('the revocation endpoint', options.fetch), url, signal),
      additionalParameters: { token_type_hint },
    });
  }

  // What a sign-in gave may be anything.
  return (token, hint = 'access_token') => {
    if (typeof token === 'string' && token !== '') revoke(token, hint).catch(() => undefined);
  };
}
