import { asyncScheduler, ignoreElements, merge, Subject } from 'rxjs';
import { createTimers } from '../internal/timers.js';
import type { TokenStore } from '../token/tokenStore.js';
import { storeSettings, type RedisTokenStoreOptions } from './options.js';
import { protocol } from './protocol.js';
import { sealing } from './sealing.js';
import { createSession } from './session.js';
import { sharedRefresh } from './sharedRefresh.js';
import { storeContext } from './storeContext.js';
import { channelEvents } from './subscription.js';
import { tokenCache } from './tokenCache.js';
import { tokenChanges } from './tokenChanges.js';
import type { TokenRecord } from './tokenRecord.js';

/**
 * One token for all processes with one client identity, shared through Redis: one fetch per token lifetime for the
 * whole fleet, and everyone has the new token within milliseconds.
 *
 * One process at a time leads: it holds a lease, fetches, and stores under a fence that only ever grows, so that one
 * whose process was paused past its lease cannot overwrite what came after. The others hear of the new token by a push,
 * or find it when they ask. A rejection names the token it is about, so fifty processes whose token was revoked cost
 * one fetch. A failed fetch makes everybody pause, and everybody gets that failure: its class, message, `status` and
 * `error`.
 *
 * Times are Redis' own. Processes never compare clocks, and no token is thought younger than it is.
 *
 * ```ts
 * import { createClient } from 'redis';
 * import { createTokenStream } from 'rx-fresh-token';
 * import { clientCredentials } from 'rx-fresh-token/oauth';
 * import { redisTokenStore } from 'rx-fresh-token/redis';
 *
 * const client = createClient({ url: process.env.REDIS_URL });
 * client.on('error', (error) => console.warn(error.message));
 * await client.connect();
 * const token$ = createTokenStream(
 *   clientCredentials({ issuer: 'https://id.example.com', clientId: 'orders', clientSecret: process.env.CLIENT_SECRET }),
 *   { store: redisTokenStore({ client, key: 'orders', encryptionKey: { id: '2026', key: Buffer.from(process.env.TOKEN_KEY, 'base64') } }) },
 * );
 * ```
 *
 * @returns a store for one stream: give each stream its own. The stores of one client share a connection for pushes,
 *   which
 * is open until their streams are closed.
 * @throws {@link !TypeError} at creation, when an option is missing or out of range; it never quotes a key's bytes.
 * A refresh fails with {@link TokenStoreError}, and the source is not asked, when what is stored cannot be opened;
 * while Redis does not answer, that error is reported as an event, and the refresh goes on, or with
 * `onUnavailable: 'local'` fetches.
 */
export function redisTokenStore(options: RedisTokenStoreOptions): TokenStore {
  const settings = storeSettings(options);
  const { client, channel, hashKey, keys, fetchTimeout, lifetime, onUnavailable } = settings;
  // A clock that is never set. The timers do not keep a process alive: the stream does, while it has a subscriber.
  const now = () => performance.now();
  const timers = createTimers(asyncScheduler);
  const cache = tokenCache();
  const wake$ = new Subject<void>();
  const session = createSession((id) => calls.signOut(id, cache.newest()?.generation ?? 0), {
    timers,
    onEnd: () => {
      cache.clear();
      wake$.next();
    },
  });
  const calls = protocol(settings, now, timers, session.onAnswer);
  const seals = sealing(keys, hashKey);
  const store = storeContext({
    storeId: crypto.randomUUID(),
    calls,
    cache,
    session,
    sealing: seals,
    now,
    timers,
    wake$,
    found$: new Subject<TokenRecord>(),
  });
  const changes = tokenChanges(store, channelEvents(client, channel));
  return {
    refresh: sharedRefresh(store, { calls, sealing: seals, fetchTimeout, lifetime, now, timers }, onUnavailable),
    changes,
    signOut: session.signOut,
    // Redis says so in its answers; the channel only says when to ask.
    signedOut: merge(session.signedOut, changes.pipe(ignoreElements())),
  };
}
