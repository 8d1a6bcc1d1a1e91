/** One refresh through Redis: asks for a token or a lease until there is a token. */
import { firstValueFrom, merge, take } from 'rxjs';
import { isTokenError } from '../../errors.js';
import { abortable } from '../../internal/async/abortable.js';
import { headStartOf } from '../../internal/hiddenMembers.js';
import { fetchForStore } from '../../stores/fetchForStore.js';
import { sessionEnded } from '../../stores/session.js';
import { isGivenUp } from '../../stores/storeRefresh.js';
import { isPermanentFailure, retryAfterOf } from '../../answers/isPermanentFailure.js';
import type { StoredToken, TokenStore } from '../../token/tokenStore.js';
import { beginRefresh, isPrevious, useLocally, type RedisRefresh } from './redisRefresh.js';
import { RedisUnavailable } from '../scripts/boundedCalls.js';
import { commitToken } from './commitToken.js';
import { fetchUnderLease, giveBackLease, type LeaseGrant } from './fetchUnderLease.js';
import { pollPause } from './leaseTimes.js';
import type { Timed } from '../scripts/protocol.js';
import type { Acquired } from '../scripts/replies.js';
import { errorOf, isOfOneProcess } from './sharedFailure.js';
import { handOut, newerThan, receive, type StoreContext } from '../storeContext.js';

/** Between attempts to reach Redis while a caller waits for it. Milliseconds. */
const RETRY = 150;

export const sharedRefresh =
  (store: StoreContext): TokenStore['refresh'] =>
  (request, fetch) =>
    abortable((abandoned) => askUntilToken(store, beginRefresh(store, request, fetch, abandoned)));

/** Waits until something is pushed, at most `ms`. Does not keep the process alive. */
const sleep = ({ timers, wake$ }: StoreContext, ms: number): Promise<void> =>
  firstValueFrom(merge(timers.after(ms), wake$).pipe(take(1)));

async function askUntilToken(store: StoreContext, refresh: RedisRefresh): Promise<StoredToken> {
  try {
    for (let round = 0; !isGivenUp(refresh); round++) {
      const token = await askOnce(store, refresh, round);
      if (!token) continue;
      store.unreadable = undefined;
      store.pausedUntil = -Infinity;
      return token;
    }
  } catch (error) {
    if (isTokenError(error, 'ERR_TOKEN_STORE')) store.unreadable = error;
    store.pausedUntil = store.now() + (retryAfterOf(error, Date.now()) ?? 0);
    throw error;
  }
  throw sessionEnded();
}

/** A token of the cache that answers the refresh. */
const newerFor = (store: StoreContext, refresh: RedisRefresh) => {
  const newer = newerThan(store, refresh.beyond);
  return newer && !isPrevious(refresh, newer) ? newer : null;
};

/** Asks once; null: ask again. */
async function askOnce(store: StoreContext, refresh: RedisRefresh, round: number): Promise<StoredToken | null> {
  const newer = newerFor(store, refresh);
  if (newer) return handOut(store, newer, 'shared');
  let answer: Timed<Acquired>;
  try {
    // A sign-out that Redis has not heard of comes first, or it would hand out the token of the old session.
    await store.session.publishPending();
    const hasRefreshToken = store.onUnavailable === 'wait' && store.cache.last()?.response.refresh_token !== undefined;
    answer = await store.calls.acquire({ ...refresh, hasRefreshToken }, (late) => {
      // Without Redis this refresh does not ask again.
      const isOfNoUse = store.onUnavailable === 'local' || isGivenUp(refresh);
      if (late.type === 'lease' && isOfNoUse) void giveBackLease(store, late.fence);
    });
  } catch (failure) {
    if (!(failure instanceof RedisUnavailable)) throw failure;
    return withoutRedis(store, refresh, failure);
  }
  return onAnswer(store, refresh, answer, round);
}

async function withoutRedis(store: StoreContext, refresh: RedisRefresh, failure: unknown): Promise<StoredToken | null> {
  if (!refresh.isReported) refresh.request.report?.(failure);
  refresh.isReported = true;
  if (store.onUnavailable === 'local') return fetchLocally(store, refresh);
  await sleep(store, RETRY);
  return null;
}

async function onAnswer(
  store: StoreContext,
  refresh: RedisRefresh,
  answer: Timed<Acquired>,
  round: number,
): Promise<StoredToken | null> {
  switch (answer.type) {
    case 'token': {
      const token = await receive(store, answer.token);
      if (!token) return null;
      // The previous token was not in the cache: now its generation is known.
      if (!refresh.knowsPrevious && isPrevious(refresh, token)) {
        refresh.beyond = token.generation;
        refresh.knowsPrevious = true;
        return null;
      }
      return handOut(store, newerThan(store, token.generation) ?? token, 'shared');
    }
    case 'wait':
      if (!newerFor(store, refresh)) await sleep(store, pollPause(round, answer.left));
      return null;
    case 'pause':
      return onPause(store, refresh, answer);
    case 'lease':
      return onLease(store, refresh, answer);
    case 'nothing':
      return null;
  }
}

async function onPause(
  store: StoreContext,
  refresh: RedisRefresh,
  { left, failure }: { readonly left: number; readonly failure: string },
): Promise<null> {
  if (failure !== '') {
    const shared = await store.encryption.decrypt('failure', failure);
    // This process tries its own credentials, and does not wait until others have tried theirs again.
    const mayHaveBetter = isOfOneProcess(shared) && store.refusedAfter !== store.cache.newestGeneration();
    if (!mayHaveBetter) throw errorOf(shared, Math.ceil(left));
    if (!refresh.shortensPause) {
      refresh.shortensPause = true;
      return null;
    }
  }
  await sleep(store, left + 1);
  return null;
}

async function onLease(store: StoreContext, refresh: RedisRefresh, grant: LeaseGrant): Promise<StoredToken | null> {
  const fetched = await fetchUnderLease(store, grant, refresh).catch((error: unknown) => {
    if (isPermanentFailure(error)) store.refusedAfter = store.cache.newestGeneration();
    // Another process has led since, and stored a token: that one is handed out.
    if (newerFor(store, refresh)) return null;
    throw error;
  });
  return fetched && commitToken(store, refresh, fetched);
}

/**
 * Each process for itself, unless what Redis held was not readable: the source would present a refresh token that may
 * be used up.
 */
async function fetchLocally(store: StoreContext, refresh: RedisRefresh): Promise<StoredToken | null> {
  if (store.unreadable !== undefined) throw store.unreadable;
  if (isGivenUp(refresh)) return null;
  const begun = store.now();
  const response = await fetchForStore(refresh.fetch(store.cache.last()?.response ?? null), {
    abandoned: refresh.abandoned,
    timers: store.timers,
  });
  return useLocally(store, refresh, response, begun - headStartOf(refresh.request));
}
