/** The public function `tabTokenStore`, and the steps of a refresh in a tab: lock, ask the others, fetch. */
import {
  asyncScheduler,
  defaultIfEmpty,
  defer,
  filter,
  ignoreElements,
  map,
  merge,
  of,
  take,
  takeUntil,
  tap,
  type Observable,
} from 'rxjs';
import { abortable } from '../internal/abortable.js';
import { orAborted } from '../internal/onAbort.js';
import { headStartOf } from '../internal/hiddenMembers.js';
import { stopwatch, type Aged } from '../internal/stopwatch.js';
import { createTimers } from '../internal/timers.js';
import { fetchForStore } from '../stores/fetchForStore.js';
import { sessionEnded } from '../stores/session.js';
import type { Fetch } from '../stores/storeRefresh.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { TokenRequest, TokenResponse } from '../token/types.js';
import { createTokenChannel } from './tokenChannel.js';
import { createLockQueue } from './lockQueue.js';
import { settingsOf, type TabTokenStoreOptions } from './options.js';
import { currentPage } from './page.js';
import { unthrottledTimer } from './unthrottledTimer.js';
import { createTabSession } from './session.js';
import { createSessionMarker } from './sessionMarker.js';
import { createTokenCache } from './tokenCache.js';

export interface TabTokenStore extends TokenStore {
  /**
   * Ends the session in all tabs that share the store's name. All tabs forget the token and the last response. A token
   * of the old session that arrives later is not kept and not shared. You can go on using the store: the next refresh
   * starts a new session.
   */
  signOut(): void;
  /** Emits when the session of this tab has ended, by `signOut()` of any tab, this one too. */
  readonly signedOut: Observable<void>;
}

/**
 * Shares one token among the browser's tabs: one fetch per token life, whichever tab needs it first.
 *
 * ```
 * tab 1   T1---------- due: lock, ask, fetch --T2------------    tells the others
 * tab 2   T1-----------------------------------T2------------
 * tab 3            new: lock, ask --T1---------T2------------    is told
 * ```
 *
 * Tabs queue for a Web Lock, and send the token to each other by BroadcastChannel. The lock of a tab that crashes is
 * free at once. For a frozen tab the others wait for `lockTimeout` at most. The token is in memory, and in messages
 * within the same origin. localStorage holds only the random id of the session. The whole response is shared, so every
 * tab continues with the newest refresh token. Without Web Locks (an insecure context) each tab fetches when it needs a
 * token, and sends it to the others. If the browser blocks BroadcastChannel or localStorage, each tab works alone.
 *
 * ```ts
 * import { createTokenStream } from 'rx-fresh-token';
 * import { tabTokenStore } from 'rx-fresh-token/tabs';
 *
 * const store = tabTokenStore({ name: 'orders' });
 * const token$ = createTokenStream(() => fetch('/session/token', { method: 'POST' }).then((r) => r.json()), { store });
 * store.signedOut.subscribe(() => location.assign('/signed-out'));
 * document.querySelector('#sign-out')?.addEventListener('click', () => store.signOut());
 * ```
 *
 * @throws TypeError that names an option out of range, or says that there is no page (on a server, in a worker)
 */
export function tabTokenStore(options: TabTokenStoreOptions): TabTokenStore {
  const { name, lifetime, askTimeout, lockTimeout } = settingsOf(options);
  const page = currentPage();
  const id = `rx-fresh-token/${name}`;
  const cache = createTokenCache(lifetime);
  const session = createTabSession(createSessionMarker(id, page), cache.clear);
  const others = createTokenChannel(id, page, cache, session);
  const timers = createTimers(asyncScheduler);
  const queue = createLockQueue(id, { ...page, limit: lockTimeout, timers });
  const changes = others.received$.pipe(tap(queue.reset));

  /** Under the lock, which is held until a fetch is over, even if its caller has left. */
  const askThenFetch = async (
    request: TokenRequest,
    fetch: Fetch,
    { assertSession, known }: { assertSession: () => void; known: Aged<TokenResponse> | null },
    abandoned: AbortSignal,
  ): Promise<StoredToken> => {
    // Another tab may have been quicker, and its message may still be on its way.
    const cached = () => cache.get(request.previous?.value, known);
    const answer$ = defer(() => {
      others.ask();
      return changes.pipe(map(cached), filter(Boolean));
    }).pipe(takeUntil(unthrottledTimer(askTimeout)), defaultIfEmpty(null));
    const shared = cached() ?? (await orAborted(answer$, abandoned));
    if (shared) return shared;
    assertSession();
    session.bind();
    const age = stopwatch();
    const ended$ = session.ended$.pipe(tap(assertSession));
    const fetched$ = fetch(cache.lastResponse()?.response ?? null).pipe(takeUntil(ended$));
    const response = await fetchForStore(fetched$, { abandoned, timers });
    assertSession();
    const stored: StoredToken = { response, age: age() + headStartOf(request), origin: 'fetched' };
    queue.reset();
    cache.clear();
    cache.add(response, stored.age);
    others.publish(stored);
    return stored;
  };

  return {
    refresh: (request, fetch) =>
      defer(() => {
        const isEnded = session.watch();
        const assertSession = () => {
          session.check();
          if (isEnded()) throw sessionEnded();
        };
        assertSession();
        if (request.reason === 'rejected') cache.reject(request.previous?.value);
        const cached = cache.get(request.previous?.value);
        const refresh = { assertSession, known: cache.newest() };
        const token$ = cached
          ? of(cached)
          : abortable((abandoned) =>
              queue
                .run(() => askThenFetch(request, fetch, refresh, abandoned), abandoned)
                .catch((failure: unknown) => {
                  // Nobody replaces the rejected token now, and it may be good elsewhere.
                  if (!abandoned.aborted) cache.giveOutAgain();
                  throw failure;
                }),
            );
        return merge(changes.pipe(ignoreElements()), token$).pipe(take(1), tap(assertSession));
      }),
    changes,
    signedOut: merge(session.ended$, changes.pipe(ignoreElements())),
    signOut: others.signOut,
  };
}
