/** The parts of one store: the file as it is now, what this process knows besides, and the lock. */
import { asyncScheduler, firstValueFrom } from 'rxjs';
import { TokenStoreError } from '../errors.js';
import { codeOf } from '../internal/platform/files.js';
import { createQueue } from '../internal/async/queue.js';
import { createTimers, type Timers } from '../internal/time/timers.js';
import type { StoredToken } from '../token/tokenStore.js';
import { createFileLock, type HeldLock } from './lock.js';
import type { FileStoreSettings } from './options.js';
import type { TokenRecord } from './record.js';
import { createSession } from './session.js';
import { createTokenCache } from './tokenCache.js';
import { openTokenFile, readTokenFile, storeError, takeUpToken } from './tokenFile.js';

export type StoreContext = ReturnType<typeof createStoreContext>;

/** What the parts of one store share. @param publish see `createSession` */
export function createStoreContext(
  path: string,
  { staleAfter, lifetime }: FileStoreSettings,
  publish: (id: string) => Promise<string | null>,
) {
  const target = openTokenFile(path);
  // They do not keep a process alive: the stream does, while it has a subscriber.
  const timers = createTimers(asyncScheduler);
  const session = createSession(publish, timers);
  const fileLock = createFileLock(target, staleAfter, timers, (file) => takeUpToken(file, target));
  const cache = createTokenCache(lifetime);
  // Of two reads at once, the one that began first may end last, with what the file does not hold any more.
  const inTurn = createQueue();
  /** Reads the file, and notices the end of the session. `isOld`: the file does not yet say what has ended here. */
  const look = () =>
    inTurn(async () => {
      const wasOld = session.isPublishPending();
      const record = await readTokenFile(target);
      const isOld = wasOld || session.isPublishPending();
      if (!isOld) session.onRead(record);
      return { record, isOld };
    });
  const withStoreErrors = <T>(work: Promise<T>): Promise<T> =>
    work.catch((failure: unknown) => {
      if (codeOf(failure) === 'ENOTDIR')
        throw new TokenStoreError(`${fileLock.folder} is no directory, so it is no lock`);
      throw storeError(target, failure);
    });

  return {
    target,
    session,
    timers,
    cache,
    /** What is in the file now. */
    read: async (): Promise<TokenRecord | null> => (await look()).record,
    /** The token in the file, if it is one that this process has neither fetched nor been given. */
    readNew: async (): Promise<StoredToken | null> => {
      const { record, isOld } = await look();
      return isOld || record?.id === cache.newest()?.id ? null : cache.handOut(record, undefined);
    },
    /**
     * The lock, or null after a pause: then it was not free. Its errors, and those of `read` and `evict`, are
     * TokenStoreErrors.
     */
    lockOrPause: async (round: number, pinned?: boolean): Promise<HeldLock | null> => {
      const lock = await withStoreErrors(fileLock.tryAcquire());
      if (lock) return { ...lock, commit: (content) => withStoreErrors(lock.commit(content)) };
      await pause(timers, round, pinned);
      return null;
    },
    /** For a sign-out: what is not written yet never is. */
    evict: (): Promise<void> => {
      cache.setUnwritten(undefined);
      return withStoreErrors(fileLock.evict());
    },
  };
}

/** Between two looks at the lock: the first pause and the longest. Milliseconds. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 50;

/** At random, so that those who wait do not look in step. `pinned`: the process is kept alive. */
export function pause(timers: Timers, round: number, pinned?: boolean): Promise<void> {
  const mean = Math.min(FIRST_PAUSE * 2 ** round, LONGEST_PAUSE);
  return firstValueFrom(timers.after(mean * (0.5 + Math.random()), pinned));
}
