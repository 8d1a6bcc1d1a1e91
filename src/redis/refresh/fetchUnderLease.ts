/** The process that holds the lease fetches. */
import { headStartOf } from '../../internal/hiddenMembers.js';
import { retryAfterOf } from '../../answers/isPermanentFailure.js';
import { fetchForStore } from '../../stores/fetchForStore.js';
import type { TokenResponse } from '../../token/types.js';
import { storedLifetime } from '../../stores/storedResponse.js';
import { isGivenUp } from '../../stores/storeRefresh.js';
import { fetchTime, lifeOf, sharedPause, ttlOf } from './leaseTimes.js';
import type { Commit, Timed } from '../scripts/protocol.js';
import type { Acquired } from '../scripts/replies.js';
import type { RedisRefresh } from './redisRefresh.js';
import { sharedFailureOf } from './sharedFailure.js';
import type { StoreContext } from '../storeContext.js';
import { decryptRecord, type TokenRecord } from '../records/tokenRecord.js';

export type LeaseGrant = Timed<Extract<Acquired, { type: 'lease' }>>;

/** A token, and how it is stored. */
export interface Fetched {
  readonly token: TokenRecord;
  readonly commit: Commit;
}

/**
 * Fetches within the lease, even if the caller leaves meanwhile. If there is no token, the lease is given back, or ends
 * by itself if Redis does not answer. Null: nothing was fetched, since the lease was over or nobody waits any more.
 */
export async function fetchUnderLease(
  store: StoreContext,
  grant: LeaseGrant,
  refresh: RedisRefresh,
): Promise<Fetched | null> {
  const { encryption, now, timers, lifetime } = store;
  const { fence } = grant;
  const { request, abandoned, beyond, owner } = refresh;
  const last = await lastResponse(store, grant).catch(async (unreadable: unknown) => {
    // Nothing is fetched: the source would present a refresh token of its own, and it may be used up.
    await giveBackLease(store, fence);
    throw unreadable;
  });
  const begun = now();
  const limit = fetchTime(grant, begun, store.fetchTimeout);
  if (limit <= 0 || isGivenUp(refresh)) {
    await giveBackLease(store, fence);
    return null;
  }
  try {
    const response = await fetchForStore(refresh.fetch(last), { limit, abandoned, timers });
    // A source may share an exchange that was sent earlier.
    const requestedAt = begun - headStartOf(request);
    const took = now() - requestedAt;
    const life = lifeOf(storedLifetime(response, Date.now() - took, lifetime));
    // Redis spoke before its answer came, so by its clock this is when the fetch began, or a little sooner.
    const issued = Math.floor(grant.now + (requestedAt - grant.received));
    // The fence is the generation of the token: no other process gets the same.
    const token = { generation: fence, issued, life, response };
    const encrypted = await encryption.encrypt('token', token);
    const ttl = ttlOf(life, typeof response.refresh_token === 'string');
    return { token, commit: { generation: fence, issued, life, encrypted, beyond, requestedAt, took, ttl, owner } };
  } catch (error) {
    const pause = abandoned.aborted ? 0 : sharedPause(grant.failures, grant.life, retryAfterOf(error, Date.now()));
    const failure = pause > 0 ? await encryption.encrypt('failure', sharedFailureOf(error)).catch(() => '') : '';
    await giveBackLease(store, fence, pause, failure);
    throw error;
  }
}

/** If Redis does not hear of it, no process is held up for long: the lease ends by itself. */
export const giveBackLease = ({ calls }: StoreContext, fence: number, pause = 0, failure = ''): Promise<unknown> =>
  calls.fail(fence, pause, failure).catch(() => undefined);

/** The newest response that Redis or this process knows, expired or not: a refresh token that rotates is in it. */
async function lastResponse(store: StoreContext, { last }: LeaseGrant): Promise<TokenResponse | null> {
  const { cache, encryption, session } = store;
  const known = last && (await decryptRecord(encryption, last));
  // Redis may have lost a sign-out in a failover.
  const stored = known && session.hasEnded(known.generation) ? null : known;
  const own = cache.last(); // Redis may have lost it
  return (own && own.generation >= (stored?.generation ?? 0) ? own : stored)?.response ?? null;
}
