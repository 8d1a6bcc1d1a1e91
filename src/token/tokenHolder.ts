/** Puts tokens that arrive into the state, and sets the timers for the moments of their lives. */
import { Subscription } from 'rxjs';
import { InvalidTokenResponseError } from '../errors.js';
import { messageOf } from '../internal/messageOf.js';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import { receivedToken, type SourceResult } from './receivedToken.js';
import { lifetimeOfToken, saysLifetime } from './refreshPolicy.js';
import { isSuspended, isWanted, usable, usableToken, type HeldToken } from './state.js';
import type { TokenArrived } from './tokenUpdate.js';
import type { AccessToken } from './types.js';

/** A source whose tokens cannot be kept is asked at most this often. Milliseconds. */
const SINGLE_USE_PAUSE = 1000;

/** When to look at a token again: it is due, over, or its end has not been reported. `Infinity`: never. */
export function nextMoment({ renewAt, usableUntil, expiresAt, isExpiryReported }: HeldToken, after: number): number {
  let next = isExpiryReported ? Infinity : expiresAt;
  for (const at of [renewAt, usableUntil]) if (at > after && at < next) next = at;
  return next;
}

/** Holds the last token, with the timers that announce its moments. */
export interface TokenHolder {
  /** Holds a token, and emits `tokenChanged`. */
  readonly hold: (arrived: TokenArrived) => void;
  /**
   * A token that someone else put into the store; null if it is older, rejected or expired, or the same, which is kept
   * with its new times.
   */
  readonly fromStore: (stored: SourceResult) => TokenArrived | null;
  /** Begins with a token that is at hand. @throws TypeError if it is no token response */
  readonly holdInitial: (response: unknown) => void;
  /** Looks at a token again at each of its moments after `after`, by default now. */
  readonly startTimer: (held: HeldToken, after?: number) => void;
  /** Stops the timers, and forgets the token. */
  readonly release: () => void;
}

export function createTokenHolder(context: TokenContext): TokenHolder {
  const { state, now, timers, recheck } = context;
  let timer = new Subscription();
  const startTimer = (held: HeldToken, after = now()) => {
    timer.add(
      timers.after(nextMoment(held, after) - now()).subscribe(() => {
        recheck();
        if (state.held === held) startTimer(held);
      }),
    );
  };

  const keep = (held: HeldToken) => {
    timer.unsubscribe();
    timer = new Subscription();
    state.held = state.last = held;
    state.sessionTokens?.add(held.token);
    startTimer(held);
  };

  const setHeld = (arrived: TokenArrived) => {
    const { token, reason } = arrived;
    // What a server rejected counts as accepted no more, though the source gave it again.
    const isAccepted = reason !== 'rejected' && sameToken(token, state.held?.token) && state.held?.isAccepted === true;
    // Not by a spread: V8 gives an object that was made by one five times the memory.
    keep(Object.assign({ isSuspended: false, isAccepted, isExpiryReported: false }, arrived));
  };

  const release = () => {
    timer.unsubscribe();
    state.held = null;
  };

  return {
    startTimer,
    release,
    hold: (arrived) => {
      takeArrived(context, arrived, setHeld, release);
    },
    fromStore: (stored) => {
      const arrived = judgeStored(context, stored);
      const held = usable(state, now());
      if (!arrived || !sameToken(arrived.token, held?.token)) return arrived;
      // The same object: a new one stands for an answer of the source, which callers wait for.
      keep(Object.assign(held as HeldToken, arrived));
      return null;
    },
    holdInitial: (response) => {
      const arrived = initialToken(context, response);
      if (now() >= arrived.usableUntil) return;
      setHeld(arrived);
      // A stream has no listeners before it exists: the event comes a tick later.
      timer.add(
        timers.after(0).subscribe(() => {
          emitTokenChanged(context, arrived, null);
        }),
      );
    },
  };
}

/** Brings the state up to date, and tells of the change. */
function takeArrived(
  context: TokenContext,
  arrived: TokenArrived,
  setHeld: (arrived: TokenArrived) => void,
  release: () => void,
): void {
  const { state, now, rejections, cancelled$ } = context;
  const { token, took, isRenewal } = arrived;
  const previous = state.last?.token ?? null;
  const time = now();
  const isChange = !sameToken(token, previous);
  const isKept = time < arrived.usableUntil;
  // Another process may have shared it: what was to be replaced is replaced.
  if (isChange) state.forcedBy = null;
  // A token that has already expired never replaces a usable one.
  const isLatest = isKept || !usableToken(state, time);
  state.failures = 0;
  state.lastError = undefined;
  state.permanentFailure = null;
  state.pausedUntil = isKept ? -Infinity : time - took + SINGLE_USE_PAUSE;
  if (isLatest) state.last = arrived;
  state.singleUse = isKept ? null : token;
  if (isKept) {
    if (isChange && isRenewal) rejections.forgetBare();
    setHeld(arrived);
    if (state.subscribers > 0) state.lastUse = time;
  } else {
    state.sessionTokens?.add(token);
    // A token that was rejected is not used again, now that the source has given another.
    if (state.held?.isSuspended) release();
  }
  // Others have shared it. A fetch under way goes on; a pause before the next one has no reason any more.
  if (state.refresh?.isFetching) state.refresh.isSuperseded = true;
  else if (state.refresh) cancelled$.next();
  if (isChange && isLatest) emitTokenChanged(context, arrived, previous);
  // A `tokenChanged` listener may have ended the session of this token.
  if (state.singleUse === token) reportSingleUse(context, arrived, time);
  if (state.held?.token === token) reportUnreadLifetime(context, arrived);
}

function emitTokenChanged({ events }: TokenContext, arrived: TokenArrived, previous: AccessToken | null): void {
  const { token, reason, took, origin } = arrived;
  events.emit({ type: 'tokenChanged', token, previous, reason, took, origin });
}

/** Tells once that a source's tokens cannot be kept. */
function reportSingleUse(
  { state, settings, report }: TokenContext,
  { attempt, took }: TokenArrived,
  time: number,
): void {
  if (state.isSingleUseReported) return;
  state.isSingleUseReported = true;
  const message = 'the token source returned a token that has already expired: it is used once and not kept';
  const retryIn = isWanted(state, time, settings) ? Math.max(0, SINGLE_USE_PAUSE - took) : null;
  report(new InvalidTokenResponseError(message), attempt, retryIn);
}

/** Tells once that a source gives a lifetime in a form that is not read: its tokens would be used until rejected. */
function reportUnreadLifetime({ state, settings, report }: TokenContext, { token, attempt }: TokenArrived): void {
  const { raw, expiresAt } = token;
  // `expires_at`, `expiresIn`, or an `expires_in` that is no number.
  const isGiven = Object.keys(raw).some((name) => name.startsWith('expire') && raw[name]);
  if (expiresAt < Infinity || !isGiven || saysLifetime(raw) || settings.lifetime || state.isLifetimeReported) return;
  state.isLifetimeReported = true;
  const message = 'the lifetime of the token is unknown: "expires_in" must be a number of seconds';
  report(new InvalidTokenResponseError(message), attempt);
}

/** A token that someone else put into the store; null if it is older than the one at hand, rejected or expired. */
function judgeStored(context: TokenContext, stored: SourceResult): TokenArrived | null {
  const { state, now } = context;
  const { held } = state;
  const time = now();
  const received = receivedToken(stored, 0, context);
  const isOlder = held !== null && received.issuedAt < held.issuedAt;
  // The store may not know yet that a server rejected the token.
  if (isOlder || isSuspended(state, received.token) || time >= received.usableUntil) return null;
  // No token is renewed on schedule in the first half of its life: others forced this one.
  const inUse = usable(state, time);
  const isRenewal = !inUse || time - inUse.issuedAt >= lifetimeOfToken(inUse.token) / 2;
  return { type: 'token', ...received, reason: 'scheduled', attempt: 1, isRenewal };
}

function initialToken(context: TokenContext, response: unknown): TokenArrived {
  const result = { response, origin: 'initial' } as SourceResult;
  try {
    const received = receivedToken(result, 0, context);
    return { type: 'token', ...received, reason: 'initial', attempt: 1, isRenewal: true };
  } catch (cause) {
    throw new TypeError(`option "initial" must be a token response: ${messageOf(cause)}`, { cause });
  }
}
