/** The entry `rx-fresh-token/pool`: many token streams, one for each tenant, user or audience. */
export { createTokenPool, type PooledTokenEvent, type TokenPool, type TokenPoolDeleteOptions } from './tokenPool.js';
export type { TokenPoolOptions } from './options.js';
