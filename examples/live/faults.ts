import type { LiveClock } from './liveClock.js';
import type { KnownToken } from './tokenRegistry.js';

/**
 * What goes wrong at the moment. It stands between the clients and their servers, so that it can be had with any
 * server.
 */
export interface Faults {
  /** The path that is forbidden, or null. */
  forbidden: string | null;
  /** When the token endpoint is well again, on the run's clock. */
  outageUntil: number;
  revoke(token: KnownToken): void;
  /** What a request with this token gets instead of an answer of the API; null: it passes. */
  refuses(token: KnownToken | undefined, path: string): 403 | null;
  /** What a token request gets instead of a token; null: it passes. */
  breaks(): 503 | null;
}

export function createFaults(clock: LiveClock): Faults {
  const revoked = new WeakSet<KnownToken>();
  const faults: Faults = {
    forbidden: null,
    outageUntil: -Infinity,
    revoke: (token) => void revoked.add(token),
    refuses: (token, path) => {
      if (path === faults.forbidden) return 403;
      if (token === undefined) return null;
      // The servers did not sleep along: that a token ended meanwhile is for this stand-in to say.
      const overslept = token.slept < clock.slept && clock.now() >= token.expiresAt;
      return revoked.has(token) || overslept ? 403 : null;
    },
    breaks: () => (clock.now() < faults.outageUntil ? 503 : null),
  };
  return faults;
}
