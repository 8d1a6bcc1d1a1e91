import { count, NOTHING } from './counters.js';
import type { Counters, LaneName, LiveEvent } from './liveEvent.js';

/** The events that a page opened now should see, and the counters of all that came before them. */
export interface History {
  readonly events: readonly LiveEvent[];
  readonly counters: Readonly<Partial<Record<LaneName, Counters>>>;
}

export const NO_HISTORY: History = { events: [], counters: {} };

/** How far back a page can look, in ms, and the most events that it is given. */
const SPAN = 120_000;
const MOST = 6_000;
/** Tokens of a lane that are kept however old: the one in use, and the one before it. */
const TOKENS = 2;

export const remember = ({ events, counters }: History, event: LiveEvent): History => ({
  events: [...events, event],
  counters,
});

/**
 * Forgets what is too old to be drawn, but never what still holds: the tokens in use, whether a connection is open, and
 * a path that is forbidden.
 */
export function forget({ events, counters }: History, now: number): History {
  const holds = stillHolding(events);
  const totals = { ...counters };
  const kept = events.filter((event, index) => {
    if (holds.has(event) || (event.at >= now - SPAN && index >= events.length - MOST)) return true;
    if (event.type !== 'fault') totals[event.lane] = count(totals[event.lane] ?? NOTHING, event);
    return false;
  });
  return { events: kept, counters: totals };
}

function stillHolding(events: readonly LiveEvent[]): ReadonlySet<LiveEvent> {
  const last = (count: number, is: (event: LiveEvent) => boolean): LiveEvent[] => events.filter(is).slice(-count);
  const tokensOf = (lane: LaneName): LiveEvent[] =>
    last(TOKENS, (event) => event.type === 'token' && event.lane === lane);
  // The last two: whether the connection that was opened last has ended.
  const socketOf = (lane: LaneName): LiveEvent[] =>
    last(2, (event) => event.type === 'socket' && ['opened', 'ended'].includes(event.what) && event.lane === lane);
  const rule = last(1, (event) => event.type === 'fault' && (event.kind === 'forbid' || event.kind === 'allow'));
  const lanes = ['ours', 'theirs'] as const;
  return new Set([...lanes.flatMap(tokensOf), ...lanes.flatMap(socketOf), ...rule]);
}
