import type { TokenResponse } from '../token/types.js';
import type { Revoke } from './revoke.js';

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
