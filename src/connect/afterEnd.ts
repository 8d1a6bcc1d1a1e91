/** Decides what follows the end of a connection: another one, or the end of the stream. */
import { backoffStep } from '../token/backoff.js';
import { randomShare } from '../token/callOption.js';
import type { ConnectionEnd } from './ends.js';
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

/** After the pause another connection follows; with another token, if that of the last one was rejected. */
export interface Reconnect {
  readonly isRejected: boolean;
  readonly pause: number;
  readonly state: EndState;
}

/** For an end that is not final. @returns null at the end of the stream */
export function afterEnd(end: ConnectionEnd, before: EndState, settings: ConnectSettings): Reconnect | null {
  const { reconnects, backoff, isRejection, leastPause } = settings;
  const { reason, isTokenOver, hasMessage, openFor } = end;
  if (!reconnects) return null;
  const isRejected = isRejection(reason);
  const hasLasted = openFor >= Math.max(backoff.max, LEAST_LASTING);
  const attempts = hasLasted ? 0 : before.attempts;
  let { rejections } = before;
  // A server may greet before it looks at the token, so a message does not make the next rejection free.
  if (hasMessage) rejections = Math.min(rejections, 1);
  // The server had accepted the token, or the token was over: this rejection is the first one.
  if (hasLasted || isTokenOver) rejections = 0;
  // A token may be revoked at any time: the next one is tried at once.
  if (isRejected && rejections === 0) return { isRejected, pause: 0, state: { attempts, rejections: 1 } };
  if (attempts >= backoff.count || (isRejected && rejections + 1 >= MAX_REJECTIONS)) return null;
  const state = { attempts: attempts + 1, rejections: isRejected ? rejections + 1 : rejections };
  return { isRejected, pause: Math.max(leastPause(reason), pauseBefore(state.attempts, backoff)), state };
}

/** The pause before the given attempt, the first being 1: with full jitter. */
export const pauseBefore = (attempt: number, backoff: ConnectSettings['backoff']): number =>
  Math.round(randomShare(backoff.random) * backoffStep(attempt, backoff));
