/** The conversation of the tabs: shares new tokens, and answers tabs that ask for one. */
import { filter, ignoreElements, map, merge, share, tap } from 'rxjs';
import type { StoredToken } from '../token/tokenStore.js';
import { createChannel } from './channel.js';
import { formatMessage, parseMessage, type Message } from './message.js';
import type { Page } from './page.js';
import type { TabSession } from './session.js';
import type { TokenCache } from './tokenCache.js';

/**
 * Keeps in `cache` what other tabs of the same session tell, and answers them from it. Other sessions' messages are
 * dropped.
 */
export function createTokenChannel(name: string, page: Page, cache: TokenCache, session: TabSession) {
  const channel = createChannel(name, page);

  const post = (message: Message) => channel.post(formatMessage(message, Date.now()));
  const publish = (type: 'token' | 'last', { response, age }: StoredToken) =>
    post({ type, session: session.id(), response, age });
  const reply = () => {
    const [token, last] = [cache.get(), cache.lastResponse()];
    if (token) publish('token', token);
    else if (last) publish('last', last);
  };

  /** Returns a token that is newer than the one of this tab. */
  const receive = (message: Message): StoredToken | null => {
    if (message.type === 'signOut') {
      session.onSignOut(message);
      return null;
    }
    session.check();
    if (!session.isCurrent(message.session)) return null;
    if (message.type === 'ask') {
      reply();
      return null;
    }
    const { type, response, age } = message;
    session.bind();
    if (type === 'token') return cache.add(response, age) ? { response, age, origin: 'shared' } : null;
    cache.addResponse(response, age);
    return null;
  };

  return {
    /** The newer tokens of other tabs. A subscriber also notices the end of the session. */
    received$: merge(
      channel.posted$.pipe(
        map((data) => parseMessage(data, Date.now())),
        filter((message) => message !== null),
        map(receive),
        filter((stored) => stored !== null),
      ),
      page.returned$.pipe(tap(session.check), ignoreElements()),
    ).pipe(share()),
    /** Asks the others for their token. */
    ask: (): void => post({ type: 'ask', session: session.id() }),
    publish: (stored: StoredToken): void => publish('token', stored),
    signOut: (): void => session.signOut((signOut) => post({ type: 'signOut', ...signOut })),
  };
}
