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
  readonly told: () => Promise<void>;
  /** With every answer Redis says the generation of the last sign-out. */
  readonly onAnswer: (ended: number) => void;
  /** Someone else has signed out. */
  readonly signedOut: Observable<void>;
}

export function createSession(
  tell: (id: string) => Promise<void>,
  { timers, onEnd }: { readonly timers: Timers; readonly onEnd: () => void },
): Session {
  const signedOut = new Subject<void>();
  let number = 0;
  /** Undefined before the first answer: an earlier sign-out has ended nothing that this process had. */
  let lastEnded: number | undefined;
  /** The id of a sign-out of which Redis does not know. */
  let untold: string | null = null;
  let telling: Promise<void> | null = null;
  let isRepeating = false;

  const end = () => {
    number++;
    onEnd();
  };

  const tellNow = (id: string): Promise<void> =>
    (telling ??= tell(id)
      .then(() => {
        if (untold === id) untold = null;
      })
      .finally(() => {
        telling = null;
      }));

  async function told(): Promise<void> {
    while (untold !== null) await tellNow(untold);
  }

  /** Until Redis answers: the others must not go on with the session. The timers do not hold the process open. */
  async function repeat(): Promise<void> {
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        await told();
        return;
      } catch {
        await firstValueFrom(timers.after(pause));
      }
    }
  }

  return {
    number: () => number,
    isEnded: (generation) => untold !== null || generation <= (lastEnded ?? 0),
    signOut: () => {
      untold = crypto.randomUUID();
      end();
      if (isRepeating) return;
      isRepeating = true;
      void repeat().finally(() => {
        isRepeating = false;
      });
    },
    told,
    onAnswer: (ended) => {
      const isNew = lastEnded !== undefined && ended > lastEnded;
      lastEnded = Math.max(lastEnded ?? 0, ended);
      // This process' own sign-out has already ended the session here.
      if (!isNew || untold !== null) return;
      end();
      signedOut.next();
    },
    signedOut,
  };
}
