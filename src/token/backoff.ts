/** How pauses between attempts grow. */

/** A failed fetch is not repeated sooner than this, whatever the jitter. Milliseconds. */
export const MIN_PAUSE = 50;

export interface Backoff {
  readonly initial: number;
  readonly max: number;
  readonly factor: number;
}

/** The unjittered pause after the given attempt, the first being 1. */
export const backoffStep = (attempt: number, { initial, max, factor }: Backoff): number =>
  Math.min(max, initial * Math.min(factor ** (attempt - 1), Number.MAX_VALUE));
