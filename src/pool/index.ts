export { createTokenPool, type TokenPool, type TokenPoolDeleteOptions } from './tokenPool.js';
export type { TokenPoolOptions } from './options.js';
export type { PooledTokenEvent } from './pooledEvents.js';
