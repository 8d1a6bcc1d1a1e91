/** Stores a fetched token, although its lock was lost or the file cannot be written at once. */
import { firstValueFrom } from 'rxjs';
import type { HeldLock } from './lock.js';
import { serialized } from './record.js';
import { isSame, type Fetched, type StoreContext } from './storeContext.js';

/** How often it is tried at once. */
const QUICK = 5;

/** Then: between attempts to write what could not be written; and for how long, at most. Milliseconds. */
const RETRY = 250;
const TIMEOUT = 60_000;

/**
 * Stores the token, and gives the lock back. If the file cannot be written now, it is tried again, and others are kept
 * from the lock meanwhile: they would present a used refresh token.
 *
 * @param onFailure called when the file cannot be written now
 * @returns whether someone else took the lock over meanwhile, and stored something newer
 */
export async function save(
  store: StoreContext,
  lock: HeldLock,
  fetched: Fetched,
  onFailure: (failure: unknown) => void,
): Promise<boolean> {
  const held = { lock };
  for (let round = 0; ; round++) {
    try {
      return await write(store, held, fetched);
    } catch (failure) {
      if (round >= QUICK) {
        void retry(store, held, fetched);
        onFailure(failure);
        return false;
      }
      // On Windows, a process that reads the file, a virus scanner say, keeps it from being replaced for a moment.
      await store.pause(round);
    }
  }
}

/** The lock that was taken last. It is kept between two attempts. */
interface Held {
  lock: HeldLock;
}

/**
 * Someone may have taken the lock over, because this process was stopped. The token is stored all the same, unless
 * theirs was. @returns whether it was
 */
async function write(store: StoreContext, held: Held, { record, base }: Fetched): Promise<boolean> {
  for (let round = 0; !(await held.lock.commit(serialized(record))); round++) {
    const again = await store.lockOrPause(round);
    if (!again) continue;
    let isUnchanged = false;
    try {
      isUnchanged = isSame(await store.read(), base);
    } finally {
      if (!isUnchanged) await again.release().catch(() => undefined);
    }
    if (!isUnchanged) return true;
    held.lock = again;
  }
  return false;
}

async function retry(store: StoreContext, held: Held, fetched: Fetched): Promise<void> {
  for (let left = TIMEOUT; left > 0; left -= RETRY) {
    await firstValueFrom(store.timers.after(RETRY));
    try {
      await write(store, held, fetched);
      return;
    } catch {
      // Once more.
    }
  }
  store.keepUnwritten(fetched);
  await held.lock.release().catch(() => undefined);
}
