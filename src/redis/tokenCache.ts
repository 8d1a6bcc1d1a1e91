/** The last tokens that this process knows, with their generations. */
import type { TokenResponse } from '../token/types.js';
import type { TokenRecord } from './tokenRecord.js';

/**
 * So many tokens have their generations remembered; a stream that lags further behind is found out by comparing values.
 */
const CAPACITY = 16;

/** The tokens that this process has seen, so that it can say which generation it wants to replace. */
export interface TokenCache {
  /** The newest one seen, whatever order they came in. */
  readonly newest: () => TokenRecord | null;
  /** The generation of a token, or `isExact: false` and the one that it came after here, 0 if it is not known at all. */
  readonly generationOf: (token: { readonly value: string } | null) => {
    readonly generation: number;
    readonly isExact: boolean;
  };
  readonly add: (token: TokenRecord) => void;
  /** A token that this process fetched and Redis has not stored: it has no generation. */
  readonly addLocal: (response: TokenResponse) => void;
  /** The last response that this process has fetched or been given, and the generation that it is, or came after. */
  readonly last: () => Pick<TokenRecord, 'generation' | 'response'> | null;
  readonly clear: () => void;
}

export function tokenCache(): TokenCache {
  let tokens: TokenRecord[] = [];
  let local: { readonly response: TokenResponse; readonly generation: number } | undefined;
  return {
    newest: () => tokens[0] ?? null,
    generationOf: (token) => {
      // The newest of that value: some servers give the same token until it ends.
      const known = tokens.find(({ response }) => response.access_token === token?.value);
      return known
        ? { generation: known.generation, isExact: true }
        : { generation: local && token?.value === local.response.access_token ? local.generation : 0, isExact: false };
    },
    add: (token) => {
      if (tokens.some(({ generation }) => generation === token.generation)) return;
      tokens = [...tokens, token].sort((a, b) => b.generation - a.generation).slice(0, CAPACITY);
    },
    addLocal: (response) => (local = { response, generation: tokens[0]?.generation ?? 0 }),
    last: () => (local && local.generation >= (tokens[0]?.generation ?? 0) ? local : (tokens[0] ?? null)),
    clear: () => {
      tokens = [];
      local = undefined;
    },
  };
}
