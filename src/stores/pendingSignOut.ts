import { firstValueFrom } from 'rxjs';
import type { Timers } from '../internal/timers.js';

/** Between attempts to tell of a sign-out: the first pause and the longest. Milliseconds. */
const FIRST_PAUSE = 150;
const LONGEST_PAUSE = 10_000;

/** A sign-out that has ended the session here, and that the others are told of as soon as that is possible. */
export interface PendingSignOut {
  /** The id of the sign-out that the others do not know of; null when they know of all. */
  readonly id: () => string | null;
  readonly begin: (id: string) => void;
  /** Resolves when the others know of all sign-outs; rejects when they cannot be told now. */
  readonly flushed: () => Promise<void>;
}

/** @param send tells of the sign-out with this id */
export function pendingSignOut(send: (id: string) => Promise<void>, timers: Timers): PendingSignOut {
  let pendingId: string | null = null;
  let publishing: Promise<void> | null = null;
  let isRetrying = false;

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

  /** Until it succeeds: the others must not go on with the session. The timers do not hold the process open. */
  async function retry(): Promise<void> {
    isRetrying = true;
    for (let pause = FIRST_PAUSE; pendingId !== null; pause = Math.min(2 * pause, LONGEST_PAUSE))
      await flushed().catch(() => firstValueFrom(timers.after(pause)));
    isRetrying = false;
  }

  return {
    id: () => pendingId,
    begin: (id) => {
      pendingId = id;
      if (!isRetrying) void retry();
    },
    flushed,
  };
}
