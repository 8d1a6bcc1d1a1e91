/** Revokes tokens at the end of a session, and remembers them so that they are not used again. */
import * as oauth from 'oauth4webapi';
import { asyncScheduler } from 'rxjs';
import { createTimers } from '../../internal/time/timers.js';
import type { TokenResponse } from '../../token/types.js';
import type { ServerLookup } from './authorizationServer.js';
import { boundedFetch, requestOptions } from './boundedFetch.js';
import type { ClientIdentity } from './clientAuth.js';
import type { CheckedOptions } from '../checks/checkOptions.js';

export type TokenHint = 'access_token' | 'refresh_token';

/**
 * No caller waits for a revocation: a server that is slower than this keeps the token until it expires. Milliseconds.
 */
export const REVOCATION_TIMEOUT = 2_000;

/** Sends one revocation, if the server has an endpoint for it (RFC 7009). */
export async function sendRevocation(
  token: string,
  token_type_hint: TokenHint,
  options: CheckedOptions,
  servers: ServerLookup,
  identity: (signal: AbortSignal) => ClientIdentity,
): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  // Not AbortSignal.timeout, which React Native lacks. The timer does not keep a Node process alive, but an unanswered
  // request does until it fires.
  createTimers(asyncScheduler)
    .after(REVOCATION_TIMEOUT)
    .subscribe(() => controller.abort());
  const server = await servers.get(signal);
  if (server.revocation_endpoint === undefined) return;
  const url = new URL(server.revocation_endpoint);
  await oauth.revocationRequest(server, ...identity(signal), token, {
    ...requestOptions(boundedFetch('the revocation endpoint', options.fetch), url, signal),
    additionalParameters: { token_type_hint },
  });
}

export type ForgottenTokens = ReturnType<typeof createForgottenTokens>;

/** The tokens of sessions that have ended: they are not used again, wherever they come from. */
export function createForgottenTokens(endpoint: { revoke(token: unknown, hint: TokenHint): void }) {
  const tokens = new Set<unknown>();
  const revokeOnce = (token: unknown, hint: TokenHint) => {
    if (!tokens.has(token)) endpoint.revoke(token, hint);
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
