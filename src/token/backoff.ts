/** How pauses between attempts grow. */

/** A failed fetch is not repeated sooner than this, whatever the jitter. Milliseconds. */
export const MIN_PAUSE = 50;

/** The unjittered pause after the given attempt, the first being 1. */
export const backoffStep = (
  attempt: number,
  { initial, max, factor }: { initial: number; max: number; factor: number },
): number => Math.min(max, initial * Math.min(factor ** (attempt - 1), Number.MAX_VALUE));
