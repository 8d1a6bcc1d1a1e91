/** What this process knows besides the file: the token that it has fetched or been given last, perhaps not written. */
import type { StoredToken } from '../token/tokenStore.js';
import type { TokenResponse } from '../token/types.js';
import type { HeldLock } from './lock.js';
import type { FileTokenStoreOptions } from './options.js';
import { hasReplaced, isOlder, tokenToHandOut, type TokenRecord } from './record.js';

/** A token that could not be written, whose refresh token is the newest. */
export interface Unwritten {
  readonly record: TokenRecord;
  /** Kept for it; null if it was lost. */
  lock: HeldLock | null;
  /** It is being written, or a refresh has the lock. */
  isTaken: boolean;
}

export function createTokenCache(lifetime: FileTokenStoreOptions['lifetime']) {
  let newest: TokenRecord | null = null;
  let unwritten: Unwritten | undefined;

  /** Whether it came before the newest token: an older file was put back, or the newest one is still being written. */
  const isOutdated = (record: TokenRecord | null): boolean =>
    record !== null && (record.id === newest?.replaces || isOlder(record, newest));

  /** Whether this process has a newer refresh token than that of the file, which is used. */
  const isBehind = (base: TokenRecord | null): boolean =>
    (unwritten !== undefined && hasReplaced(unwritten.record, base)) || isOutdated(base);

  return {
    /** What this process has fetched or been given last. */
    newest: (): TokenRecord | null => newest,
    /** Takes note of what this process has fetched: the file may not say so yet. */
    remember: (record: TokenRecord): void => {
      newest = record;
    },
    /** The token of a record for a stream that has `unwanted`, noted as the newest; null if it is of no use to it. */
    handOut: (record: TokenRecord | null, unwanted: string | undefined): StoredToken | null => {
      if (isOutdated(record)) return null;
      const token = tokenToHandOut(record, unwanted, lifetime);
      if (token) newest = record;
      return token;
    },
    isBehind,
    /** The last response, for a fetch when the file holds `base`. */
    lastResponse: (base: TokenRecord | null): TokenResponse | null =>
      (isBehind(base) ? newest : base)?.response ?? null,
    unwritten: (): Unwritten | undefined => unwritten,
    setUnwritten: (next: Unwritten | undefined): void => {
      unwritten = next;
    },
  };
}
