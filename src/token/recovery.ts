/** What follows when a server rejects or accepts a token: a refresh, a repeat, or nothing. */
import { catchError, defer, EMPTY, filter, tap, type Observable } from 'rxjs';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import type { RejectionOutcome } from './events.js';
import type { RejectedBy } from './rejectionMemory.js';
import {
  blockingFailure,
  isOfSession,
  isReplacing,
  isSuspended,
  pauseLeft,
  usable,
  usableToken,
  type TokenState,
} from './state.js';
import type { TokenViews } from './tokenViews.js';
import type { AccessToken } from './types.js';

/** A resource rejected this token. */
export interface Rejection extends RejectedBy {
  readonly token: AccessToken;
}

export interface Recovery {
  /**
   * Emits the token with which to repeat a rejected request. Completes without one if the rejection is to be passed on:
   * no refresh may be spent on it, or the refresh failed, or brought the very token that was rejected.
   */
  readonly recover: (rejection: Rejection, maxWait?: number) => Observable<AccessToken>;
  /** The same for a caller that does not wait, and whose token may be of any session. */
  readonly reject: (rejection: Rejection) => void;
  /** A server accepted a token. */
  readonly accepted: (token: AccessToken, keyOf: () => string | undefined) => void;
  /**
   * The token to send in the place of one that was handed out a moment ago: it may have been rejected or replaced
   * since. Null when there is none that may be sent now.
   *
   * @param rejected a token that the request was rejected with
   */
  readonly newest: (token: AccessToken, rejected?: AccessToken) => AccessToken | null;
}

/** A rejected request waits for the next attempt if that is this near. Milliseconds. */
const LONGEST_WAIT = 1000;

/** A refresh of its own, the wait for one that is under way or due, a repeat with the token at hand, or nothing. */
type Decision = 'force' | 'join' | 'alreadyReplaced' | 'suppressed';

const isHeld = ({ held }: TokenState, token: AccessToken): boolean => sameToken(held?.token, token);

/** Compares before anything is refreshed: a late rejection of an old token costs nothing. */
function decide({ state, now, rejections }: TokenContext, rejection: Rejection): Decision {
  const { held } = state;
  const time = now();
  if (!held || !sameToken(held.token, rejection.token)) return 'alreadyReplaced';
  if (rejections.isRemembered(rejection, time, held.token.expiresAt < Infinity)) return 'suppressed';
  // An attempt has failed and the next one is far: the token stays in use, and no request waits.
  if (usableToken(state, time) && pauseLeft(state, time) > LONGEST_WAIT) return 'suppressed';
  // It is being replaced, or has expired meanwhile.
  if (isReplacing(state) || !usableToken(state, time)) return 'join';
  const mayForce = !blockingFailure(state, time) && rejections.mayForce(rejection.kind, held.isAccepted, time);
  return mayForce ? 'force' : 'suppressed';
}

const outcomeOf = (decision: Decision): RejectionOutcome =>
  decision === 'force' || decision === 'join' ? 'refreshing' : decision;

/** Announces the decision, and has the token replaced if that was decided. */
function carryOut({ state, now, events }: TokenContext, { token, key, kind }: Rejection, decision: Decision): void {
  const { held, endedAttempts } = state;
  const time = now();
  const isExplicit = kind === 'explicit';
  const outcome = outcomeOf(decision);
  if (isExplicit && sameToken(state.singleUse, token)) state.singleUse = null;
  // In the pause after a failed attempt the token stays in use.
  const isSuspendedNow = outcome === 'refreshing' && isExplicit && pauseLeft(state, time) === 0;
  const inUse = usable(state, time);
  if (isSuspendedNow && inUse) inUse.isSuspended = true;
  events.emit({ type: 'tokenRejected', token, outcome });
  // A `tokenRejected` listener may have begun a refresh, or had the token replaced.
  const isUnchanged = state.held === held && state.endedAttempts === endedAttempts && !isReplacing(state);
  if (decision === 'force' && isUnchanged) state.forcedBy = { key, kind };
}

/** Decides what a rejection costs: a refresh and a repeat, a repeat, or nothing. */
export function createRecovery(
  context: TokenContext,
  views: Pick<TokenViews, 'take' | 'next'>,
  demand: () => void,
): Recovery {
  const { state, now, rejections, current } = context;

  /** The token that the attempt for a rejection brings. */
  const replacementFor = (rejection: Rejection, maxWait?: number): Observable<AccessToken> =>
    views.next(demand, maxWait).pipe(
      tap((next) => {
        // The source returned the token again, so it is valid: this resource alone rejects it.
        if (sameToken(next, rejection.token)) rejections.remember(rejection, now());
      }),
    );

  return {
    recover: (rejection, maxWait) =>
      defer(() => {
        const { token } = rejection;
        const { held, endedAttempts } = state;
        const decision = isOfSession(state, token) ? decide(context, rejection) : 'suppressed';
        carryOut(context, rejection, decision);
        // A `tokenRejected` listener may have signed out.
        if (decision === 'suppressed' || !isOfSession(state, token)) return EMPTY;
        const isStillHeld = isHeld(state, token);
        if (isStillHeld && current()) {
          // A `tokenRejected` listener may have made the attempt already: it brought the same token again, or failed.
          if (state.held !== held) rejections.remember(rejection, now());
          if (state.endedAttempts !== endedAttempts || !isReplacing(state)) return EMPTY;
        }
        const next$ = isStillHeld ? replacementFor(rejection, maxWait) : views.take(maxWait);
        return next$.pipe(filter((next) => !sameToken(next, token)));
      }).pipe(catchError(() => EMPTY)),
    reject: (rejection) => {
      const decision = decide(context, rejection);
      carryOut(context, rejection, decision);
      if (outcomeOf(decision) === 'refreshing') demand();
    },
    accepted: (token, keyOf) => {
      accept(state, rejections, token, keyOf);
    },
    newest: (token, rejected) => {
      const usable = current();
      if (usable && !sameToken(usable, rejected)) return usable;
      return isOfSession(state, token) && !isSuspended(state, token) ? token : null;
    },
  };
}

/** @param rejections null: none has cost anything */
export function accept(
  { held, singleUse, refresh }: TokenState,
  rejections: TokenContext['rejections'] | null,
  token: AccessToken,
  keyOf: () => string | undefined,
): void {
  // What is accepted while it is being replaced says nothing of its successor.
  const isStaying = held !== null && !(refresh?.isFetching && refresh.rejection);
  const isFirst = isStaying && !held.isAccepted && sameToken(held.token, token);
  if (isFirst) held.isAccepted = true;
  const isLatest = isFirst || (singleUse !== null && sameToken(singleUse, token));
  rejections?.accepted(keyOf, isLatest);
}
