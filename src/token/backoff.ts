/** How pauses between attempts grow. */

/** A failed fetch is not repeated sooner than this, whatever the jitter. Milliseconds. */
export const MIN_PAUSE = 50;

/** The unjittered pause after this many failures, at least 1. `initial` may be 0, and 0 * Infinity would be NaN. */
export const backoffStep = (
  failures: number,
  { initial, max, factor }: { initial: number; max: number; factor: number },
): number => Math.min(max, initial * Math.min(factor ** (failures - 1), Number.MAX_VALUE));
