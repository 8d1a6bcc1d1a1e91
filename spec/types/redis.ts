// Compiled only.
import { expectTypeOf } from 'expect-type';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import type { TokenError, TokenStore, TokenStream } from 'rx-fresh-token';
import {
  redisTokenStore,
  streamingCredentials,
  TokenStoreError,
  type EncryptionKey,
  type RedisTokenStoreOptions,
} from 'rx-fresh-token/redis';

const key = 'k';
expectTypeOf(redisTokenStore({ client: createClient(), key })).toEqualTypeOf<TokenStore>();
void redisTokenStore({ client: createCluster({ rootNodes: [] }), key });
void redisTokenStore({ client: createSentinel({ name: 'm', sentinelRootNodes: [] }), key });
void redisTokenStore({ client: createClientPool(), key });
void redisTokenStore({ client: new Redis(), key });
void redisTokenStore({ client: new Cluster([]), key });
void redisTokenStore({ client: new Redis(), key, encryptionKey: { id: 'a', key: Buffer.alloc(32) } });
void redisTokenStore({ client: new Redis(), key, encryptionKey: [{ id: 'a', key: Buffer.alloc(32) }] as const });

// @ts-expect-error a key is needed
void redisTokenStore({ client: new Redis() });
// @ts-expect-error that is no client
void redisTokenStore({ client: {}, key });
// @ts-expect-error one of two
void redisTokenStore({ client: new Redis(), key, onUnavailable: 'panic' });
expectTypeOf<RedisTokenStoreOptions['encryptionKey']>().toEqualTypeOf<
  EncryptionKey | readonly EncryptionKey[] | undefined
>();
expectTypeOf<TokenStoreError>().toExtend<TokenError>();
expectTypeOf<TokenStoreError['code']>().toEqualTypeOf<'ERR_TOKEN_STORE'>();

declare const token$: TokenStream;
void createClient({ credentialsProvider: streamingCredentials(token$, { username: 'app' }) });
void createCluster({ rootNodes: [], defaults: { credentialsProvider: streamingCredentials(token$) } });
// @ts-expect-error that is no stream
void streamingCredentials('token');
// @ts-expect-error a name is a string
void streamingCredentials(token$, { username: 7 });
