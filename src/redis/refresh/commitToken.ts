/** Stores a fetched token in Redis; if Redis does not take it in time, this process uses it, and goes on trying. */
import { firstValueFrom } from 'rxjs';
import type { StoredToken } from '../../token/tokenStore.js';
import { isClosed } from '../connection/client.js';
import type { Fetched } from './fetchUnderLease.js';
import { useLocally, type RedisRefresh } from './redisRefresh.js';
import type { CommitResult } from '../scripts/replies.js';
import { handOut, keep, receive, type StoreContext } from '../storeContext.js';
import type { TokenRecord } from '../records/tokenRecord.js';

/** Between attempts to store a token that Redis did not take. Milliseconds. */
const PAUSE = 250;

/**
 * They end after this time; with a refresh token, which would be lost, only when Redis would drop the token.
 * Milliseconds.
 */
const TIMEOUT = 60_000;

/** Stores the token, and hands out the one that is in Redis then; null if there is none, or its session has ended. */
export async function commitToken(
  store: StoreContext,
  refresh: RedisRefresh,
  fetched: Fetched,
): Promise<StoredToken | null> {
  const { token, commit } = fetched;
  const { request, isSignedOut } = refresh;
  const commitOnce = async (): Promise<CommitResult> =>
    isSignedOut() ? { type: 'stale', token: null } : store.calls.commit(commit);
  /** Puts the token that is in Redis now into the cache, if there is one of this session. */
  const takeIn = async (result: CommitResult): Promise<TokenRecord | null> =>
    result.type === 'stored' ? keep(store, token) : result.token && receive(store, result.token);
  const commitLater = async () => {
    const result = await repeatUntilTaken(store, fetched, commitOnce);
    const taken = result && (await takeIn(result));
    if (taken) store.found$.next(taken);
  };

  store.cache.storing(token.generation);
  let result: CommitResult;
  try {
    result = await commitOnce();
  } catch (failure) {
    // The stored token may be encrypted with a key that this process does not have: the next refresh reports that.
    commitLater().catch(() => undefined);
    request.report?.(failure);
    return useLocally(store, refresh, token.response, commit.requestedAt);
  }
  if (isSignedOut()) return null;
  const taken = await takeIn(result);
  return taken && handOut(store, taken, result.type === 'stored' ? 'fetched' : 'shared');
}

/** Null: Redis has not taken it in time. */
async function repeatUntilTaken(
  { now, timers, onUnavailable, client }: StoreContext,
  { token: { life, response }, commit: { ttl } }: Fetched,
  commitOnce: () => Promise<CommitResult>,
): Promise<CommitResult | null> {
  // Nobody else has the new refresh token. (With 'local' this process has gone on to later ones by then.)
  const isNeeded = onUnavailable === 'wait' && response.refresh_token !== undefined;
  const usual = life < 0 ? TIMEOUT : Math.min(life, TIMEOUT);
  const begun = now();
  while (now() - begun < (isNeeded && !isClosed(client) ? ttl : usual)) {
    await firstValueFrom(timers.after(PAUSE));
    const result = await commitOnce().catch(() => null);
    if (result) return result;
  }
  return null;
}
