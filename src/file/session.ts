/** The session of the token in a file: the file holds its id. */
import { randomUUID } from 'node:crypto';
import type { Timers } from '../internal/time/timers.js';
import { createStoreSession } from '../stores/session.js';
import type { TokenRecord } from './record.js';

/** @param publish ends the session for the others, and returns the one that the file is of then */
export function createSession(publish: (id: string) => Promise<string | null>, timers: Timers) {
  /** Null: none has begun. Undefined: the file has not been read. */
  let current: string | null | undefined;
  const { signOut, endedByOthers, ...session } = createStoreSession(async (id) => {
    const published = await publish(id);
    if (current === id) current = published;
  }, timers);

  return {
    ...session,
    /** Compares with what is in the file: someone else may have signed out. */
    onRead: (record: TokenRecord | null): void => {
      const before = current;
      current = record?.session ?? null;
      if (hasEnded(before, record)) endedByOthers();
    },
    /** Ends the session here at once, and in the file as soon as possible. */
    signOut: () => signOut((current = randomUUID())),
  };
}

/**
 * Whether the session has ended. To delete the file is to sign out; a file that comes into being with a token begins a
 * session.
 */
export function hasEnded(session: string | null | undefined, record: TokenRecord | null): boolean {
  if (session === undefined || session === (record?.session ?? null)) return false;
  return session !== null || record?.response === null;
}
