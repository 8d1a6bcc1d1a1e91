export { createTokenPool, type PooledTokenEvent, type TokenPool, type TokenPoolDeleteOptions } from './tokenPool.js';
export type { TokenPoolOptions } from './options.js';
