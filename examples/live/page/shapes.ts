import type { LaneName } from '../liveEvent.js';
import { isRefusal } from '../counters.js';
import { hueOf, letterOf } from './names.js';
import type { AttemptMark, FaultMark, LaneStory, Mark, RequestMark, SocketMark, TokenMark } from './story.js';
import { LANE } from './view.js';
import { faultLabel } from './words.js';

/** What is drawn for a mark; `x` and `y` are where it is pointed at. */
export interface Shape<M extends Mark = Mark> {
  readonly key: string;
  readonly mark: M;
  readonly x: number;
  readonly y: number;
}

export interface TokenShape extends Shape<TokenMark> {
  readonly hue: string;
  readonly letter: string;
  /** Where it was asked for, where it was taken out of use, and where its life ends. */
  readonly asked: number;
  readonly used: number;
  readonly end: number;
}

export interface RequestShape extends Shape<RequestMark> {
  readonly hue: string;
  readonly outcome: 'pending' | 'accepted' | 'refused' | 'failed';
  /** Where it was asked for, if it had to wait; else `x`. */
  readonly asked: number;
}

export interface AttemptShape extends Shape<AttemptMark> {
  readonly asked: number;
}

/** A WebSocket: a line while it is open, and a dot for each message. */
export interface SocketShape extends Shape<SocketMark> {
  readonly hue: string;
  readonly end: number;
  readonly isOpen: boolean;
  readonly messages: readonly number[];
}

export interface FaultShape extends Shape<FaultMark> {
  readonly end: number;
  readonly label: string;
}

export interface LaneShapes {
  readonly tokens: readonly TokenShape[];
  readonly attempts: readonly AttemptShape[];
  readonly requests: readonly RequestShape[];
  readonly sockets: readonly SocketShape[];
  readonly faults: readonly FaultShape[];
}

/** A wait shorter than this is nobody's business. */
const NOTICEABLE = 50;
/** What lasts for ever ends here. */
const FAR = 50_000;

const trackOf = (token: number): number => LANE.tracks[token % LANE.tracks.length] ?? LANE.tracks[0];

/** Where everything of one lane stands. */
export function shapesOf(
  lane: LaneName,
  { tokens, attempts, requests, sockets }: LaneStory,
  faults: readonly FaultMark[],
  x: (at: number) => number,
): LaneShapes {
  const until = (at: number, from: number): number => Math.min(x(at), x(from) + FAR);
  return {
    tokens: tokens.map((mark) => {
      const end = until(mark.expiresAt, mark.at);
      return {
        key: `token-${mark.token}`,
        mark,
        x: x(mark.at),
        y: trackOf(mark.token),
        hue: hueOf(mark.token),
        letter: letterOf(mark.token),
        asked: x(mark.issuedAt),
        used: mark.end === null ? end : Math.min(x(mark.end), end),
        end,
      };
    }),
    attempts: attempts
      .filter(({ end }) => end !== null)
      .map((mark) => ({
        key: `attempt-${mark.at}-${mark.attempt}`,
        mark,
        x: x(mark.end ?? mark.at),
        y: trackOf(mark.after),
        asked: x(mark.at),
      })),
    requests: requests.map((mark) => ({
      key: `request-${mark.request}`,
      mark,
      x: x(mark.at),
      y: (LANE.ticks[0] + LANE.ticks[1]) / 2,
      hue: hueOf(mark.token),
      outcome: outcomeOf(mark.status),
      asked: mark.waited < NOTICEABLE ? x(mark.at) : x(mark.at - mark.waited),
    })),
    sockets: sockets.map((mark) => ({
      key: `socket-${mark.at}`,
      mark,
      x: x(mark.at),
      y: LANE.socket,
      hue: hueOf(mark.latest),
      end: x(mark.end ?? mark.messages.at(-1) ?? mark.at),
      isOpen: mark.end === null,
      messages: mark.messages.map(x),
    })),
    faults: apart(
      faults.map((mark) => ({
        key: `fault-${mark.fault}-${mark.at}`,
        mark,
        x: x(mark.at),
        y: LANE.labels[0],
        end: until(mark.until, mark.at),
        label: faultLabel(mark, lane),
      })),
    ),
  };
}

/** Px that a letter of a label takes, and that two labels are apart. */
const LETTER = 7.5;
const GAP = 10;

const widthOf = ({ label }: FaultShape): number => label.length * LETTER + GAP;

/** Labels that would begin on top of the one before go to the second row. */
function apart(faults: readonly FaultShape[]): readonly FaultShape[] {
  const ends = [-Infinity, -Infinity];
  return faults.map((shape) => {
    const row = shape.x < (ends[0] ?? 0) && (ends[1] ?? 0) <= (ends[0] ?? 0) ? 1 : 0;
    ends[row] = shape.x + widthOf(shape);
    return { ...shape, y: LANE.labels[row] };
  });
}

/**
 * Where a label stands when the picture begins at `edge`: it stays in sight as long as its band does, unless the next
 * one of its row needs the room. Null: it is not written, because its band is out of sight or the next label begins on
 * top of it.
 */
export function labelX(shape: FaultShape, faults: readonly FaultShape[], edge: number): number | null {
  const next = faults.slice(faults.indexOf(shape) + 1).find(({ y }) => y === shape.y);
  const room = next === undefined ? Infinity : next.x - widthOf(shape);
  if (shape.end < edge || room < shape.x) return null;
  return Math.max(shape.x, Math.min(edge, room));
}

function outcomeOf(status: number | null): RequestShape['outcome'] {
  if (status === null) return 'pending';
  if (isRefusal(status)) return 'refused';
  return status >= 200 && status < 300 ? 'accepted' : 'failed';
}

/** All that can be pointed at, in the order of time. */
export const inOrder = ({ tokens, attempts, requests, sockets, faults }: LaneShapes): readonly Shape[] =>
  [...tokens, ...attempts, ...requests, ...sockets, ...faults].sort((a, b) => a.x - b.x);

/** The shape nearest to a point, if one is within reach. */
export function nearest(shapes: readonly Shape[], x: number, y: number, reach = 22): Shape | undefined {
  const distance = (shape: Shape): number => Math.hypot(shape.x - x, shape.y - y);
  const [first] = [...shapes].sort((a, b) => distance(a) - distance(b));
  return first !== undefined && distance(first) <= reach ? first : undefined;
}

/** The neighbour of the shape with this key; from nowhere, the latest. */
export function neighbour(shapes: readonly Shape[], key: string | null, step: -1 | 1): Shape | undefined {
  const index = shapes.findIndex((shape) => shape.key === key);
  if (index === -1) return shapes.at(-1);
  return shapes[Math.min(shapes.length - 1, Math.max(0, index + step))];
}
