/** The session of the token in Redis, which says with every answer which generations belong to sessions that ended. */
import type { Timers } from '../internal/timers.js';
import { createStoreSession, type StoreSession } from '../stores/session.js';

export interface Session extends Omit<StoreSession, 'signOut' | 'endedByOthers'> {
  /** The last generation of a session that has ended; 0: none. Redis may have lost the sign-out in a failover. */
  readonly lastEnded: () => number;
  /** Whether the token of this generation belongs to a session that has ended. */
  readonly hasEnded: (generation: number) => boolean;
  /** Ends the session here at once, and in Redis as soon as it answers. */
  readonly signOut: () => Promise<void>;
  /**
   * Takes the generation of the last sign-out from an answer of Redis.
   *
   * @param begun Redis' time when a stream began to use this store, or a little sooner
   */
  readonly onAnswer: (ended: number, begun: number) => void;
}

/**
 * @param publish tells Redis of a sign-out; a session that ended after `endedBefore` is another one. Undefined before
 *   the first answer
 * @param time Redis' time, as far as it is known here
 */
export function createSession(
  publish: (id: string, endedBefore?: number) => Promise<void>,
  timers: Timers,
  onEnd: () => void,
  time: () => number,
): Session {
  const session = createStoreSession((id) => publish(id, endedBefore), timers, onEnd);
  let endedBefore: number | undefined;
  /** Undefined before the first answer: a sign-out before the stream began has ended nothing that this process had. */
  let lastEnded: number | undefined;

  return {
    ...session,
    lastEnded: () => lastEnded ?? 0,
    hasEnded: (generation) => session.isUnpublished() || generation <= (lastEnded ?? 0),
    signOut: () => {
      // Until Redis has heard of it, this process has no other session that a second one could be about.
      if (!session.isUnpublished()) endedBefore = lastEnded === undefined ? undefined : Math.max(lastEnded, time());
      return session.signOut(crypto.randomUUID());
    },
    onAnswer: (ended, begun) => {
      // The generation of a sign-out is Redis' time, or more.
      const isNew = ended > (lastEnded ?? begun);
      lastEnded = Math.max(lastEnded ?? 0, ended);
      // This process' own sign-out has already ended the session here.
      if (isNew && !session.isUnpublished()) session.endedByOthers();
    },
  };
}
