import type { Counters, LaneEvent } from './liveEvent.js';

export const NOTHING: Counters = { accepted: 0, refused: 0, failed: 0, tokens: 0, longestWait: 0, missed: 0 };

export const isRefusal = (status: number): boolean => status === 401 || status === 403;
export const isAccepted = (status: number): boolean => status >= 200 && status < 300;

/** The counters after one more event of their lane. */
export function count(counters: Counters, event: LaneEvent): Counters {
  if (event.type === 'token') return { ...counters, tokens: counters.tokens + 1 };
  if (event.type === 'socket') return { ...counters, missed: counters.missed + event.missed };
  if (event.type !== 'answered') return counters;
  if (isRefusal(event.status)) return { ...counters, refused: counters.refused + 1 };
  if (!isAccepted(event.status)) return { ...counters, failed: counters.failed + 1 };
  return { ...counters, accepted: counters.accepted + 1, longestWait: Math.max(counters.longestWait, event.waited) };
}
