/** Stores a fetched token, although its lock was lost or the file cannot be written at once. */
import { firstValueFrom } from 'rxjs';
import type { HeldLock } from './lock.js';
import { hasReplaced, serialized, type TokenRecord } from './record.js';
import { pause, type StoreContext } from './storeContext.js';
import type { Unwritten } from './tokenCache.js';

/** How often it is tried at once. */
const QUICK = 5;

/** Then: between attempts to write what could not be written. Milliseconds. */
const RETRY = 1000;

/**
 * Stores the token, and gives the lock back. If the file cannot be written now, the lock is kept, and it is tried again
 * while the process runs: others would present a used refresh token. When it has ended, they take up the token.
 *
 * @param onFailure called when the file cannot be written now
 * @returns whether someone else took the lock over meanwhile, and stored something newer
 */
export async function save(
  store: StoreContext,
  lock: HeldLock,
  record: TokenRecord,
  onFailure: (failure: unknown) => void,
): Promise<boolean> {
  const unwritten: Unwritten = { record, lock, isTaken: false };
  for (let round = 0; ; round++) {
    try {
      const isTheirs = await write(store, unwritten);
      store.cache.setUnwritten(undefined);
      return isTheirs;
    } catch (failure) {
      if (round >= QUICK) {
        store.cache.setUnwritten(unwritten);
        void retryUntilWritten(store, unwritten);
        onFailure(failure);
        return false;
      }
      // On Windows, a process that reads the file, such as a virus scanner, keeps it from being replaced for a moment.
      await pause(store.timers, round);
    }
  }
}

/**
 * Someone may have taken the lock over, because this process was stopped. The token is stored all the same, unless
 * theirs was. @returns whether it was
 */
async function write(store: StoreContext, unwritten: Unwritten): Promise<boolean> {
  const { record } = unwritten;
  for (let round = 0; !(await unwritten.lock?.commit(serialized(record))); round++) {
    unwritten.lock = null;
    const again = await store.lockOrPause(round);
    if (!again) continue;
    let isUnchanged = false;
    try {
      isUnchanged = hasReplaced(record, await store.read());
    } finally {
      if (!isUnchanged) await again.release().catch(() => undefined);
    }
    if (!isUnchanged) return true;
    unwritten.lock = again;
  }
  return false;
}

/**
 * Writes what could not be written before. If that fails again, the caller may fetch under the lock that was kept.
 *
 * @returns that lock; null if it was written, or someone else has the lock. Whoever stores nothing newer gives it back:
 *   free, it would go to another process, which would send the used refresh token.
 */
export async function retryUnwritten(store: StoreContext): Promise<HeldLock | null> {
  const unwritten = store.cache.unwritten();
  if (!unwritten || unwritten.isTaken) return null;
  unwritten.isTaken = true;
  try {
    // Somebody may have deleted the file, which leaves the lock as it is.
    if (hasReplaced(unwritten.record, await store.read())) await write(store, unwritten);
    else await unwritten.lock?.release();
    if (store.cache.unwritten() === unwritten) store.cache.setUnwritten(undefined);
    return null;
  } catch {
    unwritten.isTaken = unwritten.lock !== null;
    return unwritten.lock;
  }
}

/** Releases the lock, unless it is kept for a token that could not be written. */
export async function giveBack(store: StoreContext, lock: HeldLock): Promise<void> {
  const unwritten = store.cache.unwritten();
  if (unwritten?.lock === lock) unwritten.isTaken = false;
  else await lock.release().catch(() => undefined);
}

async function retryUntilWritten(store: StoreContext, unwritten: Unwritten): Promise<void> {
  while (store.cache.unwritten() === unwritten) {
    await firstValueFrom(store.timers.after(RETRY));
    const lock = await retryUnwritten(store);
    if (lock) await giveBack(store, lock);
  }
}
