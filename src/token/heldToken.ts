import { Subscription } from 'rxjs';
import type { Timers } from '../internal/timers.js';
import type { Arrival } from './arrival.js';
import type { AccessToken } from './types.js';

/** The token at hand. */
export interface HeldToken {
  readonly token: AccessToken;
  /** Neither due nor over: a request may take it, and that is all there is to do. */
  readonly isFresh: (now: number) => boolean;
  readonly isUsable: (now: number) => boolean;
  readonly isRefused: () => boolean;
  /** A server said that it is no good: it never serves again. */
  readonly refuse: () => void;
  /** True once: when its end has come. */
  readonly hasJustEnded: (now: number) => boolean;
  /** Stops its timers. */
  readonly release: () => void;
}

/**
 * Keeps a token with its timers. The timer or the clock, whichever speaks first, is believed: a timer moves its moment
 * into the past, so that both are one comparison.
 */
export function holdToken(
  { token, age, ...windows }: Arrival,
  timers: Timers,
  { onWindow, onEnd }: { onWindow: () => void; onEnd: () => void },
): HeldToken {
  let { dueAt, overAt } = windows;
  let endsAt = token.expiresAt;
  let refused = false;
  let ended = false;
  const alarms = new Subscription();
  // By the token's age, not by the clock: one that was set back does not lengthen a life.
  const at = (moment: number, then: () => void) => {
    alarms.add(timers.after(moment - token.issuedAt - age).subscribe(then));
  };
  at(dueAt, () => {
    dueAt = -Infinity;
    onWindow();
  });
  at(overAt, () => {
    overAt = -Infinity;
    onWindow();
  });
  at(endsAt, () => {
    endsAt = -Infinity;
    onEnd();
  });
  return {
    token,
    isFresh: (now) => now < dueAt && now < overAt,
    isUsable: (now) => {
      // Once over, always over, even if the clock is set back.
      if (now >= overAt) overAt = -Infinity;
      return now < overAt;
    },
    isRefused: () => refused,
    refuse: () => {
      refused = true;
      overAt = -Infinity;
    },
    hasJustEnded: (now) => !ended && (ended = now >= endsAt),
    release: () => {
      alarms.unsubscribe();
    },
  };
}
