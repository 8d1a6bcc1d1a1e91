/** Puts the tokens that arrive into the state, and checks those of the store before. */
import { InvalidTokenResponseError } from '../../errors.js';
import { sameToken } from '../decisions/accessToken.js';
import { LEAST_PAUSE_AFTER_TOKEN } from '../decisions/backoff.js';
import type { TokenContext } from './context.js';
import { receivedToken, type ReceivedToken, type SourceResult } from '../decisions/receivedToken.js';
import { hasUnreadLifetime, lifetimeOfToken } from '../decisions/lifetime.js';
import { isSuspended, isWanted, pauseLeft, usableHeld } from '../decisions/state.js';
import type { AccessToken } from '../types.js';

export function holdToken(context: TokenContext, received: ReceivedToken): void {
  const previous = context.state.last?.token ?? null;
  putIntoState(context, received);
  const emit = () => emitChange(context, received, previous);
  // A stream has no listeners before it exists: the event comes a tick later.
  if (received.origin === 'initial') context.timers.after(0).subscribe(emit);
  else emit();
}

function putIntoState({ state, now, cancelled$, restartTimer }: TokenContext, received: ReceivedToken): void {
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
    restartTimer();
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
    const retryIn = isWanted(state, now(), settings) ? pauseLeft(state, now()) : null;
    warn(context, message, attempt, retryIn);
  }
  const isUnknown = state.held?.token === token && token.expiresAt === Infinity && !settings.lifetime;
  if (isUnknown && hasUnreadLifetime(token.raw))
    warn(context, 'the lifetime of the token is unknown: "expires_in" must be a number of seconds', attempt);
}

/** Tells once per stream what is wrong with the tokens of its source. */
function warn({ state, reportFailure }: TokenContext, message: string, attempt: number, retryIn?: number | null): void {
  if (state.warnings.includes(message)) return;
  state.warnings.push(message);
  reportFailure(new InvalidTokenResponseError(message), attempt, retryIn);
}

/**
 * The update that tells of a token which others stored. Null if there is nothing to tell: it is the token in use, which
 * has its new times now, or cannot be used.
 */
export function updateFromStore(context: TokenContext, stored: SourceResult): ReceivedToken | null {
  const { state, now, restartTimer } = context;
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
  restartTimer();
  return null;
}
