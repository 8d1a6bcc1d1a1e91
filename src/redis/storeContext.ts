/** The parts of one store, and how a token of others is taken in and handed out. */
import { asyncScheduler, Subject } from 'rxjs';
import { steadyClock } from '../internal/time/steadyClock.js';
import { CLOCKS } from '../internal/time/stopwatch.js';
import { createTimers } from '../internal/time/timers.js';
import { hasLifeLeft } from '../stores/storedResponse.js';
import type { StoredToken } from '../token/tokenStore.js';
import { createEncryption } from './records/encryption.js';
import type { StoreSettings } from './options.js';
import { createProtocol } from './scripts/protocol.js';
import type { EncryptedToken } from './scripts/replies.js';
import { createSession } from './session.js';
import { createTokenCache } from './records/tokenCache.js';
import { decryptRecord, type TokenRecord } from './records/tokenRecord.js';

/** What refreshes and pushes of one store share. */
export type StoreContext = ReturnType<typeof createStoreContext>;

export function createStoreContext(settings: StoreSettings) {
  // A clock that is never set, and goes on while the machine sleeps. The timers do not keep a process alive: the stream
  // does, while it has a subscriber.
  const { now } = steadyClock(CLOCKS.ticks, CLOCKS.wall);
  const timers = createTimers(asyncScheduler);
  const cache = createTokenCache();
  const encryption = createEncryption(settings.keys, settings.hashKey);
  /** Something was pushed: those that wait ask again. */
  const wake$ = new Subject<void>();
  const calls = createProtocol(settings, now, timers);
  const session = createSession(calls, cache, now, timers, () => {
    cache.clear();
    wake$.next();
  });
  return {
    ...settings,
    calls,
    cache,
    session,
    encryption,
    now,
    timers,
    wake$,
    /** Tokens that were in Redis when a late commit was answered. */
    found$: new Subject<TokenRecord>(),
    /** Until then the stream waits by itself after the last failure; only `refresh()` and `wake` have it ask sooner. */
    pausedUntil: -Infinity,
    /** The generation after which a fetch of this process last failed permanently; -1: none has. */
    refusedAfter: -1,
    /** Why the stored value could not be read, when that was last tried. */
    unreadable: undefined as Error | undefined,
  };
}

/** Opens a token of others and puts it into the cache; null when its session has ended. */
export const receive = async (store: StoreContext, stored: EncryptedToken): Promise<TokenRecord | null> =>
  keep(store, await decryptRecord(store.encryption, stored));

/** Puts a token into the cache; null when its session has ended. */
export function keep({ cache, session }: StoreContext, token: TokenRecord): TokenRecord | null {
  if (session.hasEnded(token.generation)) return null;
  cache.add(token);
  return token;
}

/** A token later than `beyond` that came meanwhile, and still has some life. */
export function newerThan({ cache, calls }: StoreContext, beyond: number): TokenRecord | null {
  const newest = cache.newest();
  if (!newest || newest.generation <= beyond || !calls.knowsTime()) return null;
  const { life, issued } = newest;
  return life < 0 || hasLifeLeft(life, calls.ageOf(issued)) ? newest : null;
}

export const handOut = (
  { calls }: StoreContext,
  { response, issued }: TokenRecord,
  origin: StoredToken['origin'],
): StoredToken => ({ response, age: calls.ageOf(issued), origin });
