/** Decides what follows the end of a connection: another one, or the end of the stream. */
import { backoffStep } from '../token/decisions/backoff.js';
import { randomShare } from '../token/decisions/callOption.js';
import { rejectionOf, type ConnectionEnd } from './ends.js';
import type { ConnectSettings } from './options.js';

/**
 * So many tokens in a row may be rejected. The first two may have been revoked; with the third it is the server that
 * rejects.
 */
const MAX_REJECTIONS = 3;

/** A connection has lasted only after this time, even if `max` is shorter. Milliseconds. */
const LEAST_LASTING = 1000;

/** Reconnects after a pause since a connection lasted, and tokens rejected in a row. */
export type EndState = Readonly<Record<'attempts' | 'rejections', number>>;

export interface AfterEnd {
  /** The token was rejected: another one is needed, by the next connection or by others. */
  readonly isRejected: boolean;
  /** Before the next connection, in milliseconds. Null: the stream ends. */
  readonly pause: number | null;
  readonly state: EndState;
}

export function afterEnd(end: ConnectionEnd, before: EndState, settings: ConnectSettings): AfterEnd {
  const { reconnects, backoff, isFinal, isRejection, leastPause } = settings;
  const { reason, isTokenOver, hasMessage, openFor } = end;
  if (isFinal(reason)) return { isRejected: isFinalRejection(end, isRejection), pause: null, state: before };
  const isRejected = isRejection(reason);
  const hasLasted = openFor >= Math.max(backoff.max, LEAST_LASTING);
  const attempts = hasLasted ? 0 : before.attempts;
  let { rejections } = before;
  // A server may greet before it looks at the token, so a message does not make the next rejection free.
  if (hasMessage) rejections = Math.min(rejections, 1);
  // The server had accepted the token, or the token was over: this rejection is the first one.
  if (hasLasted || isTokenOver) rejections = 0;
  // A token may be revoked at any time: the next one is tried at once.
  const isAtOnce = isRejected && rejections === 0;
  const isLast = !isAtOnce && (attempts >= backoff.count || (isRejected && rejections + 1 >= MAX_REJECTIONS));
  if (!reconnects || isLast) return { isRejected, pause: null, state: before };
  const state = { attempts: attempts + Number(!isAtOnce), rejections: rejections + Number(isRejected) };
  const pause = isAtOnce ? 0 : Math.max(leastPause(reason), pauseBefore(state.attempts, backoff));
  return { isRejected, pause, state };
}

/** Of a final end: what may be forbidden to any token costs no refresh, and a mistake does not replace the end. */
function isFinalRejection(end: ConnectionEnd, isRejection: ConnectSettings['isRejection']): boolean {
  try {
    return end.reason !== null && rejectionOf(end).kind === 'explicit' && isRejection(end.reason);
  } catch {
    return false;
  }
}

/** The pause before the given attempt, the first being 1: with full jitter. */
export const pauseBefore = (attempt: number, backoff: ConnectSettings['backoff']): number =>
  Math.round(randomShare(backoff.random) * backoffStep(attempt, backoff));
