/** Revokes tokens at the end of a session, and remembers them so that they are not used again. */
import * as oauth from 'oauth4webapi';
import type { TokenResponse } from '../token/types.js';
import type { ServerLookup } from './authorizationServer.js';
import { boundedFetch, requestOptions } from './boundedFetch.js';
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
      ...requestOptions(boundedFetch('the revocation endpoint', options.fetch), url, signal),
      additionalParameters: { token_type_hint },
    });
  }

  // `reauthenticate` may return a refresh_token of any type.
  return (token, hint = 'access_token') => {
    if (typeof token === 'string' && token !== '') revoke(token, hint).catch(() => undefined);
  };
}

export type ForgottenTokens = ReturnType<typeof createForgottenTokens>;

/** The tokens of sessions that have ended: they are not used again, wherever they come from. */
export function createForgottenTokens(revoke: Revoke) {
  const tokens = new Set<unknown>();
  const revokeOnce: Revoke = (token, hint) => {
    if (!tokens.has(token)) revoke(token, hint);
    tokens.add(token);
  };
  return {
    has: (token: string) => tokens.has(token),
    add: (...more: unknown[]) => {
      for (const token of more) tokens.add(token);
    },
    /** Forgets the tokens of a response, or of a part of one, and revokes each once. */
    revoke: (response: Partial<TokenResponse> | undefined) => {
      revokeOnce(response?.refresh_token, 'refresh_token');
      revokeOnce(response?.access_token, 'access_token');
    },
  };
}
