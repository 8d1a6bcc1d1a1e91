/** The state of one stream, and the pure functions that decide by it. */
// The words for a token, here and in all files of src/token:
// held      at hand: the last one that was valid when it came
// suspended held, but a server has rejected it: given to no request until the attempt under way, or the next one, ends
// usable    held, not suspended, and not over: a request may be given it
// fresh     usable, and its renewal is not due
import { TokenUnavailableError } from '../../errors.js';
import { sameToken } from './accessToken.js';
import type { RefreshFailed } from '../events.js';
import type { Settings } from '../options.js';
import type { RejectedBy, RejectionMemory } from './rejectionMemory.js';
import type { ReceivedToken, TokenUpdate } from './receivedToken.js';
import { lifetimeOfToken } from './lifetime.js';
import type { SourceHooks } from '../sourceHooks.js';
import type { AccessToken, RefreshReason } from '../types.js';

/** A refresh under way: an attempt, or the wait for the next one: a pause, or its turn in a pool. */
export interface Refresh {
  readonly reason: RefreshReason;
  /** From 1; 0 until the first one begins. */
  attempt: number;
  /** The rejection that it was begun for; null: none. */
  readonly rejection: RejectedBy | null;
  isFetching: boolean;
  /** A newer token came from the store meanwhile. It stays in use; the answer of this fetch may be the same token. */
  isSuperseded: boolean;
}

/** What a session consists of. It is forgotten at its end, and when the stream closes or a pool drops it (`reset`). */
export const newSession = () => ({
  /** The token at hand: the last one that was valid when it came. It may be over since. */
  held: null as ReceivedToken | null,
  /** The token at hand, or one that had expired when it came, if no token was usable then. */
  last: null as ReceivedToken | null,
  /** The source that gave the last token that was fetched here. */
  lastSource: null as SourceHooks | null,
  /** A token that has expired on arrival, while it is given to those who wait for it. */
  singleUse: null as AccessToken | null,
  /** When a request last used the token. */
  lastUse: -Infinity,
  /**
   * The source is to be asked for another token: `refresh()` was called, or a server rejected the one at hand. Until
   * the refresh begins, which keeps the rejection, or another token comes.
   */
  forcedBy: null as 'manual' | RejectedBy | null,
  refresh: null as Refresh | null,
  lastFetchAt: -Infinity,
  /** Failed attempts since the last token. */
  failures: 0,
  lastError: undefined as unknown,
  /** No attempt begins before. */
  pausedUntil: -Infinity,
  /** The last failure, if it was permanent: during the pause every request without a token fails with it at once. */
  permanentFailure: null as TokenUnavailableError | null,
});

/** What a stream knows. Not by a spread: V8 gives an object that was made by one five times the memory. */
export const initialState = () =>
  Object.assign(newSession(), {
    /** How many wait for a token or listen to all tokens. */
    subscribers: 0,
    /** The session has ended, and no token has been asked for since. */
    isSignedOut: false,
    /** The tokens of the session; null before the first sign-out: all are. It is compared to tell sessions apart. */
    sessionTokens: null as WeakSet<AccessToken> | null,
    /** The pipeline runs: it renews tokens, and listens to `wake` and to the store. A pool keeps it. */
    isConnected: false,
    /** What `refreshFailed` has said once of the tokens of the source. */
    warnings: [] as string[],
    isClosed: false,
    /** Made with the first rejection. */
    rejections: null as RejectionMemory | null,
  });

export type StreamState = ReturnType<typeof initialState>;

// The functions below decide by the state, and change nothing.

/** When to look at a token again; `Infinity`: never. A past `endsAt` counts until `tokenExpired` was emitted. */
export const nextMoment = ({ renewAt, usableUntil, endsAt, isExpiryReported }: ReceivedToken, after: number): number =>
  Math.min(isExpiryReported ? Infinity : endsAt, ...[renewAt, usableUntil].filter((at) => at > after));

/** The token that a request may be given, or null. */
export const usableHeld = ({ held }: StreamState, now: number): ReceivedToken | null =>
  held && !held.isSuspended && now < held.usableUntil ? held : null;

/** The same, if no renewal is due. `renewAt` may be after `usableUntil`, if `refreshBefore` is small. */
export function freshHeld(state: StreamState, now: number): ReceivedToken | null {
  const usable = usableHeld(state, now);
  return usable && now < usable.renewAt ? usable : null;
}

export const usableToken = (state: StreamState, now: number): AccessToken | null =>
  usableHeld(state, now)?.token ?? null;

export const isReplacing = ({ refresh, forcedBy }: StreamState): boolean =>
  forcedBy !== null || refresh?.isSuperseded === false;

/** A server rejected this very token, and no request is given it now. */
export const isSuspended = ({ held }: StreamState, token: AccessToken): boolean =>
  held?.isSuspended === true && sameToken(held.token, token);

/** Milliseconds until the source may be asked again. */
export const pauseLeft = ({ pausedUntil }: StreamState, now: number): number => Math.max(0, pausedUntil - now);

export const isOfSession = ({ sessionTokens }: StreamState, token: AccessToken): boolean =>
  sessionTokens === null || sessionTokens.has(token);

export const signedOutError = () => new TokenUnavailableError('the session was signed out');

/** The update that tells of a permanent failure. */
export function failedUpdate({ sessionTokens }: StreamState, error: TokenUnavailableError, event?: RefreshFailed) {
  return { type: 'failed' as const, error, session: sessionTokens, event };
}

/** The permanent failure after which the source is not asked, until its pause is over. */
export const blockingFailure = (state: StreamState, now: number): TokenUnavailableError | null =>
  pauseLeft(state, now) > 0 ? state.permanentFailure : null;

/** There is a subscriber, a refresh was forced, or a request has used the token within `idleTimeout`. */
export function isWanted(
  { subscribers, forcedBy, lastUse, last }: StreamState,
  now: number,
  { idleTimeout, maxWait }: Pick<Settings, 'idleTimeout' | 'maxWait'>,
): boolean {
  if (subscribers > 0 || forcedBy) return true;
  const lifetime = last ? lifetimeOfToken(last.token) : 0;
  // A lifetime that is unknown is Infinity: renewals would never stop, so they stop by `maxWait` instead.
  return now - lastUse < (idleTimeout ?? (lifetime === Infinity ? maxWait : lifetime));
}

/** The pipeline stays connected: a token is wanted; or that at hand is fresh, and no attempt failed since it came. */
export function keepsRunning(state: StreamState, now: number, settings: Settings): boolean {
  // After a failure there is no retry if nobody wants a token.
  return isWanted(state, now, settings) || (state.failures === 0 && freshHeld(state, now) !== null);
}

/** Why the source must be asked now; null when it need not, or may not yet. */
export function whyRefresh(state: StreamState, now: number): RefreshReason | null {
  if (state.isClosed || state.isSignedOut || pauseLeft(state, now) > 0) return null;
  if (state.forcedBy) return state.forcedBy === 'manual' ? 'manual' : 'rejected';
  if (freshHeld(state, now)) return null;
  if (usableHeld(state, now)) return 'scheduled';
  return state.last ? 'expired' : 'initial';
}

/**
 * Another attempt is due: the next one of a refresh, whose cause is forgotten, or the first one. Asked when the pause
 * between attempts is over.
 */
export const isAttemptDue = (state: StreamState, now: number): boolean =>
  state.refresh !== null || whyRefresh(state, now) !== null;

/** What the update says is still so: nobody who has heard of it before has ended its session, or replaced its token. */
export function stillHolds(update: TokenUpdate, state: StreamState, now: number): boolean {
  if (update.type === 'token') return update === usableHeld(state, now) || update.token === state.singleUse;
  return update.type !== 'failed' || update.session === state.sessionTokens;
}
