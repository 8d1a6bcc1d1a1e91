/** The parts of one store. */
import { asyncScheduler, tap } from 'rxjs';
import { createTimers } from '../internal/time/timers.js';
import { createLockQueue } from './lockQueue.js';
import type { TabSettings } from './options.js';
import { currentPage } from './page.js';
import { createTabSession } from './session.js';
import { createSessionMarker } from './sessionMarker.js';
import { createTokenCache } from './tokenCache.js';
import { createTokenChannel } from './tokenChannel.js';

export type StoreContext = ReturnType<typeof createStoreContext>;

/** What the refreshes of one store share. @throws TypeError where there is no page */
export function createStoreContext({ name, lifetime, askTimeout, lockTimeout }: TabSettings) {
  const page = currentPage();
  const id = `rx-fresh-token/${name}`;
  const cache = createTokenCache(lifetime);
  const session = createTabSession(createSessionMarker(id, page), cache.clear);
  const others = createTokenChannel(id, page, cache, session);
  const timers = createTimers(asyncScheduler);
  const queue = createLockQueue(id, { ...page, limit: lockTimeout, timers });
  return { askTimeout, cache, session, others, timers, queue, changes: others.received$.pipe(tap(queue.reset)) };
}
