/** One refresh in a tab: the token at hand, or under the lock that of another tab, or a fetch. */
import { defaultIfEmpty, defer, filter, ignoreElements, map, merge, of, take, takeUntil, tap } from 'rxjs';
import { abortable } from '../internal/async/abortable.js';
import { headStartOf } from '../internal/hiddenMembers.js';
import { orAborted } from '../internal/async/onAbort.js';
import { stopwatch, type Aged } from '../internal/time/stopwatch.js';
import { fetchForStore } from '../stores/fetchForStore.js';
import { sessionEnded } from '../stores/session.js';
import type { StoreRefresh } from '../stores/storeRefresh.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { TokenResponse } from '../token/types.js';
import type { StoreContext } from './storeContext.js';
import { unthrottledTimer } from './unthrottledTimer.js';

interface TabRefresh extends StoreRefresh {
  /** The newest token when the refresh began. */
  readonly known: Aged<TokenResponse> | null;
}

export const sharedRefresh =
  (store: StoreContext): TokenStore['refresh'] =>
  (request, fetch) =>
    defer(() => {
      const { cache, session, changes } = store;
      const isSignedOut = session.watch();
      assertSession(isSignedOut);
      if (request.reason === 'rejected') cache.reject(request.previous?.value);
      const cached = cache.get(request.previous?.value);
      const known = cache.newest();
      const token$ = cached
        ? of(cached)
        : abortable((abandoned) => askThenFetch(store, { request, fetch, abandoned, isSignedOut, known }));
      return merge(changes.pipe(ignoreElements()), token$).pipe(
        take(1),
        tap(() => assertSession(isSignedOut)),
      );
    });

function assertSession(isSignedOut: StoreRefresh['isSignedOut']): void {
  if (isSignedOut()) throw sessionEnded();
}

/** Under the lock, which is held until a fetch is over, even if its caller has left. */
async function askThenFetch(store: StoreContext, refresh: TabRefresh): Promise<StoredToken> {
  const { abandoned } = refresh;
  try {
    return await store.queue.run(
      async () => (await askOthers(store, refresh)) ?? fetchToken(store, refresh),
      abandoned,
    );
  } catch (failure) {
    // Nobody replaces the rejected token now, and it may be good elsewhere.
    if (!abandoned.aborted) store.cache.giveOutAgain();
    throw failure;
  }
}

/** The token of another tab, which may have been quicker: its message may still be on its way. */
function askOthers(
  { askTimeout, cache, changes, others }: StoreContext,
  { request, abandoned, known }: TabRefresh,
): StoredToken | Promise<StoredToken | null> {
  const cached = () => cache.get(request.previous?.value, known);
  const answer$ = defer(() => {
    others.ask();
    return changes.pipe(map(cached), filter(Boolean));
  }).pipe(takeUntil(unthrottledTimer(askTimeout)), defaultIfEmpty(null));
  return cached() ?? orAborted(answer$, abandoned);
}

async function fetchToken(
  { cache, session, others, queue, timers }: StoreContext,
  { request, fetch, abandoned, isSignedOut }: TabRefresh,
): Promise<StoredToken> {
  assertSession(isSignedOut);
  session.bind();
  const age = stopwatch();
  const ended$ = session.ended$.pipe(tap(() => assertSession(isSignedOut)));
  const fetched$ = fetch(cache.lastResponse()?.response ?? null).pipe(takeUntil(ended$));
  const response = await fetchForStore(fetched$, { abandoned, timers });
  assertSession(isSignedOut);
  const stored: StoredToken = { response, age: age() + headStartOf(request), origin: 'fetched' };
  queue.reset();
  cache.clear();
  cache.add(response, stored.age);
  others.publish(stored);
  return stored;
}
