import { firstValueFrom, Subject, type Observable } from 'rxjs';
import type { Timers } from '../internal/timers.js';

/** Between attempts to tell Redis of a sign-out: the first pause and the longest. Milliseconds. */
const FIRST_PAUSE = 150;
const LONGEST_PAUSE = 10_000;

/** From one sign-out to the next. */
export interface Session {
  /** Grows with each sign-out, whoever made it: what began under another number belongs to a session that has ended. */
  readonly number: () => number;
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
  let number = 0;
  /** Undefined before the first answer: an earlier sign-out has ended nothing that this process had. */
  let lastEnded: number | undefined;
  /** The id of a sign-out of which Redis does not know. */
  let pendingId: string | null = null;
  let publishing: Promise<void> | null = null;
  let isRetrying = false;

  const end = () => {
    number++;
    onEnd();
  };

  const publish = (id: string): Promise<void> =>
    (publishing ??= send(id)
      .then(() => {
        if (pendingId === id) pendingId = null;
      })
      .finally(() => {
        publishing = null;
      }));

  async function flushed(): Promise<void> {
    while (pendingId !== null) await publish(pendingId);
  }

  return {
    number: () => number,
    isEnded: (generation) => pendingId !== null || generation <= (lastEnded ?? 0),
    signOut: () => {
      pendingId = crypto.randomUUID();
      end();
      if (isRetrying) return;
      isRetrying = true;
      void retry(flushed, timers).finally(() => {
        isRetrying = false;
      });
    },
    flushed,
    onAnswer: (ended) => {
      const isNew = lastEnded !== undefined && ended > lastEnded;
      lastEnded = Math.max(lastEnded ?? 0, ended);
      // This process' own sign-out has already ended the session here.
      if (!isNew || pendingId !== null) return;
      end();
      signedOut.next();
    },
    signedOut,
  };
}

/** Until Redis answers: the others must not go on with the session. The timers do not hold the process open. */
async function retry(flush: () => Promise<void>, timers: Timers): Promise<void> {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      await flush();
      return;
    } catch {
      await firstValueFrom(timers.after(pause));
    }
  }
}
