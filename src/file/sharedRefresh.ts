/** One refresh through the file: its token, or a fetch under the lock. */
import { abortable } from '../internal/async/abortable.js';
import { headStartOf } from '../internal/hiddenMembers.js';
import { stopwatch } from '../internal/time/stopwatch.js';
import { fetchForStore } from '../stores/fetchForStore.js';
import { sessionEnded } from '../stores/session.js';
import { isGivenUp, type StoreRefresh } from '../stores/storeRefresh.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import type { HeldLock } from './lock.js';
import { isSame, serialized, tokenRecord, type TokenRecord } from './record.js';
import { giveBack, save, retryUnwritten } from './save.js';
import type { StoreContext } from './storeContext.js';

interface FileRefresh extends StoreRefresh {
  /** What the store had given out when the refresh began. */
  readonly known: TokenRecord | null;
}

export const sharedRefresh =
  (store: StoreContext): TokenStore['refresh'] =>
  (request, fetch) =>
    abortable((abandoned) =>
      run(store, { request, fetch, abandoned, isSignedOut: store.session.watch(), known: store.cache.newest() }),
    );

async function run(store: StoreContext, refresh: FileRefresh): Promise<StoredToken> {
  // A sign-out that the file does not know of comes first, or its token would be that of the old session.
  await store.session.publishPending();
  for (let round = 0; !isGivenUp(refresh); round++) {
    const token = tokenFor(store, refresh, await store.read());
    if (token) return token;
    const lock = (await retryUnwritten(store)) ?? (await store.lockOrPause(round));
    const fetched = lock && (await fetchUnderLock(store, refresh, lock));
    if (fetched && !refresh.isSignedOut()) return fetched;
  }
  throw sessionEnded();
}

/** The token of the file, if it is another one than the stream has, or the same that was renewed since. */
function tokenFor(
  store: StoreContext,
  { request, known }: FileRefresh,
  record: TokenRecord | null,
): StoredToken | null {
  const value = request.previous?.value;
  const isRenewed = known?.response?.access_token === value && record?.id !== known?.id;
  return store.cache.handOut(record, isRenewed && request.reason !== 'rejected' ? undefined : value);
}

/** The lock is given back, however this ends. Null: look again. */
async function fetchUnderLock(store: StoreContext, refresh: FileRefresh, lock: HeldLock): Promise<StoredToken | null> {
  let isSaving = false;
  try {
    // Someone may have stored a token between the first look and the lock.
    const base = await store.read();
    const { previous, reason } = refresh.request;
    if (isGivenUp(refresh)) return null;
    const token = tokenFor(store, refresh, base);
    if (token) return token;
    const isRejected = reason === 'rejected' && base?.response?.access_token === previous?.value;
    if (base && isRejected && !base.rejected && !store.cache.isBehind(base)) {
      // Before the fetch, so that no process is given the token meanwhile.
      await lock.commit(serialized({ ...base, rejected: true }));
      // The commit gives the lock back: begin again.
      return null;
    }
    const sent = stopwatch();
    const response = await fetchForStore(refresh.fetch(store.cache.lastResponse(base)), {
      ...refresh,
      timers: store.timers,
    }).catch(async (failure: unknown) => {
      // One that was given up says nothing about the token endpoint.
      if (!refresh.abandoned.aborted) await unmark(store, lock, base).catch(() => undefined);
      throw failure;
    });
    const age = () => sent() + headStartOf(refresh.request);
    const record = tokenRecord(response, age(), base);
    // To read is to notice a sign-out. Somebody may have deleted the file, which leaves the lock as it is.
    await store.read().catch(() => null);
    if (refresh.isSignedOut()) return null;
    isSaving = true;
    // First, since a process that watches the file may see it before this goes on.
    store.cache.remember(record);
    const isTheirs = await save(store, lock, record, (failure) => refresh.request.report?.(failure));
    return isTheirs ? null : { response, age: age(), origin: 'fetched' };
  } finally {
    if (!isSaving) await giveBack(store, lock);
  }
}

/** After a failed fetch, a token that a server rejected is given to other processes again: it may be good elsewhere. */
async function unmark(store: StoreContext, lock: HeldLock, base: TokenRecord | null): Promise<void> {
  if (!base?.rejected || store.cache.isBehind(base)) return;
  if (isSame(await store.read(), base)) await lock.commit(serialized({ ...base, rejected: false }));
}
