/** The list of issued tokens, by which a test API decides whether a token is valid. */
import type { AccessToken } from '../token/types.js';

/** What has become of a token, as its issuer knows it. */
export type TokenFate = 'alive' | 'expired' | 'revoked' | 'unknown';

/** An issuer of tokens, which can say which of them are alive. */
export interface TokenRegister {
  /** `unknown`: no token of that value was ever issued. */
  readonly fateOf: (value: string) => TokenFate;
  /** Ends a token at once and permanently: a value that is issued again stays revoked. */
  readonly revoke: (token: string | Pick<AccessToken, 'value'>) => void;
}

/** @param now the issuer's own clock, in ms: a client's that is wrong changes no token's life */
export function createTokenRegister(now: () => number) {
  const ends = new Map<string, number>();
  const revoked = new Set<string>();
  return {
    fateOf: (value: string): TokenFate => {
      const endsAt = ends.get(value);
      return revoked.has(value) ? 'revoked' : endsAt === undefined ? 'unknown' : now() < endsAt ? 'alive' : 'expired';
    },
    revoke: (token: string | Pick<AccessToken, 'value'>): void => {
      revoked.add(typeof token === 'string' ? token : token.value);
    },
    issue: (value: string, endsAt: number): void => {
      ends.set(value, endsAt);
    },
  };
}
