import { Subject, type Observable } from 'rxjs';
import { pendingSignOut } from '../stores/pendingSignOut.js';
import type { Timers } from '../internal/timers.js';

/** From one sign-out to the next. */
export interface Session {
  /** Grows with each sign-out, of any process: what began under another number belongs to a session that has ended. */
  readonly number: () => number;
  /** The last generation of a session that has ended; 0: none. Redis may have lost the sign-out in a failover. */
  readonly ended: () => number;
  /** Whether the token of this generation belongs to a session that has ended. */
  readonly isEnded: (generation: number) => boolean;
  /** Ends the session here at once, and in Redis as soon as it answers. */
  readonly signOut: () => void;
  /** Resolves when Redis knows of this process' sign-outs; rejects when it does not answer. */
  readonly flushed: () => Promise<void>;
  /** With every answer Redis says the generation of the last sign-out. */
  readonly onAnswer: (ended: number) => void;
  /** Someone else has signed out. */
  readonly signedOut: Observable<void>;
}

export function createSession(
  send: (id: string) => Promise<void>,
  { timers, onEnd }: { readonly timers: Timers; readonly onEnd: () => void },
): Session {
  const signedOut = new Subject<void>();
  const pending = pendingSignOut(send, timers);
  let number = 0;
  /** Undefined before the first answer: an earlier sign-out has ended nothing that this process had. */
  let lastEnded: number | undefined;

  const end = () => {
    number++;
    onEnd();
  };

  return {
    number: () => number,
    ended: () => lastEnded ?? 0,
    isEnded: (generation) => pending.id() !== null || generation <= (lastEnded ?? 0),
    signOut: () => {
      pending.begin(crypto.randomUUID());
      end();
    },
    flushed: pending.flushed,
    onAnswer: (ended) => {
      const isNew = lastEnded !== undefined && ended > lastEnded;
      lastEnded = Math.max(lastEnded ?? 0, ended);
      // This process' own sign-out has already ended the session here.
      if (!isNew || pending.id() !== null) return;
      end();
      signedOut.next();
    },
    signedOut,
  };
}
