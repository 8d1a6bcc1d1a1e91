import { firstValueFrom } from 'rxjs';
import { TokenStoreError } from '../errors.js';
import { codeOf } from '../internal/files.js';
import { createQueue } from '../internal/queue.js';
import type { Timers } from '../internal/timers.js';
import type { TokenResponse } from '../token/types.js';
import type { StoredToken } from '../token/tokenStore.js';
import type { Lock, LockQueue } from './lock.js';
import type { FileTokenStoreOptions } from './options.js';
import { usableToken, type TokenRecord } from './record.js';
import type { Session } from './session.js';
import { readTokenFile, storeError } from './tokenFile.js';

/** A token that was fetched, and what the file held when its fetch began. */
export interface Fetched {
  readonly record: TokenRecord;
  readonly base: TokenRecord | null;
}

/** What the parts of one store share. */
export interface StoreContext {
  readonly target: string;
  readonly session: Session;
  readonly timers: Timers;
  /** What is in the file now. Reading also notices the end of the session. */
  read(): Promise<TokenRecord | null>;
  /** The token in the file, if it is one that this process has neither fetched nor been given. */
  readNew(): Promise<StoredToken | null>;
  /** Keeps what could not be stored: its refresh token is the newest. */
  keep(fetched: Fetched): void;
  /** The last response, for a fetch when the file holds `base`. */
  lastResponse(base: TokenRecord | null): TokenResponse | null;
  /** Takes note of what this process has fetched, and in place of what: the file may not say so yet. */
  remember(record: TokenRecord, base: TokenRecord | null): void;
  /** The token of a record, for a stream that has `unwanted`; null if it is of no use to it. */
  tokenOf(record: TokenRecord | null, unwanted: string | undefined): StoredToken | null;
  /** What this process has fetched or been given last. */
  newest(): TokenRecord | null;
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
      if (codeOf(failure) === 'ENOTDIR') throw new TokenStoreError(`${target}.lock is no directory, so it is no lock`);
      throw storeError(target, failure);
    });
  let newest: TokenRecord | null = null;
  let replaced: string | undefined;
  let kept: Fetched | undefined;
  // Of two reads at once, the one that began first may end last, with what the file does not hold any more.
  const inTurn = createQueue();
  const read = () =>
    inTurn(async () => {
      const isOld = session.isUnpublished();
      const record = await readTokenFile(target);
      if (!isOld) session.onRead(record);
      return record;
    });
  const tokenOf = (record: TokenRecord | null, unwanted: string | undefined) => {
    const token = record && record.id !== replaced ? usableToken(record, unwanted, lifetime) : null;
    if (token) newest = record;
    return token;
  };
  return {
    target,
    session,
    timers,
    read,
    readNew: async () => {
      // Until the file tells of a sign-out, its token is one of the old session.
      const isOld = session.isUnpublished();
      const record = await read();
      return isOld || session.isUnpublished() || record?.id === newest?.id ? null : tokenOf(record, undefined);
    },
    keep: (fetched) => {
      kept = fetched;
    },
    lastResponse: (base) => (kept && isSame(kept.base, base) ? kept.record : base)?.response ?? null,
    remember: (record, base) => {
      newest = record;
      replaced = base?.id;
    },
    tokenOf,
    newest: () => newest,
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

/** Whether it is the same token; it may have been marked as rejected meanwhile. */
export const isSame = (one: TokenRecord | null, other: TokenRecord | null): boolean =>
  one?.id === other?.id && one?.session === other?.session;
