// Compiled only.
import { expectTypeOf } from 'expect-type';
import type { Observable } from 'rxjs';
import type { TokenEvent, TokenSource, TokenStream } from 'rx-fresh-token';
import { createTokenPool, type PooledTokenEvent, type TokenPool } from 'rx-fresh-token/pool';
import { redisTokenStore, type RedisClient } from 'rx-fresh-token/redis';

interface Tenant {
  readonly id: string;
  readonly audience?: string;
}
declare const source: TokenSource;
declare const client: RedisClient;

const tokens = createTokenPool(
  (tenant: Tenant) => (request) => source({ ...request, reason: tenant.id as 'initial' }),
  {
    max: 10_000,
    concurrency: 8,
    store: (id) => redisTokenStore({ client, key: id }),
    maxWait: 5000,
    idleTimeout: undefined,
  },
);
expectTypeOf(tokens).toEqualTypeOf<TokenPool<Tenant>>();
expectTypeOf(tokens.get({ id: 'a' })).toEqualTypeOf<TokenStream>();
expectTypeOf(tokens.events).toEqualTypeOf<Observable<PooledTokenEvent<Tenant>>>();
expectTypeOf<PooledTokenEvent<Tenant>>().toExtend<TokenEvent & { readonly key: Tenant }>();
tokens.events.subscribe((event) => {
  if (event.type === 'refreshFailed') expectTypeOf(event.message).toBeString();
  expectTypeOf(event.key).toEqualTypeOf<Tenant>();
});
tokens.delete({ id: 'a' }, { signOut: true });

// @ts-expect-error the id is forgotten
void tokens.get({ audience: 'stock' });
// @ts-expect-error a store for each key, not one for all
void createTokenPool(() => source, { store: redisTokenStore({ client, key: 'a' }) });
// @ts-expect-error all keys would start from one token
void createTokenPool(() => source, { initial: { access_token: 'T' } });
// @ts-expect-error a source for each key, not one for all
void createTokenPool(source);
