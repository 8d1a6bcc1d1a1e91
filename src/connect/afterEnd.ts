/** Decides what follows the end of a connection: another one, or the end of the stream. */
import { backoffStep } from '../token/backoff.js';
import type { ConnectSettings } from './options.js';

/**
 * So many tokens in a row may be rejected. The first two may have been revoked; with the third it is the server that
 * rejects.
 */
const MAX_REJECTIONS = 3;

export interface EndState {
  /** Reconnects after a pause since a connection lasted. */
  readonly attempts: number;
  /** Tokens rejected in a row. A message makes it 1 at most, and a connection that lasts 0. */
  readonly rejections: number;
}

/**
 * `final`: the end is the stream's. `rejected`: another token, then another connection. `reconnect`: another
 * connection.
 */
export type Decision =
  | { readonly type: 'final'; readonly isRejected: boolean }
  | { readonly type: 'rejected' | 'reconnect'; readonly pause: number; readonly state: EndState };

/**
 * Decides what follows when a connection has ended.
 *
 * @param end what the connection failed with, null if it completed
 */
export function afterEnd(end: unknown, { attempts, rejections }: EndState, settings: ConnectSettings): Decision {
  const { reconnect, isFinal, isRejection, leastPause } = settings;
  if (reconnect && isFinal(end)) return { type: 'final', isRejected: false };
  const isRejected = isRejection(end);
  if (!reconnect) return { type: 'final', isRejected };
  // A token may be revoked at any time: the next one is tried at once.
  if (isRejected && rejections === 0) return { type: 'rejected', pause: 0, state: { attempts, rejections: 1 } };
  if (attempts >= reconnect.count || (isRejected && rejections + 1 >= MAX_REJECTIONS))
    return { type: 'final', isRejected };
  const pause = Math.max(leastPause(end), pauseAfter(attempts + 1, reconnect));
  return isRejected
    ? { type: 'rejected', pause, state: { attempts: attempts + 1, rejections: rejections + 1 } }
    : { type: 'reconnect', pause, state: { attempts: attempts + 1, rejections } };
}

/** The pause before the given attempt, the first being 1: with full jitter. */
export const pauseAfter = (attempt: number, reconnect: Exclude<ConnectSettings['reconnect'], false>): number =>
  Math.round(reconnect.random() * backoffStep(attempt, reconnect));
