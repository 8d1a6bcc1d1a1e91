/** The parts of one store, and what this process has fetched or been given. */
import { firstValueFrom } from 'rxjs';
import { TokenStoreError } from '../errors.js';
import { codeOf } from '../internal/files.js';
import { createQueue } from '../internal/queue.js';
import type { Timers } from '../internal/timers.js';
import type { TokenResponse } from '../token/types.js';
import type { StoredToken } from '../token/tokenStore.js';
import type { HeldLock, FileLock } from './lock.js';
import type { FileTokenStoreOptions } from './options.js';
import { isOlder, tokenToHandOut, type TokenRecord } from './record.js';
import type { Session } from './session.js';
import { readTokenFile, storeError } from './tokenFile.js';

/** A token that was fetched, and what the file held when its fetch began. */
export interface Fetched {
  readonly record: TokenRecord;
  readonly base: TokenRecord | null;
}

/** A token that could not be written, whose refresh token is the newest. */
export interface Unwritten extends Fetched {
  /** Kept for it; null if it was lost. */
  lock: HeldLock | null;
  /** It is being written, or a refresh has the lock. */
  isTaken: boolean;
}

export type StoreContext = ReturnType<typeof createStoreContext>;

/** Between two looks at the lock: the first pause and the longest. Milliseconds. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 50;

interface StoreParts extends Pick<FileTokenStoreOptions, 'lifetime'> {
  readonly target: string;
  readonly fileLock: FileLock;
  readonly session: Session;
  readonly timers: Timers;
}

/** What the parts of one store share. */
export function createStoreContext({ target, fileLock, session, timers, lifetime }: StoreParts) {
  const withStoreErrors = <T>(work: Promise<T>): Promise<T> =>
    work.catch((failure: unknown) => {
      if (codeOf(failure) === 'ENOTDIR')
        throw new TokenStoreError(`${fileLock.folder} is no directory, so it is no lock`);
      throw storeError(target, failure);
    });
  let newest: TokenRecord | null = null;
  /** The id of what the file held before `newest`. */
  let replaced: string | undefined;
  let unwritten: Unwritten | undefined;
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
  /** The token of a record for a stream that has `unwanted`, noted as the newest; null if it is of no use to it. */
  const handOut = (record: TokenRecord | null, unwanted: string | undefined): StoredToken | null => {
    if (record && (record.id === replaced || isOlder(record, newest))) return null;
    const token = tokenToHandOut(record, unwanted, lifetime);
    if (token) newest = record;
    return token;
  };
  /** Whether this process has a newer refresh token than that of the file, which is used. */
  const isBehind = (base: TokenRecord | null): boolean =>
    (unwritten !== undefined && isSame(unwritten.base, base)) || isOlder(base, newest);
  /** At random, so that those who wait do not look in step. `pinned`: the process is kept alive. */
  const pause = (round: number, pinned?: boolean): Promise<void> => {
    const mean = Math.min(FIRST_PAUSE * 2 ** round, LONGEST_PAUSE);
    return firstValueFrom(timers.after(mean * (0.5 + Math.random()), pinned));
  };
  return {
    target,
    session,
    timers,
    /** What is in the file now. */
    read: async (): Promise<TokenRecord | null> => (await look()).record,
    handOut,
    /** The token in the file, if it is one that this process has neither fetched nor been given. */
    readNew: async (): Promise<StoredToken | null> => {
      const { record, isOld } = await look();
      return isOld || record?.id === newest?.id ? null : handOut(record, undefined);
    },
    /** Takes note of what this process has fetched, and in place of what: the file may not say so yet. */
    remember: ({ record, base }: Fetched): void => {
      newest = record;
      replaced = base?.id;
    },
    unwritten: (): Unwritten | undefined => unwritten,
    setUnwritten: (next: Unwritten | undefined): void => {
      unwritten = next;
    },
    isBehind,
    /** The last response, for a fetch when the file holds `base`. */
    lastResponse: (base: TokenRecord | null): TokenResponse | null =>
      (isBehind(base) ? newest : base)?.response ?? null,
    /** What this process has fetched or been given last. */
    newest: (): TokenRecord | null => newest,
    /**
     * The lock, or null after a pause: then it was not free. Its errors, and those of `read` and `evict`, are
     * TokenStoreErrors.
     */
    lockOrPause: async (round: number, pinned?: boolean): Promise<HeldLock | null> => {
      const lock = await withStoreErrors(fileLock.tryAcquire());
      if (lock) return { ...lock, commit: (content) => withStoreErrors(lock.commit(content)) };
      await pause(round, pinned);
      return null;
    },
    /** For a sign-out: what is not written yet never is. */
    evict: (): Promise<void> => {
      unwritten = undefined;
      return withStoreErrors(fileLock.evict());
    },
    pause,
  };
}

/** Whether it is the same token; it may have been marked as rejected meanwhile. */
export const isSame = (one: TokenRecord | null, other: TokenRecord | null): boolean => one?.id === other?.id;
