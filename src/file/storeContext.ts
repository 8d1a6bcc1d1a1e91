import { firstValueFrom } from 'rxjs';
import type { Timers } from '../internal/timers.js';
import type { StoredToken } from '../token/tokenStore.js';
import type { Lock, LockQueue } from './lock.js';
import type { FileTokenStoreOptions } from './options.js';
import { usableToken, type TokenRecord } from './record.js';
import type { Session } from './session.js';
import { readTokenFile, storeError } from './tokenFile.js';

/** What the parts of one store share. */
export interface StoreContext {
  readonly target: string;
  readonly session: Session;
  readonly timers: Timers;
  /** What is in the file now. Reading also notices the end of the session. */
  read(): Promise<TokenRecord | null>;
  /** The token in the file, if it is one that this process has neither fetched nor been given. */
  readNew(): Promise<StoredToken | null>;
  /** Takes note of what this process has fetched, and in place of what: the file may not say so yet. */
  remember(record: TokenRecord, base: TokenRecord | null): void;
  /** The token of a record, for a stream that has `unwanted`; null if it is of no use to it. */
  tokenOf(record: TokenRecord | null, unwanted: string | undefined): StoredToken | null;
  /** The lock, if it is free. Its errors, and those of `read` and `evict`, are TokenStoreErrors. */
  tryLock(): Promise<Lock | null>;
  evict(): Promise<void>;
  /** Waits before the next look at a lock that is not free. `pinned`: the process is kept alive. */
  pause(round: number, pinned?: boolean): Promise<void>;
}

/** Between two looks at the lock: the first pause and the longest. Milliseconds. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 50;

type StoreParts = Pick<StoreContext, 'target' | 'session' | 'timers'> &
  Pick<FileTokenStoreOptions, 'lifetime'> & { readonly queue: LockQueue };

export function storeContext({ target, queue, session, timers, lifetime }: StoreParts): StoreContext {
  const named = <T>(work: Promise<T>): Promise<T> =>
    work.catch((failure: unknown) => {
      throw storeError(target, failure);
    });
  let newest: string | undefined;
  let replaced: string | undefined;
  const read = async () => {
    const record = await readTokenFile(target);
    session.onRead(record);
    return record;
  };
  const tokenOf = (record: TokenRecord | null, unwanted: string | undefined) => {
    const token = record && record.id !== replaced ? usableToken(record, unwanted, lifetime) : null;
    if (token) newest = record?.id;
    return token;
  };
  return {
    target,
    session,
    timers,
    read,
    readNew: async () => {
      const record = await read();
      return record?.id === newest ? null : tokenOf(record, undefined);
    },
    remember: (record, base) => {
      newest = record.id;
      replaced = base?.id;
    },
    tokenOf,
    tryLock: async () => {
      const lock = await named(queue.tryAcquire());
      return lock && { ...lock, commit: (content) => named(lock.commit(content)) };
    },
    evict: () => named(queue.evict()),
    // At random, so that those who wait do not look in step.
    pause: (round, pinned) =>
      firstValueFrom(
        timers.after(Math.min(FIRST_PAUSE * 2 ** Math.min(round, 10), LONGEST_PAUSE) * (0.5 + Math.random()), pinned),
      ),
  };
}
