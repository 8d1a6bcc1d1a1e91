import type { TokenResponse } from '../token/types.js';

/** A token with its place in the order of things. */
export interface KnownToken {
  readonly generation: number;
  /** By Redis' clock. */
  readonly issued: number;
  /** Milliseconds; -1 when unknown. */
  readonly life: number;
  readonly response: TokenResponse;
}

/** So many are told apart: a stream that lags further behind is told by comparing values. */
const REMEMBERED = 16;

/** Which tokens this process has seen, so that it can say which one it wants to get away from. */
export interface KnownTokens {
  /** The newest one seen, whatever order they came in. */
  readonly newest: () => KnownToken | null;
  /** The generation of a token, or `sure: false` and the one that it came after here, 0 if it is not known at all. */
  readonly generationOf: (token: { readonly value: string } | null) => {
    readonly generation: number;
    readonly sure: boolean;
  };
  readonly add: (token: KnownToken) => void;
  /** A token that this process uses although the others may not know it. */
  readonly addLocal: (response: TokenResponse) => void;
  readonly clear: () => void;
}

export function knownTokens(): KnownTokens {
  let tokens: KnownToken[] = [];
  let local: { readonly value: string; readonly after: number } | undefined;
  return {
    newest: () => tokens[0] ?? null,
    generationOf: (token) => {
      // The newest of that value: some servers give the same token until it ends.
      const known = tokens.find(({ response }) => response.access_token === token?.value);
      return known
        ? { generation: known.generation, sure: true }
        : { generation: local && token?.value === local.value ? local.after : 0, sure: false };
    },
    add: (token) => {
      if (tokens.some(({ generation }) => generation === token.generation)) return;
      tokens = [...tokens, token].sort((a, b) => b.generation - a.generation).slice(0, REMEMBERED);
    },
    addLocal: ({ access_token: value }) => (local = { value, after: tokens[0]?.generation ?? 0 }),
    clear: () => {
      tokens = [];
      local = undefined;
    },
  };
}
