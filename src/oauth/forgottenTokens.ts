import type { TokenResponse } from '../token/types.js';
import type { Revoke } from './revoke.js';

/** The tokens of sessions that have ended: they are not used again, whoever gives them. */
export interface ForgottenTokens {
  has(token: string): boolean;
  add(...tokens: unknown[]): void;
  /** Forgets the tokens of a response, or of a part of one, and revokes each once. */
  revoke(response: Partial<TokenResponse> | undefined): void;
}

export function forgottenTokens(revoke: Revoke): ForgottenTokens {
  const tokens = new Set<unknown>();
  const revokeOnce: Revoke = (token, hint) => {
    if (tokens.has(token)) return;
    tokens.add(token);
    revoke(token, hint);
  };
  return {
    has: (token) => tokens.has(token),
    add: (...more) => {
      for (const token of more) tokens.add(token);
    },
    revoke: (response) => {
      revokeOnce(response?.refresh_token, 'refresh_token');
      revokeOnce(response?.access_token, 'access_token');
    },
  };
}
