/** The session of the token in Redis: each answer of Redis tells the last sign-out, and so whether it has ended. */
import { defer, type Observable } from 'rxjs';
import type { Timers } from '../internal/time/timers.js';
import { createStoreSession } from '../stores/session.js';
import type { Protocol } from './scripts/protocol.js';
import type { TokenCache } from './records/tokenCache.js';

export function createSession(
  calls: Protocol,
  cache: TokenCache,
  now: () => number,
  timers: Timers,
  onEnd: () => void,
) {
  const session = createStoreSession((id) => calls.signOut(id, beyond, endedBefore), timers, onEnd);
  /** When a stream began to use this store. */
  let since = Infinity;
  /** The generation of the newest token, when this process signed out. */
  let beyond = 0;
  /** The last sign-out before that of this process; undefined if Redis had not answered yet. */
  let endedBefore: number | undefined;
  /** Undefined before the first answer: a sign-out before the stream began has ended nothing that this process had. */
  let lastEnded: number | undefined;

  calls.answer$.subscribe(({ ended, now: redisNow, received }) => {
    // The generation of a sign-out is Redis' time, or more. Before the first answer it is compared with when a stream
    // began to use the store, by Redis' clock.
    const isNew = ended > (lastEnded ?? redisNow - (received - since));
    lastEnded = Math.max(lastEnded ?? 0, ended);
    // This process' own sign-out has already ended the session here.
    if (isNew && !session.isPublishPending()) session.endedByOthers();
  });

  return {
    ...session,
    /** The last generation of a session that has ended; 0: none. Redis may have lost the sign-out in a failover. */
    lastEnded: (): number => lastEnded ?? 0,
    /** Whether the token of this generation belongs to a session that has ended. */
    hasEnded: (generation: number): boolean => session.isPublishPending() || generation <= (lastEnded ?? 0),
    /** Ends the session here at once, and in Redis as soon as it answers. */
    signOut: (): Promise<void> => {
      // A second sign-out before Redis knows of the first is about the same session.
      if (!session.isPublishPending()) {
        beyond = cache.newestGeneration();
        endedBefore = lastEnded === undefined ? undefined : Math.max(lastEnded, calls.ageOf(0));
      }
      return session.signOut(crypto.randomUUID());
    },
    signedOut: defer((): Observable<void> => {
      since = Math.min(since, now());
      return session.signedOut;
    }),
  };
}
