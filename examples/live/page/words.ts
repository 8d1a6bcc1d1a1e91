import { isRefusal } from '../counters.js';
import type { Counters, Lane, LaneName, Reason } from '../liveEvent.js';
import { duration, letterOf } from './names.js';
import type { AttemptMark, FaultMark, Mark, RequestMark, SocketMark, TokenMark } from './story.js';

const REASONS: Readonly<Record<Reason, string>> = {
  initial: 'the first',
  scheduled: 'renewed in the background',
  expired: 'fetched after the end of the one before',
  rejected: 'fetched after a refusal',
  manual: 'fetched on demand',
};

const FATES: Readonly<Record<TokenMark['fate'], string>> = {
  current: 'in use',
  renewed: 'replaced before its end',
  refused: 'replaced because it was refused',
  ended: 'used until its end',
};

/** What a mark means: a title, and what there is to know. */
export interface Description {
  readonly what: string;
  readonly details: string;
}

export function describe(mark: Mark, lane: LaneName): Description {
  switch (mark.kind) {
    case 'token':
      return { what: `Token ${letterOf(mark.token)}`, details: tokenDetails(mark) };
    case 'attempt':
      return { what: 'No token', details: attemptDetails(mark) };
    case 'request':
      return { what: requestTitle(mark), details: requestDetails(mark) };
    case 'socket':
      return { what: mark.end === null ? 'WebSocket, open' : 'WebSocket, closed', details: socketDetails(mark) };
    case 'fault':
      return { what: sentence(faultLabel(mark, lane)), details: faultDetails(mark) };
  }
}

function tokenDetails({ at, id, reason, issuedAt, expiresAt, fate }: TokenMark): string {
  const life = Number.isFinite(expiresAt) ? `lives ${duration(expiresAt - issuedAt)}` : 'its life is unknown';
  return `${REASONS[reason]} in ${duration(at - issuedAt)}, ${life}, ${FATES[fate]} · ${id}`;
}

function attemptDetails({ attempt, message, retryIn }: AttemptMark): string {
  const next = retryIn === null ? '' : `; next attempt in ${duration(retryIn)}`;
  return `attempt ${attempt} failed: ${message}${next}`;
}

function socketDetails({ at, token, latest, missed, end }: SocketMark): string {
  const told = token === latest ? '' : `, told every new one up to ${letterOf(latest)}`;
  const lasted = end === null ? '' : `, lasted ${duration(end - at)}`;
  const lost = missed === 0 ? '' : `; ${missed} ${missed === 1 ? 'message' : 'messages'} missed before it`;
  return `opened with token ${letterOf(token)}${told}${lasted}${lost}`;
}

function requestTitle({ status, again }: RequestMark): string {
  const outcome =
    status === null
      ? 'on its way'
      : status === 0
        ? 'failed'
        : isRefusal(status)
          ? `refused (${status})`
          : status < 300
            ? 'accepted'
            : `answered ${status}`;
  return `${again ? 'Repeat' : 'Request'} ${outcome}`;
}

const requestDetails = ({ path, token, waited }: RequestMark): string =>
  `${path} with token ${letterOf(token)}${waited < 50 ? '' : `, waited ${duration(waited)}`}`;

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Short, for the diagram. */
export function faultLabel({ fault, at, until, tokens, path }: FaultMark, lane: LaneName): string {
  switch (fault) {
    case 'revoke':
      return `${letterOf(tokens?.[lane] ?? -1)} revoked`;
    case 'outage':
      return 'token endpoint down';
    case 'forbid':
      return `${path} forbidden`;
    case 'sleep':
      return `asleep ${duration(until - at)}`;
    case 'cut':
      return 'connection cut';
  }
}

function faultDetails({ fault, at, until }: FaultMark): string {
  switch (fault) {
    case 'revoke':
      return 'the API refuses it from here on';
    case 'outage':
      return `for ${duration(until - at)} it answers 503`;
    case 'forbid':
      return 'the API answers 403 there, whatever the token';
    case 'sleep':
      return 'the clock jumped; every token ended meanwhile';
    case 'cut':
      return 'the WebSockets were ended by the network';
  }
}

/** Said when a button was pressed. */
export function announcement(mark: FaultMark): string {
  switch (mark.fault) {
    case 'revoke':
      return 'The tokens in use are revoked: the next request with one of them is refused.';
    case 'outage':
      return `The token endpoint is down for ${duration(mark.until - mark.at)}.`;
    case 'forbid':
      return `${mark.path} is forbidden: no token helps there.`;
    case 'sleep':
      return `The machine slept ${duration(mark.until - mark.at)}: every token ended meanwhile.`;
    case 'cut':
      return 'The connection is cut: each client connects its WebSocket again.';
  }
}

/** Said a while after a button was pressed: what came of it, client by client. */
export function aftermath(
  lanes: readonly Lane[],
  before: Partial<Record<LaneName, Counters>>,
  after: Partial<Record<LaneName, Counters>>,
): string {
  const told = lanes.map(({ name, title }) => {
    const refused = (after[name]?.refused ?? 0) - (before[name]?.refused ?? 0);
    const tokens = (after[name]?.tokens ?? 0) - (before[name]?.tokens ?? 0);
    return `${title}: ${refused} refused, ${tokens} ${tokens === 1 ? 'token' : 'tokens'} fetched`;
  });
  return `Since then, ${told.join('; ')}.`;
}
