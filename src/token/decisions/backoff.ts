/** The numbers and the formula of pauses, for attempts of a stream, reconnects and leases; see `pauseAfter`. */

/** A failed fetch is not repeated sooner than this, whatever the jitter. Milliseconds. */
export const LEAST_PAUSE_AFTER_FAILURE = 50;

/** A source that gives the same token again, or one that cannot be kept, is asked no sooner than this. Milliseconds. */
export const LEAST_PAUSE_AFTER_TOKEN = 1000;

/** The longest pause by default, unless a failure is permanent: several attempts fit into the life of a token. */
export const usualLongestPause = (lifetime: number): number => Math.min(10_000, lifetime / 6);

/** The unjittered pause after this many failures, at least 1. `initial` may be 0, and 0 * Infinity would be NaN. */
export const backoffStep = (
  failures: number,
  { initial, max, factor }: { initial: number; max: number; factor: number },
): number => Math.min(max, initial * Math.min(factor ** (failures - 1), Number.MAX_VALUE));
