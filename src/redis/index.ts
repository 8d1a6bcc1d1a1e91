/** The entry `rx-fresh-token/redis`: a store that shares one token through Redis, and credentials for Redis. */
export { redisTokenStore } from './redisTokenStore.js';
export { streamingCredentials } from './streamingCredentials.js';
export type { RedisCredentials, StreamingCredentials, StreamingCredentialsOptions } from './streamingCredentials.js';
export type { RedisTokenStoreOptions } from './options.js';
export type { EncryptionKey } from './records/encryption.js';
export type { IoredisClient, NodeRedisClient, RedisClient } from './connection/client.js';
export { TokenStoreError } from '../errors.js';
