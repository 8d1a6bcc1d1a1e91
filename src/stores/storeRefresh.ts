/** One call of the `refresh` of a store. */
import type { TokenStore } from '../token/tokenStore.js';
import type { TokenRequest } from '../token/types.js';

/** Asks the source of a stream, and gives it the last response. */
export type Fetch = Parameters<TokenStore['refresh']>[1];

/** One call of the store's `refresh`, until it has a token or no subscriber waits for it. */
export interface StoreRefresh {
  readonly request: TokenRequest;
  readonly fetch: Fetch;
  readonly abandoned: AbortSignal;
  readonly isSignedOut: () => boolean;
}

/** Nobody waits for it any more, or its session has ended. */
export const isGivenUp = ({ abandoned, isSignedOut }: StoreRefresh): boolean => abandoned.aborted || isSignedOut();
