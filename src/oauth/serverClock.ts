/** By which clock assertions and proofs are signed: ours, until the server shows that its own differs. */
export interface ServerClock {
  /** Seconds by which the server's clock is ahead of ours. */
  readonly skew: () => number;
  /** Takes a new skew into use if it differs enough to matter; tells whether it does. */
  readonly adjust: (skew: number | undefined) => boolean;
}

/** Seconds by which a server's clock may differ before it is worth a repeat: servers tolerate some themselves. */
const TOLERANCE = 30;

export function serverClock(): ServerClock {
  let current = 0;
  return {
    skew: () => current,
    adjust: (skew) => {
      if (skew === undefined || Math.abs(skew - current) <= TOLERANCE) return false;
      current = skew;
      return true;
    },
  };
}

/** By how many seconds the server's clock is ahead of ours, by its `Date` header (the server is known by its TLS certificate). */
export function clockSkewOf(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const skew = Math.round((Date.parse(headers.get('date') ?? '') - now) / 1000);
  return Number.isNaN(skew) ? undefined : skew;
}
