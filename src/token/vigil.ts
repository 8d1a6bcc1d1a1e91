import { Subscription } from 'rxjs';
import type { Settings } from './options.js';
import type { Answer } from './sourceCalls.js';

export interface Vigil {
  /** From now on, if not already. */
  readonly keep: () => void;
  /** Returns whether it was kept until now. */
  readonly end: () => boolean;
}

/** Listens, while anyone is interested in tokens, to what may change the picture: the machine that wakes up, others who share the store. */
export function createVigil(
  { wake, store }: Settings,
  {
    onWake,
    onPush,
    onError,
  }: { onWake: () => void; onPush: (stored: Answer) => void; onError: (error: unknown) => void },
): Vigil {
  let watch: Subscription | null = null;
  return {
    keep: () => {
      if (watch) return;
      const mine = (watch = new Subscription());
      mine.add(wake.subscribe({ next: onWake, error: onError }));
      // One that emits at once may have found that nobody is interested.
      if (!mine.closed) mine.add(store?.changes?.subscribe({ next: onPush, error: onError }));
    },
    end: () => {
      const mine = watch;
      watch = null;
      mine?.unsubscribe();
      return mine !== null;
    },
  };
}
