/** Puts tokens that arrive into the state, and sets the timers for the moments of their lives. */
import { Subscription } from 'rxjs';
import { InvalidTokenResponseError } from '../errors.js';
import { jwtClaims } from '../internal/jwtClaims.js';
import { messageOf } from '../internal/messageOf.js';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import { LEAST_PAUSE, receivedToken, type ReceivedToken, type SourceResult } from './receivedToken.js';
import { lifetimeOfToken, saysLifetime } from './refreshPolicy.js';
import { isSuspended, isWanted, usableHeld } from './state.js';
import type { AccessToken } from './types.js';

/** When to look at a token again: it is due, over, or its end has not been reported. `Infinity`: never. */
export function nextMoment({ renewAt, usableUntil, endsAt, isExpiryReported }: ReceivedToken, after: number): number {
  let next = isExpiryReported ? Infinity : endsAt;
  for (const at of [renewAt, usableUntil]) if (at > after && at < next) next = at;
  return next;
}

/** Names under which servers give a lifetime that is not read. */
const UNREAD_LIFETIME = /^((access_?)?token_?)?expir|^valid(ity|_?until)|^(exp|ttl|lease_duration)$/i;

export type TokenHolder = ReturnType<typeof createTokenHolder>;

export function createTokenHolder(context: TokenContext) {
  const { state, now, timers, recheck } = context;
  let timer = new Subscription();

  /** Looks at a token again at each of its moments after `after`, by default now. */
  const startTimer = (held: ReceivedToken, after = now()): void => {
    timer.add(
      timers.after(nextMoment(held, after) - now()).subscribe(() => {
        recheck();
        if (state.held === held) startTimer(held);
      }),
    );
  };
  /** Stops the timers, and forgets the token at hand. */
  const release = (): void => {
    timer.unsubscribe();
    timer = new Subscription();
    state.held = null;
  };
  const keep = (held: ReceivedToken): void => {
    release();
    state.held = state.last = held;
    state.sessionTokens?.add(held.token);
    startTimer(held);
  };

  return {
    startTimer,
    release,
    /** Takes up a token that came, and emits `tokenChanged`. */
    hold: (arrived: ReceivedToken): void => {
      const previous = state.last?.token ?? null;
      takeUp(context, arrived, keep, release);
      const announce = () => {
        announceArrived(context, arrived, previous);
      };
      // A stream has no listeners before it exists: the event comes a tick later.
      if (arrived.origin === 'initial') timer.add(timers.after(0).subscribe(announce));
      else announce();
    },
    /**
     * A token that someone else put into the store; null if it is older, rejected or expired, or the same, which is
     * kept with its new times.
     */
    fromStore: (stored: SourceResult): ReceivedToken | null => {
      const arrived = judgeStored(context, stored);
      const held = usableHeld(state, now());
      if (!arrived || !held || !sameToken(arrived.token, held.token)) return arrived;
      // The same object: callers wait for an answer of the source, which a new one means.
      keep(Object.assign(held, arrived));
      return null;
    },
  };
}

/** Brings the state up to date. */
function takeUp(
  { state, now, rejections, cancelled$ }: TokenContext,
  arrived: ReceivedToken,
  keep: (held: ReceivedToken) => void,
  release: () => void,
): void {
  const { token, took, isRenewal } = arrived;
  const { held, last } = state;
  const time = now();
  const isChange = !sameToken(token, last?.token);
  const isKept = time < arrived.usableUntil;
  // Another process may have shared it: what was to be replaced is replaced.
  if (isChange) state.forcedBy = null;
  state.failures = 0;
  state.lastError = undefined;
  state.pausedUntil = isKept ? -Infinity : time - took + LEAST_PAUSE;
  state.singleUse = isKept ? null : token;
  if (isKept) {
    if (isChange && isRenewal) rejections.forgetBare();
    keep(arrived);
    // Those who waited use it now.
    if (state.subscribers > 0) state.lastUse = time;
  } else {
    state.sessionTokens?.add(token);
    // A token that has already expired never replaces a usable one.
    if (!usableHeld(state, time)) state.last = arrived;
    // A token that was rejected is not used again, now that the source has given another.
    if (held?.isSuspended) release();
  }
  // Others have shared it. A fetch under way goes on; a pause before the next one has no reason any more.
  if (state.refresh?.isFetching) state.refresh.isSuperseded = true;
  else if (state.refresh) cancelled$.next();
}

function announceArrived(context: TokenContext, arrived: ReceivedToken, previous: AccessToken | null): void {
  const { state, settings, now, events } = context;
  const { token, reason, took, origin, attempt } = arrived;
  if (!sameToken(token, previous) && state.last?.token === token)
    events.emit({ type: 'tokenChanged', token, previous, reason, took, origin });
  // A `tokenChanged` listener may have ended the session of this token.
  if (state.singleUse === token) {
    const message = 'the token source returned a token that has already expired: it is used once and not kept';
    const retryIn = isWanted(state, now(), settings) ? Math.max(0, LEAST_PAUSE - took) : null;
    warn(context, message, attempt, retryIn);
  } else if (state.held?.token === token && hasUnreadLifetime(context, token))
    warn(context, 'the lifetime of the token is unknown: "expires_in" must be a number of seconds', attempt);
}

/** The source gives a lifetime in a form that is not read: its tokens would be used until rejected. */
function hasUnreadLifetime({ settings }: TokenContext, { raw, expiresAt }: AccessToken): boolean {
  if (expiresAt < Infinity || saysLifetime(raw) || settings.lifetime) return false;
  // An `expires_in` or `exp` that is no number, and what others call it, such as `expires_at` and Vault's.
  const given = { ...jwtClaims(raw.access_token), ...raw } as Record<string, unknown>;
  return Object.keys(given).some((name) => UNREAD_LIFETIME.test(name) && given[name]);
}

/** Tells once per stream what is wrong with the tokens of its source. */
function warn({ state, report }: TokenContext, message: string, attempt: number, retryIn?: number | null): void {
  if (state.warnings.includes(message)) return;
  state.warnings.push(message);
  report(new InvalidTokenResponseError(message), attempt, retryIn);
}

/** A token that someone else put into the store; null if it is older than the one at hand, rejected or expired. */
function judgeStored(context: TokenContext, stored: SourceResult): ReceivedToken | null {
  const { state, now } = context;
  const { held } = state;
  const time = now();
  // No token is renewed on schedule in the first half of its life: others forced this one.
  const inUse = usableHeld(state, time);
  const isRenewal = !inUse || time - inUse.requestedAt >= lifetimeOfToken(inUse.token) / 2;
  const received = receivedToken(stored, { reason: 'scheduled', attempt: 1, took: 0, isRenewal }, context);
  const isOlder = held !== null && received.requestedAt < held.requestedAt;
  // The store may not know yet that a server rejected the token.
  return isOlder || isSuspended(state, received.token) || time >= received.usableUntil ? null : received;
}

/** @throws TypeError if the option `initial` is no token response */
export function initialToken(context: TokenContext, response: unknown): ReceivedToken {
  const result = { response, origin: 'initial' } as SourceResult;
  try {
    return receivedToken(result, { reason: 'initial', attempt: 1, took: 0, isRenewal: true }, context);
  } catch (cause) {
    throw new TypeError(`option "initial" must be a token response: ${messageOf(cause)}`, { cause });
  }
}
