import type { FaultEvent, LaneEvent, LaneName, LiveEvent, Reason } from '../liveEvent.js';

/** What can be pointed at. Times are ms on the run's clock. */
export type Mark = TokenMark | AttemptMark | RequestMark | SocketMark | FaultMark;

export interface TokenMark {
  readonly kind: 'token';
  /** When it arrived. */
  readonly at: number;
  readonly token: number;
  readonly id: string;
  readonly reason: Reason;
  readonly issuedAt: number;
  /** Infinity when nobody knows. */
  readonly expiresAt: number;
  /** When its successor took over; null while it is in use. */
  readonly end: number | null;
  readonly fate: 'current' | 'renewed' | 'refused' | 'ended';
}

/** A token that was asked for and did not come; `end` is null while nobody knows yet. */
export interface AttemptMark {
  readonly kind: 'attempt';
  readonly at: number;
  readonly attempt: number;
  readonly reason: Reason;
  readonly end: number | null;
  readonly message: string;
  readonly retryIn: number | null;
  /** How many tokens there had been. */
  readonly after: number;
}

export interface RequestMark {
  readonly kind: 'request';
  readonly at: number;
  readonly request: number;
  readonly token: number;
  readonly path: string;
  readonly waited: number;
  readonly again: boolean;
  /** Null until it is answered, 0 when the network failed. */
  readonly status: number | null;
}

/** One WebSocket connection. */
export interface SocketMark {
  readonly kind: 'socket';
  readonly at: number;
  /** The token that it was opened with. */
  readonly token: number;
  /** The token that the server was told last. */
  readonly latest: number;
  /** When messages came. */
  readonly messages: readonly number[];
  /** Messages that were sent to nobody before it opened. */
  readonly missed: number;
  /** Null while it is open. */
  readonly end: number | null;
}

export interface FaultMark {
  readonly kind: 'fault';
  readonly at: number;
  readonly fault: 'revoke' | 'outage' | 'forbid' | 'sleep' | 'cut';
  /** Equal to `at` for a moment, Infinity while it lasts. */
  readonly until: number;
  readonly tokens: FaultEvent['tokens'];
  readonly path: string;
}

export interface LaneStory {
  readonly tokens: readonly TokenMark[];
  readonly attempts: readonly AttemptMark[];
  readonly requests: readonly RequestMark[];
  readonly sockets: readonly SocketMark[];
}

export interface Story {
  readonly lanes: Readonly<Record<LaneName, LaneStory>>;
  readonly faults: readonly FaultMark[];
}

const EMPTY_LANE: LaneStory = { tokens: [], attempts: [], requests: [], sockets: [] };
export const EMPTY_STORY: Story = { lanes: { ours: EMPTY_LANE, theirs: EMPTY_LANE }, faults: [] };

/** The story with one more event. */
export function tell(story: Story, event: LiveEvent): Story {
  if (event.type === 'fault') return { ...story, faults: withFault(story.faults, event) };
  return { ...story, lanes: { ...story.lanes, [event.lane]: tellLane(story.lanes[event.lane], event) } };
}

function withFault(
  faults: readonly FaultMark[],
  { kind, at, until, tokens, path = '' }: FaultEvent,
): readonly FaultMark[] {
  if (kind === 'allow')
    return faults.map((mark) => (mark.fault === 'forbid' && mark.until > at ? { ...mark, until: at } : mark));
  return [
    ...faults,
    { kind: 'fault', fault: kind, at, until: until ?? (kind === 'forbid' ? Infinity : at), tokens, path },
  ];
}

function tellLane(lane: LaneStory, event: LaneEvent): LaneStory {
  const { at } = event;
  switch (event.type) {
    case 'refresh': {
      const { attempt, reason } = event;
      const after = (lane.tokens.at(-1)?.token ?? -1) + 1;
      return {
        ...lane,
        attempts: [
          ...lane.attempts,
          { kind: 'attempt', at, attempt, reason, end: null, message: '', retryIn: null, after },
        ],
      };
    }
    case 'failure': {
      const { message, retryIn } = event;
      return {
        ...lane,
        attempts: lane.attempts.map((mark) => (mark.end === null ? { ...mark, end: at, message, retryIn } : mark)),
      };
    }
    case 'token': {
      const { token, id, reason, issuedAt, expiresAt } = event;
      const arrived: TokenMark = {
        kind: 'token',
        at,
        token,
        id,
        reason,
        issuedAt,
        expiresAt: expiresAt ?? Infinity,
        end: null,
        fate: 'current',
      };
      const before = lane.tokens.map((mark) =>
        mark.end === null ? { ...mark, end: at, fate: fateOf(mark, arrived) } : mark,
      );
      // Its own attempt is told by the token.
      return { ...lane, tokens: [...before, arrived], attempts: lane.attempts.filter(({ end }) => end !== null) };
    }
    case 'sent': {
      const { request, token, path, waited, again } = event;
      return {
        ...lane,
        requests: [...lane.requests, { kind: 'request', at, request, token, path, waited, again, status: null }],
      };
    }
    case 'answered': {
      const { request, status } = event;
      return {
        ...lane,
        requests: lane.requests.map((mark) => (mark.request === request ? { ...mark, status } : mark)),
      };
    }
    case 'socket':
      return { ...lane, sockets: tellSockets(lane.sockets, event) };
    default:
      return lane;
  }
}

function tellSockets(
  sockets: readonly SocketMark[],
  { at, what, token, missed }: Extract<LaneEvent, { type: 'socket' }>,
): readonly SocketMark[] {
  if (what === 'opened')
    return [...sockets, { kind: 'socket', at, token, latest: token, messages: [], missed: 0, end: null }];
  const last = sockets.at(-1);
  if (last === undefined) return sockets;
  const { messages } = last;
  const changed =
    what === 'message'
      ? { ...last, messages: [...messages, at], missed: last.missed + missed }
      : what === 'renewed'
        ? { ...last, latest: token }
        : { ...last, end: at };
  return [...sockets.slice(0, -1), changed];
}

/** JWTs say their end in whole seconds, so a server may know of it this much earlier. */
const ROUNDING = 1_000;

function fateOf({ expiresAt }: TokenMark, { at, reason }: TokenMark): TokenMark['fate'] {
  if (reason === 'scheduled' || reason === 'manual') return 'renewed';
  return at >= expiresAt - ROUNDING ? 'ended' : 'refused';
}

/** The story without what was over before. The token in use stays, however old. */
export function since(story: Story, before: number): Story {
  const lane = ({ tokens, attempts, requests, sockets }: LaneStory): LaneStory => ({
    tokens: tokens.filter(
      ({ end, expiresAt }) => end === null || (Number.isFinite(expiresAt) ? Math.max(end, expiresAt) : end) >= before,
    ),
    attempts: attempts.filter(({ at }) => at >= before),
    requests: requests.filter(({ at }) => at >= before),
    sockets: sockets
      .filter(({ end }) => end === null || end >= before)
      .map((mark) => ({ ...mark, messages: mark.messages.filter((at) => at >= before) })),
  });
  return {
    lanes: { ours: lane(story.lanes.ours), theirs: lane(story.lanes.theirs) },
    faults: story.faults.filter(({ until }) => until >= before),
  };
}
