import { parseHttpDate } from '../internal/retryAfter.js';

/** The clock by which assertions and proofs are signed: ours, until the server shows that its own differs. */
export function createServerClock() {
  let current = 0;
  return {
    /** Seconds by which the server's clock is ahead of ours. */
    skew: () => current,
    /** Uses a new skew if it differs by more than `tolerance` seconds; tells whether it does. */
    adjust: (skew: number | undefined, tolerance: number): boolean => {
      if (skew === undefined || Math.abs(skew - current) <= tolerance) return false;
      current = skew;
      return true;
    },
  };
}

export type ServerClock = ReturnType<typeof createServerClock>;

/**
 * By how many whole seconds the server's clock is ahead of ours, by its `Date` header (the server is known by its TLS
 * certificate). Rounded down: what is signed by the result is never ahead of the server.
 */
export function clockSkewOf(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const skew = Math.floor((parseHttpDate(headers.get('date') ?? '') - now) / 1000);
  return Number.isNaN(skew) ? undefined : skew;
}
