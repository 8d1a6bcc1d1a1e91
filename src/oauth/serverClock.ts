import { parseHttpDate } from '../internal/retryAfter.js';

/** The clock by which assertions and proofs are signed: ours, until the server shows that its own differs. */
export function createServerClock() {
  let current = 0;
  return {
    /** Seconds by which the server's clock is ahead of ours. */
    skew: () => current,
    /** Uses a new skew if it differs enough to matter; tells whether it does. */
    adjust: (skew: number | undefined): boolean => {
      if (skew === undefined || Math.abs(skew - current) <= TOLERANCE) return false;
      current = skew;
      return true;
    },
  };
}

export type ServerClock = ReturnType<typeof createServerClock>;

/** Seconds by which a server's clock may differ before it is worth a repeat: servers tolerate some themselves. */
const TOLERANCE = 30;

/**
 * By how many seconds the server's clock is ahead of ours, by its `Date` header (the server is known by its TLS
 * certificate).
 */
export function clockSkewOf(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const skew = Math.round((parseHttpDate(headers.get('date') ?? '') - now) / 1000);
  return Number.isNaN(skew) ? undefined : skew;
}
