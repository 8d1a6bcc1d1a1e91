/** The last tokens that this process knows, with their generations. */
import type { TokenResponse } from '../../token/types.js';
import type { TokenRecord } from './tokenRecord.js';

/** So many generations are known. A stream with an older token is recognized by the value of its token. */
const CAPACITY = 16;

export type TokenCache = ReturnType<typeof createTokenCache>;

/** The tokens that this process has seen, so that it can say which generation it wants to replace. */
export function createTokenCache() {
  /** The newest first, whatever order they came in. */
  let tokens: readonly TokenRecord[] = [];
  /** A token that Redis has not stored, and the generation that it came after. */
  let local: Pick<TokenRecord, 'generation' | 'response'> | undefined;
  /** The generation of the last token that this process fetched. It is no news to its stream, even after `clear`. */
  let own = 0;
  const newest = () => tokens[0] ?? null;
  const newestGeneration = () => newest()?.generation ?? 0;
  return {
    newest,
    /** 0: there is no token. */
    newestGeneration,
    /** The generation of a token; if that is not known, the one that it came after here, or 0. */
    generationOf: (token: { readonly value: string } | null) => {
      // The newest of that value: some servers give the same token until it ends.
      const known = tokens.find(({ response }) => response.access_token === token?.value);
      if (known) return { generation: known.generation, isExact: true };
      return {
        generation: local && token?.value === local.response.access_token ? local.generation : 0,
        isExact: false,
      };
    },
    add: (token: TokenRecord): void => {
      if (tokens.some(({ generation }) => generation === token.generation)) return;
      tokens = [...tokens, token].sort((a, b) => b.generation - a.generation).slice(0, CAPACITY);
    },
    /** This process begins to store a token that it fetched: Redis may have it long before its answer comes. */
    storing: (generation: number): void => {
      own = Math.max(own, generation);
    },
    /** Whether this process has stored, or is storing, this token or a newer one. */
    isBehindOwn: (generation: number): boolean => generation <= own,
    /** A token that this process fetched and Redis has not stored: it has no generation. */
    addLocal: (response: TokenResponse): void => {
      local = { response, generation: newestGeneration() };
    },
    /** The last response that this process has fetched or been given, and the generation that it is, or came after. */
    last: () => (local && local.generation >= newestGeneration() ? local : newest()),
    clear: (): void => {
      tokens = [];
      local = undefined;
    },
  };
}
