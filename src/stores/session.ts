/** The session of a store: it ends here at once, and for the others as soon as they can be told. */
import { defer, retry, Subject, switchMap } from 'rxjs';
import { TokenStoreError } from '../errors.js';
import { ignoreRejection } from '../internal/async/ignoreRejection.js';
import type { Timers } from '../internal/time/timers.js';
import { backoffStep } from '../token/decisions/backoff.js';
import { createEndings } from './endings.js';

/** Between attempts to publish a sign-out. Milliseconds. */
const PAUSES = { initial: 150, factor: 2, max: 10_000 };

/**
 * @param publish tells the others of the sign-out with this id
 * @param onEnd called when the session ends
 */
export function createStoreSession(
  publish: (id: string) => Promise<unknown>,
  timers: Timers,
  onEnd: () => void = () => undefined,
) {
  const { end, watch, ended$ } = createEndings(onEnd);
  const { begin, isPending, publishPending } = createPublisher(publish, timers);

  return {
    watch,
    /** This store has signed out, and the others do not know of it. */
    isPublishPending: isPending,
    /** Rejects when the others cannot be told now: a stream reports that. It is tried again until it succeeds. */
    signOut: (id: string): Promise<void> => {
      begin(id);
      end();
      const done = publishPending();
      ignoreRejection(done);
      return done;
    },
    /** Resolves when the others know of all sign-outs of this store; rejects when they cannot be told now. */
    publishPending,
    /** Someone else has ended the session. */
    endedByOthers: end,
    signedOut: ended$,
  };
}

/** Publishes sign-outs, one at a time, each until it succeeds: the others must not go on with the session. */
function createPublisher(publish: (id: string) => Promise<unknown>, timers: Timers) {
  const toPublish$ = new Subject<void>();
  let unpublished: string | null = null;
  let publishing: Promise<void> | null = null;

  const publishNow = async (id: string): Promise<void> => {
    try {
      await publish(id);
      if (unpublished === id) unpublished = null;
    } finally {
      publishing = null;
    }
    // There may have been another sign-out meanwhile.
    return publishPending();
  };
  const publishPending = async (): Promise<void> => {
    if (unpublished !== null) await (publishing ??= publishNow(unpublished));
  };
  // The timers do not hold the process open.
  const retrying$ = defer(publishPending).pipe(
    retry({ delay: (_failure, failures) => timers.after(backoffStep(failures, PAUSES)) }),
  );
  toPublish$.pipe(switchMap(() => retrying$)).subscribe();

  return {
    /** Sends the sign-out with this id, unless another one is being sent: then after that. */
    begin: (id: string): void => {
      unpublished = id;
      toPublish$.next();
    },
    isPending: (): boolean => unpublished !== null,
    publishPending,
  };
}

export const sessionEnded = () => new TokenStoreError('the session was ended while its token was refreshed');
