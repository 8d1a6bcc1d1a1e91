import { defer, finalize, firstValueFrom, from, merge, take } from 'rxjs';
import { isTokenError, TokenStoreError } from '../errors.js';
import { headStartOf } from '../internal/sourceHooks.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import { beginAttempt, isOver, isPrevious, type Attempt } from './attempt.js';
import { RedisUnavailable } from './boundedCalls.js';
import { lead, type Grant, type LeaderContext, type Outcome } from './leader.js';
import { pollPause } from './lease.js';
import type { Timed } from './protocol.js';
import type { Acquired } from './replies.js';
import { errorOf } from './sharedFailure.js';
import type { StoreContext } from './storeContext.js';

/** Between attempts to reach Redis while somebody waits for it. Milliseconds. */
const RETRY = 150;

export function sharedRefresh(
  store: StoreContext,
  context: LeaderContext,
  onUnavailable: 'wait' | 'local',
): TokenStore['refresh'] {
  const { calls, cache, session, timers, now, wake$ } = store;
  /** Why the stored value could not be read, when that was last tried. */
  let unreadable: Error | undefined;

  /** Until something is pushed, at most so long; or for ever if nobody waits any more. */
  const sleep = (ms: number) => firstValueFrom(merge(timers.after(ms), wake$).pipe(take(1)));
  const giveBack = (fence: number) => {
    calls.fail(fence, 0, '').catch(() => undefined);
  };

  async function run(attempt: Attempt): Promise<StoredToken> {
    try {
      for (let round = 0; !isOver(attempt); round++) {
        const token = await step(attempt, round);
        if (!token) continue;
        unreadable = undefined;
        return token;
      }
    } catch (error) {
      if (isTokenError(error, 'ERR_TOKEN_STORE')) unreadable = error;
      throw error;
    }
    throw new TokenStoreError('the session was ended while its token was refreshed');
  }

  /** Asks once; null: ask again. */
  async function step(attempt: Attempt, round: number): Promise<StoredToken | null> {
    const newer = store.newerThan(attempt.beyond);
    if (newer && !isPrevious(attempt, newer)) return store.handOut(newer, 'shared');
    let answer: Timed<Acquired>;
    try {
      // A sign-out that Redis has not heard of comes first, or it would hand out the token of the old session.
      await session.flushed();
      answer = await calls.acquire(attempt, (late) => {
        if (late.type === 'lead' && isOver(attempt)) giveBack(late.fence);
      });
    } catch (failure) {
      if (!(failure instanceof RedisUnavailable)) throw failure;
      return withoutRedis(attempt, failure);
    }
    return onAnswer(attempt, answer, round);
  }

  async function withoutRedis(attempt: Attempt, failure: unknown): Promise<StoredToken | null> {
    if (onUnavailable === 'local') return fetchLocally(attempt);
    if (!attempt.isReported) attempt.request.report?.(failure);
    attempt.isReported = true;
    await sleep(RETRY);
    return null;
  }

  async function onAnswer(attempt: Attempt, answer: Timed<Acquired>, round: number): Promise<StoredToken | null> {
    switch (answer.type) {
      case 'token': {
        const token = await store.learn(answer.token);
        if (!token) return null;
        // The previous token was not in the cache: now its generation is known.
        if (!attempt.isSure && isPrevious(attempt, token)) {
          attempt.beyond = token.generation;
          attempt.isSure = true;
          return null;
        }
        return store.handOut(store.newerThan(token.generation) ?? token, 'shared');
      }
      case 'wait':
        if (!store.newerThan(attempt.beyond)) await sleep(pollPause(round, answer.left));
        return null;
      case 'pause':
        if (answer.failure !== '')
          throw errorOf(await context.sealing.open('failure', answer.failure), Math.ceil(answer.left));
        await sleep(answer.left + 1);
        return null;
      case 'lead':
        return onLease(attempt, answer);
      case 'nothing':
        return null;
    }
  }

  async function onLease(attempt: Attempt, grant: Grant): Promise<StoredToken | null> {
    if (isOver(attempt)) {
      giveBack(grant.fence);
      return null;
    }
    const { owner, beyond, fetch, request, abandoned, isSignedOut } = attempt;
    const headStart = () => headStartOf(request);
    let outcome: Outcome;
    try {
      outcome = await lead(context, grant, {
        owner,
        beyond,
        fetch,
        newest: cache.newest(),
        abandoned,
        isSignedOut,
        headStart,
      });
    } catch (error) {
      const newer = store.newerThan(beyond);
      if (newer) return store.handOut(newer, 'shared');
      throw error;
    }
    return isSignedOut() ? null : conclude(outcome);
  }

  async function conclude(outcome: Outcome): Promise<StoredToken | null> {
    switch (outcome.type) {
      case 'stored':
        cache.add(outcome.token);
        return store.handOut(outcome.token, 'fetched');
      case 'stale': {
        const token = outcome.token && (await store.learn(outcome.token));
        return token && store.handOut(token, 'shared');
      }
      case 'local':
        cache.addLocal(outcome.response);
        // The stored token may be sealed with a key that this process does not have: the next refresh reports that.
        outcome.later.then(concludeLater).catch(() => undefined);
        return { response: outcome.response, age: outcome.age, origin: 'fetched' };
      case 'tooLate':
        return null;
    }
  }

  /** Redis has taken the token after all, or has one of somebody who led since. */
  async function concludeLater(outcome: Outcome | null): Promise<void> {
    if (outcome?.type === 'stored' && !session.isEnded(outcome.token.generation)) cache.add(outcome.token);
    const token = outcome?.type === 'stale' && outcome.token ? await store.learn(outcome.token) : null;
    if (token) store.found$.next(token);
  }

  /** Each process for itself, unless what Redis held was not readable: the source would present a refresh token that may be used up. */
  async function fetchLocally(attempt: Attempt): Promise<StoredToken | null> {
    if (unreadable !== undefined) throw unreadable;
    attempt.isLocal = true;
    const askedAt = now();
    const response = await firstValueFrom(attempt.fetch(cache.newest()?.response ?? null));
    if (attempt.isSignedOut()) return null;
    cache.addLocal(response);
    return { response, age: Math.ceil(now() - askedAt + headStartOf(attempt.request)), origin: 'fetched' };
  }

  return (request, fetch) =>
    defer(() => {
      const leaving = new AbortController();
      return from(run(beginAttempt(store, request, fetch, leaving.signal))).pipe(
        finalize(() => {
          leaving.abort();
        }),
      );
    });
}
