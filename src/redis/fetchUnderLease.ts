/** The process that holds the lease fetches, and stores what it got. */
import { firstValueFrom } from 'rxjs';
import { headStartOf } from '../internal/hiddenMembers.js';
import { retryAfterOf } from '../answers/isPermanentFailure.js';
import { fetchForStore } from '../stores/fetchForStore.js';
import type { TokenResponse } from '../token/types.js';
import { storedLifetime } from '../stores/storedResponse.js';
import { isClosed } from './client.js';
import { fetchTime, lifeOf, sharedPause, ttlOf } from './leaseTimes.js';
import type { Commit, Timed } from './protocol.js';
import type { Acquired, EncryptedToken } from './replies.js';
import { isFinished, type RedisRefresh } from './redisRefresh.js';
import { sharedFailureOf } from './sharedFailure.js';
import type { StoreContext } from './storeContext.js';
import { decryptRecord, type TokenRecord } from './tokenRecord.js';

export type LeaseGrant = Timed<Extract<Acquired, { type: 'lease' }>>;

export type CommitOutcome =
  /** Stored, for all. */
  | { readonly type: 'stored'; readonly token: TokenRecord }
  /** Someone else leads, or has stored a token or signed out since: the stored token counts, if there is one. */
  | { readonly type: 'stale'; readonly token: EncryptedToken | null };

/** Redis did not take the token in time: this process uses it, and `later` tells what came of it. */
export interface Uncommitted {
  readonly type: 'local';
  readonly failure: unknown;
  readonly response: TokenResponse;
  readonly age: number;
  readonly later: Promise<CommitOutcome | null>;
}

/** Between attempts to store a token that Redis did not take. Milliseconds. */
const COMMIT_PAUSE = 250;

/**
 * They end after this time; with a refresh token, which would be lost, only when Redis would drop the token.
 * Milliseconds.
 */
const COMMIT_TIMEOUT = 60_000;

/**
 * Fetches within the lease, and stores, even if the caller leaves meanwhile. The lease is given back, or ends by itself
 * if Redis does not answer. Null: nothing was fetched, since the lease was over or nobody waits any more.
 */
export async function fetchUnderLease(
  store: StoreContext,
  grant: LeaseGrant,
  refresh: RedisRefresh,
): Promise<CommitOutcome | Uncommitted | null> {
  const { encryption, now } = store;
  const { fence } = grant;
  const last = await lastResponse(store, grant).catch(async (unreadable: unknown) => {
    // Nothing is fetched: the source would present a refresh token of its own, and it may be used up.
    await giveBackLease(store, fence);
    throw unreadable;
  });
  const begun = now();
  const limit = fetchTime(grant, begun, store.fetchTimeout);
  if (limit <= 0 || isFinished(refresh)) {
    await giveBackLease(store, fence);
    return null;
  }
  const fetched = await fetchToken(store, grant, refresh, { last, begun, limit }).catch(async (error: unknown) => {
    const pause = refresh.abandoned.aborted
      ? 0
      : sharedPause(grant.failures, grant.life, retryAfterOf(error, Date.now()));
    const failure = pause > 0 ? await encryption.encrypt('failure', sharedFailureOf(error)).catch(() => '') : '';
    await giveBackLease(store, fence, pause, failure);
    throw error;
  });
  store.cache.storing(fence);
  return commitUntilTaken(store, fetched, refresh);
}

/** A token, and how it is stored. */
interface Fetched {
  readonly token: TokenRecord;
  readonly commit: Commit;
}

async function fetchToken(
  { encryption, now, timers, lifetime }: StoreContext,
  { fence, now: redisNow, received }: LeaseGrant,
  { request, fetch, abandoned, beyond, owner }: RedisRefresh,
  { last, begun, limit }: { last: TokenResponse | null; begun: number; limit: number },
): Promise<Fetched> {
  const response = await fetchForStore(fetch(last), { limit, abandoned, timers });
  // A source may share an exchange that was sent earlier.
  const requestedAt = begun - headStartOf(request);
  const took = now() - requestedAt;
  const life = lifeOf(storedLifetime(response, Date.now() - took, lifetime));
  // Redis spoke before its answer came, so by its clock this is when the fetch began, or a little sooner.
  const issued = Math.floor(redisNow + (requestedAt - received));
  // A commit stores under the fence; no other process can have it.
  const token = { generation: fence, issued, life, response };
  const encrypted = await encryption.encrypt('token', token);
  const ttl = ttlOf(life, typeof response.refresh_token === 'string');
  return { token, commit: { fence, beyond, requestedAt, issued, life, took, ttl, owner, encrypted } };
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

async function commitUntilTaken(
  { calls, now, timers, onUnavailable, client }: StoreContext,
  { token, commit }: Fetched,
  { isSignedOut }: RedisRefresh,
): Promise<CommitOutcome | Uncommitted> {
  const { requestedAt, life, ttl } = commit;
  // Nobody else has the new refresh token. (With 'local' this process has gone on to later ones by then.)
  const isNeeded = onUnavailable === 'wait' && token.response.refresh_token !== undefined;
  const commitOnce = async (): Promise<CommitOutcome> => {
    if (isSignedOut()) return { type: 'stale', token: null };
    const answer = await calls.commit(commit);
    return answer.type === 'stale' ? answer : { type: 'stored', token };
  };
  const repeat = async (): Promise<CommitOutcome | null> => {
    const begun = now();
    const usual = life < 0 ? COMMIT_TIMEOUT : Math.min(life, COMMIT_TIMEOUT);
    while (now() - begun < (isNeeded && !isClosed(client) ? ttl : usual)) {
      await firstValueFrom(timers.after(COMMIT_PAUSE));
      const outcome = await commitOnce().catch(() => null);
      if (outcome) return outcome;
    }
    return null;
  };
  try {
    return await commitOnce();
  } catch (failure) {
    return { type: 'local', failure, response: token.response, age: Math.ceil(now() - requestedAt), later: repeat() };
  }
}
