import { count, NOTHING } from '../counters.js';
import type { Counters, Lane, LaneName, LiveEvent, Snapshot } from '../liveEvent.js';
import { EMPTY_STORY, since, tell, type Story } from './story.js';

/** All that the page knows. */
export interface State {
  readonly intro: string;
  readonly lanes: readonly Lane[];
  readonly path: string;
  readonly forbidden: boolean;
  readonly counters: Readonly<Partial<Record<LaneName, Counters>>>;
  readonly story: Story;
  /** What to add to the page's own clock to have the run's. */
  readonly ahead: number;
}

/** From a snapshot, and the page's clock at that moment. */
export function begin({ now, events, ...rest }: Snapshot, clock: number): State {
  const { intro, lanes, path, forbidden, counters } = rest;
  const start: State = { intro, lanes, path, forbidden, counters, story: EMPTY_STORY, ahead: now - clock };
  const told = events.reduce(heard, start);
  // The snapshot's clock has slept already.
  return { ...told, forbidden, ahead: start.ahead };
}

/** With one more event. */
export function heard(state: State, event: LiveEvent): State {
  const story = tell(state.story, event);
  if (event.type !== 'fault')
    return {
      ...state,
      story,
      counters: { ...state.counters, [event.lane]: count(state.counters[event.lane] ?? NOTHING, event) },
    };
  if (event.kind === 'sleep') return { ...state, story, ahead: state.ahead + ((event.until ?? event.at) - event.at) };
  if (event.kind === 'forbid' || event.kind === 'allow') return { ...state, story, forbidden: event.kind === 'forbid' };
  return { ...state, story };
}

/** The page learns of events a little late: its clock is never behind what has happened. */
export const caughtUp = (state: State, { at }: LiveEvent, clock: number): State => ({
  ...state,
  ahead: Math.max(state.ahead, at - clock),
});

/** How far back the story is kept, in ms: what the table shows. */
const KEPT = 120_000;

export const tidy = (state: State, now: number): State => ({ ...state, story: since(state.story, now - KEPT) });
