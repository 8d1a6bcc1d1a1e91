/** Puts the tokens that arrive into the state, and checks those of the store and of the option `initial` before. */
import { InvalidTokenResponseError } from '../../errors.js';
import { jwtClaims } from '../../internal/jwtClaims.js';
import { messageOf } from '../../answers/messageOf.js';
import { sameToken } from '../decisions/accessToken.js';
import { LEAST_PAUSE_AFTER_TOKEN } from '../decisions/backoff.js';
import type { TokenContext } from '../context.js';
import { receivedToken, type ReceivedToken, type SourceResult } from '../decisions/receivedToken.js';
import { lifetimeOfToken, saysLifetime } from '../decisions/lifetime.js';
import { isSuspended, isWanted, usableHeld } from '../decisions/state.js';
import type { AccessToken } from '../types.js';

/** Names under which servers give a lifetime that is not read. */
const UNREAD_LIFETIME = /^((access_?)?token_?)?expir|^valid(ity|_?until)|^(exp|ttl|lease_duration)$/i;

export function holdToken(context: TokenContext, received: ReceivedToken): void {
  const previous = context.state.last?.token ?? null;
  putIntoState(context, received);
  const emit = () => emitChange(context, received, previous);
  // A stream has no listeners before it exists: the event comes a tick later.
  if (received.origin === 'initial') context.timers.after(0).subscribe(emit);
  else emit();
}

function putIntoState({ state, now, cancelled$, startTimer }: TokenContext, received: ReceivedToken): void {
  const { token, took, isOnSchedule } = received;
  const { held, last, refresh } = state;
  const time = now();
  const isChange = !sameToken(token, last?.token);
  const isKept = time < received.usableUntil;

  state.failures = 0;
  state.lastError = undefined;
  state.pausedUntil = isKept ? -Infinity : time - took + LEAST_PAUSE_AFTER_TOKEN;

  state.singleUse = isKept ? null : token;
  state.sessionTokens?.add(token);
  // A token that has already expired never replaces a usable one.
  if (isKept || !usableHeld(state, time)) state.last = received;
  // A token that was rejected is not used again, now that the source has given another.
  if (isKept || held?.isSuspended) {
    state.held = isKept ? received : null;
    startTimer();
  }
  // Those who waited use it now.
  if (isKept && state.subscribers > 0) state.lastUse = time;
  if (isKept && isChange && isOnSchedule) state.rejections?.forgetBare();

  // The forced refresh has its token, whoever fetched it.
  if (isChange) state.forcedBy = null;
  // `attempt` ends its refresh before its token comes here. So this token came from the store, if one is under way: its
  // fetch goes on; a pause before its next attempt has no reason any more.
  if (refresh?.isFetching) refresh.isSuperseded = true;
  else if (refresh) {
    state.refresh = null;
    cancelled$.next();
  }
}

function emitChange(context: TokenContext, received: ReceivedToken, previous: AccessToken | null): void {
  const { state, settings, now, events } = context;
  const { token, reason, took, origin, attempt } = received;
  if (!sameToken(token, previous) && state.last?.token === token)
    events.emit({ type: 'tokenChanged', token, previous, reason, took, origin });
  // A `tokenChanged` listener may have ended the session of this token.
  if (state.singleUse === token) {
    const message = 'the token source returned a token that has already expired: it is used once and not kept';
    const retryIn = isWanted(state, now(), settings) ? Math.max(0, LEAST_PAUSE_AFTER_TOKEN - took) : null;
    warn(context, message, attempt, retryIn);
  } else if (state.held?.token === token && hasUnreadLifetime(context, token))
    warn(context, 'the lifetime of the token is unknown: "expires_in" must be a number of seconds', attempt);
}

/** The source gives a lifetime in a form that is not read: its tokens would be used until rejected. */
function hasUnreadLifetime({ settings }: TokenContext, { raw, expiresAt }: AccessToken): boolean {
  if (expiresAt < Infinity || saysLifetime(raw) || settings.lifetime) return false;
  // An `expires_in` or `exp` that is no number, and what others call it, such as `expires_at` and Vault's.
  const given = { ...jwtClaims(raw.access_token), ...raw } as Record<string, unknown>;
  return Object.keys(given).some((name) => UNREAD_LIFETIME.test(name) && (Number.isNaN(given[name]) || given[name]));
}

/** Tells once per stream what is wrong with the tokens of its source. */
function warn({ state, reportFailure }: TokenContext, message: string, attempt: number, retryIn?: number | null): void {
  if (state.warnings.includes(message)) return;
  state.warnings.push(message);
  reportFailure(new InvalidTokenResponseError(message), attempt, retryIn);
}

/** Takes a token that others stored; the same is kept with its new times. Returns the update to announce, or null. */
export function takeFromStore(context: TokenContext, stored: SourceResult): ReceivedToken | null {
  const { state, now, startTimer } = context;
  const { held } = state;
  const time = now();
  const inUse = usableHeld(state, time);
  // No token is renewed on schedule in the first half of its life: others forced this one.
  const isOnSchedule = !inUse || time - inUse.requestedAt >= lifetimeOfToken(inUse.token) / 2;
  const received = receivedToken(stored, { reason: 'scheduled', attempt: 1, took: 0, isOnSchedule }, context);
  const isOlder = held !== null && received.requestedAt < held.requestedAt;
  // The store may not know yet that a server rejected the token.
  if (isOlder || isSuspended(state, received.token) || time >= received.usableUntil) return null;
  if (!inUse || !sameToken(received.token, inUse.token)) return received;
  // The same object: callers wait for an answer of the source, which a new one means.
  Object.assign(inUse, received);
  state.sessionTokens?.add(received.token);
  startTimer();
  return null;
}

/** @throws TypeError if the option `initial` is no token response */
export function initialToken(context: TokenContext, response: unknown): ReceivedToken {
  const result = { response, origin: 'initial' } as SourceResult;
  try {
    return receivedToken(result, { reason: 'initial', attempt: 1, took: 0, isOnSchedule: true }, context);
  } catch (cause) {
    throw new TypeError(`option "initial" must be a token response: ${messageOf(cause)}`, { cause });
  }
}
