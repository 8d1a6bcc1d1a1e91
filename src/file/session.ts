/** The session of the token in a file: the file holds its id. */
import { randomUUID } from 'node:crypto';
import { createStoreSession } from '../stores/session.js';
import type { TokenRecord } from './record.js';

export type Session = ReturnType<typeof createSession>;

export function createSession(...parameters: Parameters<typeof createStoreSession>) {
  const { signOut, endedByOthers, ...session } = createStoreSession(...parameters);
  /** Null: none has begun. Undefined: the file has not been read. */
  let current: string | null | undefined;

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
