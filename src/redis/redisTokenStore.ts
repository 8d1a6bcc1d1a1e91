/** The public function `redisTokenStore`: joins the parts of the store. */
import { ignoreElements, merge } from 'rxjs';
import type { TokenStore } from '../token/tokenStore.js';
import { settingsOf, type RedisTokenStoreOptions } from './options.js';
import { sharedRefresh } from './refresh/sharedRefresh.js';
import { createStoreContext } from './storeContext.js';
import { channelEvents } from './connection/channelEvents.js';
import { tokenChanges } from './tokenChanges.js';

/**
 * One token for all processes with one client id, shared through Redis. There is one fetch per token lifetime, and all
 * processes have the new token within milliseconds.
 *
 * One process at a time is the leader: it holds a lease, fetches, and stores the token. A fence (a number that only
 * grows) prevents a leader that was paused for longer than its lease from overwriting a newer token. The other
 * processes get the new token by a push, or when they ask Redis. A rejection names its token, so fifty processes whose
 * token was revoked cause one fetch. After a failed fetch all processes pause, and all get the failure: its class,
 * message, `status` and `error`.
 *
 * All times are on Redis' clock. Processes never compare their clocks, and no token counts as younger than it is.
 *
 * ```ts
 * import { createClient } from 'redis';
 * import { createTokenStream } from 'rx-fresh-token';
 * import { clientCredentials } from 'rx-fresh-token/oauth';
 * import { redisTokenStore } from 'rx-fresh-token/redis';
 *
 * const client = createClient({ url: process.env.REDIS_URL });
 * client.on('error', (error) => console.warn(error.message));
 * client.connect().catch(() => undefined); // not awaited: it stays pending while Redis is down
 * const token$ = createTokenStream(
 *   clientCredentials({ issuer: 'https://id.example.com', clientId: 'orders', clientSecret: process.env.CLIENT_SECRET }),
 *   { store: redisTokenStore({ client, key: 'orders', encryptionKey: { id: '2026', key: Buffer.from(process.env.TOKEN_KEY, 'base64') } }) },
 * );
 * ```
 *
 * @returns a store for one stream: each stream needs its own. The stores of one client share a connection for pushes,
 *   which is open until their streams are closed.
 * @throws {@link !TypeError} at creation, when an option is missing or out of range; it never quotes a key's bytes. If
 *   the stored value cannot be decrypted, a refresh fails with {@link TokenStoreError}, and the source is not called.
 *   While Redis does not answer, an event reports this error, and the refresh waits, or fetches with `onUnavailable:
 *   'local'`.
 */
export function redisTokenStore(options: RedisTokenStoreOptions): TokenStore {
  const store = createStoreContext(settingsOf(options));
  const changes = tokenChanges(store, channelEvents(store.client, store.channel));
  return {
    refresh: sharedRefresh(store),
    changes,
    signOut: store.session.signOut,
    // Redis says so in its answers; the channel only says when to ask.
    signedOut: merge(store.session.signedOut, changes.pipe(ignoreElements())),
  };
}
