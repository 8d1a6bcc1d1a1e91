import { Subject, type Observable } from 'rxjs';
import { pendingSignOut } from '../stores/pendingSignOut.js';
import type { Timers } from '../internal/timers.js';
import { newId, type TokenRecord } from './record.js';

/** From one sign-out to the next. */
export interface Session {
  /** Grows with each sign-out, of any process: what began under another number belongs to a session that has ended. */
  readonly number: () => number;
  /** Notices by what is in the file that someone else has signed out. */
  readonly observe: (record: TokenRecord | null) => void;
  /** Ends the session here at once, and in the file as soon as possible. */
  readonly signOut: () => void;
  /** Resolves when the file says so; rejects when it cannot be written. */
  readonly flushed: () => Promise<void>;
  /** Someone else has signed out. */
  readonly signedOut: Observable<void>;
}

/** @param write writes into the file that the session with this id begins */
export function createSession(write: (id: string) => Promise<void>, timers: Timers): Session {
  const signedOut = new Subject<void>();
  const pending = pendingSignOut(write, timers);
  let number = 0;
  /** Null: none has begun. Undefined: the file has not been read. */
  let current: string | null | undefined;

  return {
    number: () => number,
    observe: (record) => {
      // The file does not yet say what has ended here.
      if (pending.id() !== null) return;
      const isOver = hasEnded(current, record);
      current = record?.session ?? null;
      if (!isOver) return;
      number++;
      signedOut.next();
    },
    signOut: () => {
      current = newId();
      number++;
      pending.begin(current);
    },
    flushed: pending.flushed,
    signedOut,
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
