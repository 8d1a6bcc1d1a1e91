import { createHash } from 'node:crypto';

export interface KnownToken {
  /** From 0, in the order in which they came. */
  readonly number: number;
  readonly id: string;
  /** On the run's clock; Infinity when nobody knows. */
  readonly expiresAt: number;
  /** How long the machine had slept when the token came. */
  readonly slept: number;
}

export interface TokenRegistry {
  /** The latest of them. */
  readonly current: KnownToken | undefined;
  add(value: string, token: Omit<KnownToken, 'number'>): KnownToken;
  find(value: string): KnownToken | undefined;
}

/** A client has few tokens in use at a time. */
const KEPT = 64;

/** The tokens of one client by their value, so that a request can be told by its token. The values go nowhere else. */
export function tokenRegistry(): TokenRegistry {
  const tokens = new Map<string, KnownToken>();
  let number = 0;
  let current: KnownToken | undefined;
  return {
    get current() {
      return current;
    },
    find: (value) => tokens.get(value),
    add: (value, token) => {
      current = { ...token, number: tokens.get(value)?.number ?? number++ };
      tokens.set(value, current);
      for (const oldest of tokens.keys()) if (tokens.size > KEPT) tokens.delete(oldest);
      return current;
    },
  };
}

/** Tells tokens apart without showing them. */
export const fingerprint = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 8);
