import type { Faults } from './faults.js';
import type { FaultEvent, LaneName } from './liveEvent.js';
import type { LiveClock } from './liveClock.js';
import type { TokenRegistry } from './tokenRegistry.js';

export interface Machinery {
  readonly clock: LiveClock;
  readonly faults: Faults;
  readonly registries: Readonly<Partial<Record<LaneName, TokenRegistry>>>;
  /** The path that can be forbidden. */
  readonly path: string;
  /** Ends the WebSockets. */
  readonly cut: () => void;
}

/** Milliseconds. The library gets over the short one unnoticed, whenever it begins: see `STREAM` in setting.ts. */
export const OUTAGE = { short: 2_000, long: 8_000 } as const;
/** A sleep outlasts every token by this much, and takes at least twelve seconds, so that it can be seen. */
const OVERSLEEP = 2_000;
const SHORTEST_SLEEP = 12_000;

/** What each button of the page does, and the event that tells of it. */
export const createButtons = ({
  clock,
  faults,
  registries,
  path,
  cut,
}: Machinery): Readonly<Record<'revoke' | 'outage' | 'longOutage' | 'forbid' | 'sleep' | 'cut', () => FaultEvent>> => ({
  revoke: () => {
    const tokens: Partial<Record<LaneName, number>> = {};
    for (const [lane, { current }] of Object.entries(registries) as [LaneName, TokenRegistry][]) {
      if (current === undefined) continue;
      faults.revoke(current);
      tokens[lane] = current.number;
    }
    return { type: 'fault', kind: 'revoke', at: clock.now(), until: null, tokens };
  },
  outage: () => outageOf(OUTAGE.short, clock, faults),
  longOutage: () => outageOf(OUTAGE.long, clock, faults),
  forbid: () => {
    const kind = faults.forbidden === null ? 'forbid' : 'allow';
    faults.forbidden = kind === 'forbid' ? path : null;
    return { type: 'fault', kind, at: clock.now(), until: null, path };
  },
  cut: () => {
    cut();
    return { type: 'fault', kind: 'cut', at: clock.now(), until: null };
  },
  sleep: () => {
    const ends = Object.values(registries).map(({ current }) => current?.expiresAt ?? 0);
    const latest = Math.max(0, ...ends.filter(Number.isFinite));
    const { at, until } = clock.sleep(Math.max(SHORTEST_SLEEP, latest - clock.now() + OVERSLEEP));
    return { type: 'fault', kind: 'sleep', at, until };
  },
});

function outageOf(length: number, clock: LiveClock, faults: Faults): FaultEvent {
  const at = clock.now();
  faults.outageUntil = at + length;
  return { type: 'fault', kind: 'outage', at, until: faults.outageUntil };
}
