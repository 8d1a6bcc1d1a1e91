import { backoffStep } from '../token/backoff.js';
import type { ConnectSettings } from './options.js';

/** So many tokens in a row may be refused. The first two may have been revoked; with the third it is the server that refuses. */
const MOST_REFUSALS = 3;

export interface EndState {
  /** Reconnects after a pause since a connection lasted. */
  readonly attempts: number;
  /** Tokens refused in a row since a connection was accepted. */
  readonly refusals: number;
}

/** `final`: the end is the stream's. `refused`: another token, then another connection. `reconnect`: another connection. */
export type Decision =
  | { readonly type: 'final'; readonly isRefused: boolean }
  | { readonly type: 'refused' | 'reconnect'; readonly pause: number; readonly state: EndState };

/**
 * Decides what follows when a connection has ended.
 *
 * @param end what the connection failed with, null if it completed
 */
export function afterEnd(end: unknown, { attempts, refusals }: EndState, settings: ConnectSettings): Decision {
  const { reconnect, isFinal, isRejection, leastPause } = settings;
  if (reconnect && isFinal(end)) return { type: 'final', isRefused: false };
  const isRefused = isRejection(end);
  if (!reconnect) return { type: 'final', isRefused };
  // A token may be revoked at any time: the next one is tried at once.
  if (isRefused && refusals === 0) return { type: 'refused', pause: 0, state: { attempts, refusals: 1 } };
  if (attempts >= reconnect.count || (isRefused && refusals + 1 >= MOST_REFUSALS)) return { type: 'final', isRefused };
  const pause = Math.max(leastPause(end), pauseAfter(attempts + 1, reconnect));
  return isRefused
    ? { type: 'refused', pause, state: { attempts: attempts + 1, refusals: refusals + 1 } }
    : { type: 'reconnect', pause, state: { attempts: attempts + 1, refusals } };
}

/** The pause before the given attempt, the first being 1: with full jitter. */
export const pauseAfter = (attempt: number, reconnect: Exclude<ConnectSettings['reconnect'], false>): number =>
  Math.round(reconnect.random() * backoffStep(attempt, reconnect));
