/** Estimates the clock of Redis from its answers, with limits for the error, so that no token counts as too young. */

/**
 * One answer of Redis: its time, and when it was asked and answered by a clock of ours that is never set. Milliseconds.
 */
interface ClockSample {
  readonly redis: number;
  readonly sent: number;
  readonly received: number;
}

/** Samples are as good as they are quick: the best of this long is used. */
const WINDOW = 60_000;

/** Two clocks part by no more than this share of the time that passes. */
const DRIFT = 0.0005;

/** How far Redis' clock is ahead, as it was at a moment of ours. */
interface Offset {
  readonly offset: number;
  readonly at: number;
}

/**
 * What is known of Redis' clock without comparing wall clocks: the upper bound of (Redis' time - ours). That is what
 * Redis said, less when it was asked, since it spoke no earlier than that. So no token is thought younger than it is. A
 * sample that no older one can explain (Redis' clock was set forward, or this machine slept) makes the older ones void.
 */
export function createClockBound() {
  let samples: Offset[] = [];
  let reported: Offset | undefined;

  const bound = ({ offset, at }: Offset, local: number) => offset + Math.max(0, local - at) * DRIFT;
  /** Redis' clock stood at `redis` or later when this was received. */
  const learnAtLeast = (redis: number, received: number): void => {
    reported = { offset: redis - received, at: received };
    samples = samples.filter((sample) => bound(sample, received) >= redis - received);
  };

  return {
    learnAtLeast,
    learn: ({ redis, sent, received }: ClockSample): void => {
      learnAtLeast(redis, received);
      // Redis rounds down to milliseconds.
      const newest = { offset: redis + 1 - sent, at: sent };
      samples = [newest, ...samples.filter(({ at, offset }) => received - at < WINDOW && offset < newest.offset)];
    },
    /** Whether an answer stands that nothing has proven wrong since. */
    isKnown: (): boolean => samples.length > 0,
    /**
     * Redis' time at `local`, at the latest; while that is not known, as it was last said, and gone on since; undefined
     * before anything was.
     */
    latest: (local: number): number | undefined => {
      const bounds = samples.length > 0 ? samples : reported ? [reported] : [];
      return bounds.length > 0 ? local + Math.min(...bounds.map((one) => bound(one, local))) : undefined;
    },
  };
}
