import { scaleLinear, type ScaleLinear } from 'd3-scale';

/** Where things stand in a diagram, in px. */
export const LANE = {
  height: 210,
  /** Labels of what was done to the clients; the second row is for those that find the first one taken. */
  labels: [12, 27],
  /** Where the bands begin, below the labels. */
  top: 33,
  /** Tokens run on two tracks in turn, like runners that hand on a baton. */
  tracks: [56, 90],
  radius: 12,
  bar: 10,
  /** Request ticks reach from here to there. */
  ticks: [124, 144],
  /** The line of the WebSocket. */
  socket: 170,
  axis: 184,
} as const;

const WIDE = 640;

export interface View {
  readonly width: number;
  /** Px for a second. */
  readonly pace: number;
  /** Where "now" stands; right of it is what is to come. */
  readonly nowX: number;
  /** From seconds around now to px: the axis. */
  readonly axis: ScaleLinear<number, number>;
}

/** As much time as fits: a second has the same width on every screen of a kind, so that marks stay apart. */
export function viewOf(width: number): View {
  const pace = width >= WIDE ? 26 : 18;
  const nowX = Math.round(width * (width >= WIDE ? 0.8 : 0.74));
  const axis = scaleLinear()
    .domain([-nowX / pace, (width - nowX) / pace])
    .range([0, width]);
  return { width, pace, nowX, axis };
}

/** From a time to px on a strip that begins at `origin`; the strip is moved, not what is on it. */
export const strip =
  (origin: number, { pace }: View) =>
  (at: number): number =>
    ((at - origin) / 1_000) * pace;

/** How far the strip is moved at a moment. */
export const shiftOf = (origin: number, now: number, view: View): number => view.nowX - strip(origin, view)(now);

/** The oldest time in sight, with room for what is wider than a point. */
export const oldestInSight = (now: number, { nowX, pace }: View): number => now - ((nowX + 40) / pace) * 1_000;

/** The ticks of the axis: those whose labels have room at both edges. */
export const ticksOf = ({ axis, width }: View): readonly number[] =>
  axis
    .ticks(Math.max(3, Math.floor(width / 90)))
    .filter((seconds) => axis(seconds) >= 20 && axis(seconds) <= width - 20);

/** `−30 s`, `now`, `+5 s`. */
export const tickLabel = (seconds: number): string =>
  seconds === 0 ? 'now' : seconds < 0 ? `−${-seconds} s` : `+${seconds} s`;
