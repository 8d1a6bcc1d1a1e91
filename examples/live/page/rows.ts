import { isAccepted } from '../counters.js';
import type { Lane } from '../liveEvent.js';
import { letterOf } from './names.js';
import type { Mark, Story } from './story.js';
import { describe } from './words.js';

/** One line of the table. */
export interface Row {
  readonly key: string;
  readonly at: number;
  readonly client: string;
  readonly what: string;
  readonly token: string;
  readonly details: string;
  /** Whether something went wrong. */
  readonly bad: boolean;
}

const MOST = 100;

/** What happened, the latest first. Accepted requests are many and all alike, so they come only when asked for. */
export function rowsOf(story: Story, lanes: readonly Lane[], everyRequest: boolean): readonly Row[] {
  const rows = lanes.flatMap(({ name, title }) => {
    const { tokens, attempts, requests, sockets } = story.lanes[name];
    const shown = requests.filter(({ status }) => status !== null && (everyRequest || !isAccepted(status)));
    const failures = attempts.filter(({ end }) => end !== null);
    return [...tokens, ...failures, ...shown, ...sockets].map((mark, index): Row => ({
      ...rowOf(mark, title, name),
      key: `${name}-${keyOf(mark, index)}`,
    }));
  });
  const faults = story.faults.map((mark): Row => {
    const everyones =
      mark.fault === 'revoke' ? lanes.map(({ name }) => letterOf(mark.tokens?.[name] ?? -1)).join(', ') : '';
    const what = mark.fault === 'revoke' ? 'Token revoked' : describe(mark, 'ours').what;
    return { ...rowOf(mark, 'You', 'ours'), what, token: everyones, key: `fault-${mark.fault}-${mark.at}` };
  });
  return [...rows, ...faults].sort((a, b) => b.at - a.at).slice(0, MOST);
}

function rowOf(mark: Mark, client: string, lane: Lane['name']): Omit<Row, 'key'> {
  const { what, details } = describe(mark, lane);
  const token = 'token' in mark ? letterOf(mark.token) : '';
  const bad = mark.kind === 'attempt' || (mark.kind === 'request' && mark.status !== null && !isAccepted(mark.status));
  return { at: mark.at, client, what, token, details, bad };
}

const keyOf = (mark: Mark, index: number): string =>
  mark.kind === 'token'
    ? `token-${mark.token}`
    : mark.kind === 'request'
      ? `request-${mark.request}`
      : `${mark.kind}-${mark.at}-${index}`;

/** The time of day, to a tenth of a second. */
export const timeOfDay = (at: number): string => {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${Math.floor(time.getMilliseconds() / 100)}`;
};
