/** The public function `tabTokenStore`: joins the parts of the store. */
import { ignoreElements, merge, type Observable } from 'rxjs';
import type { TokenStore } from '../token/tokenStore.js';
import { settingsOf, type TabTokenStoreOptions } from './options.js';
import { sharedRefresh } from './sharedRefresh.js';
import { createStoreContext } from './storeContext.js';

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
  const store = createStoreContext(settingsOf(options));
  const { session, others, changes } = store;
  return {
    refresh: sharedRefresh(store),
    changes,
    signedOut: merge(session.ended$, changes.pipe(ignoreElements())),
    signOut: others.signOut,
  };
}
