/** The parts of one store, and how a token of others is taken in and handed out. */
import type { Subject } from 'rxjs';
import type { Timers } from '../internal/timers.js';
import { hasLifeLeft } from '../stores/storedResponse.js';
import type { StoredToken } from '../token/tokenStore.js';
import type { settingsOf } from './options.js';
import type { Protocol } from './protocol.js';
import type { EncryptedToken } from './replies.js';
import type { Encryption } from './encryption.js';
import type { Session } from './session.js';
import type { TokenCache } from './tokenCache.js';
import { decryptRecord, type TokenRecord } from './tokenRecord.js';

interface Parts extends Pick<ReturnType<typeof settingsOf>, 'fetchTimeout' | 'lifetime' | 'onUnavailable'> {
  /** Begins the name of every owner of a lease. */
  readonly storeId: string;
  readonly calls: Protocol;
  readonly cache: TokenCache;
  readonly session: Session;
  readonly encryption: Encryption;
  /** Milliseconds of a clock that is never set. */
  readonly now: () => number;
  readonly timers: Timers;
  readonly isClientClosed: () => boolean;
  /** Something was pushed: those that wait ask again. */
  readonly wake$: Subject<void>;
  /** Tokens of others that did not come as pushes. */
  readonly found$: Subject<TokenRecord>;
}

/** What refreshes and pushes of one store share. */
export interface StoreContext extends Parts {
  /** Opens a token of others and puts it into the cache; null when its session has ended. */
  readonly receive: (stored: EncryptedToken) => Promise<TokenRecord | null>;
  /** A token later than `beyond` that came meanwhile, and still has some life. */
  readonly newerThan: (beyond: number) => TokenRecord | null;
  readonly handOut: (token: TokenRecord, origin: StoredToken['origin']) => StoredToken;
}

export function createStoreContext(parts: Parts): StoreContext {
  const { calls, cache, session, encryption } = parts;
  return {
    ...parts,
    receive: async (stored) => {
      const token = await decryptRecord(encryption, stored);
      if (session.hasEnded(token.generation)) return null;
      cache.add(token);
      return token;
    },
    newerThan: (beyond) => {
      const newest = cache.newest();
      if (!newest || newest.generation <= beyond || !calls.knowsTime()) return null;
      const { life, issued } = newest;
      return life < 0 || hasLifeLeft(life, calls.ageOf(issued)) ? newest : null;
    },
    handOut: ({ response, issued }, origin) => ({ response, age: calls.ageOf(issued), origin }),
  };
}
