/** The session of a store: it ends here at once, and for the others as soon as they can be told. */
import { firstValueFrom, Subject, type Observable } from 'rxjs';
import { TokenStoreError } from '../errors.js';
import { ignoreRejection } from '../internal/ignoreRejection.js';
import type { Timers } from '../internal/timers.js';

/** Between attempts to publish a sign-out: the first pause and the longest. Milliseconds. */
const FIRST_PAUSE = 150;
const LONGEST_PAUSE = 10_000;

/** The time between two sign-outs, whoever makes them. */
export interface StoreSession {
  /** Returns a function that says whether the session has ended since this call. */
  readonly watch: () => () => boolean;
  /** This store has signed out, and the others do not know of it. */
  readonly isUnpublished: () => boolean;
  /** Rejects when the others cannot be told now: a stream reports that. It is tried again until it succeeds. */
  readonly signOut: (id: string) => Promise<void>;
  /** Resolves when the others know of all sign-outs of this store; rejects when they cannot be told now. */
  readonly published: () => Promise<void>;
  /** Someone else has ended the session. */
  readonly endedByOthers: () => void;
  /** Emits when the session has ended, here or elsewhere: several streams may have this store. */
  readonly signedOut: Observable<void>;
}

/** @param publish tells the others of the sign-out with this id. @param onEnd called when the session ends */
export function createStoreSession(
  publish: (id: string) => Promise<void>,
  timers: Timers,
  onEnd: () => void = () => undefined,
): StoreSession {
  const signedOut = new Subject<void>();
  let endings = 0;
  let unpublished: string | null = null;
  let publishing: Promise<void> | null = null;
  let isRetrying = false;

  const end = () => {
    endings++;
    onEnd();
    signedOut.next();
  };

  const publishOnce = (id: string): Promise<void> =>
    (publishing ??= publish(id)
      .then(() => {
        if (unpublished === id) unpublished = null;
      })
      .finally(() => {
        publishing = null;
      }));

  async function published(): Promise<void> {
    while (unpublished !== null) await publishOnce(unpublished);
  }

  /** Until it succeeds: the others must not go on with the session. The timers do not hold the process open. */
  async function retry(): Promise<void> {
    isRetrying = true;
    for (let pause = FIRST_PAUSE; unpublished !== null; pause = Math.min(2 * pause, LONGEST_PAUSE))
      await published().catch(() => firstValueFrom(timers.after(pause)));
    isRetrying = false;
  }

  return {
    watch: () => {
      const before = endings;
      return () => endings !== before;
    },
    isUnpublished: () => unpublished !== null,
    signOut: (id) => {
      unpublished = id;
      if (!isRetrying) void retry();
      end();
      const done = published();
      ignoreRejection(done);
      return done;
    },
    published,
    endedByOthers: end,
    signedOut,
  };
}

export const sessionEnded = () => new TokenStoreError('the session was ended while its token was refreshed');
