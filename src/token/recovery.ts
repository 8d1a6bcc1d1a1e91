import { catchError, defer, EMPTY, filter, tap, type Observable } from 'rxjs';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import type { RejectionOutcome } from './events.js';
import type { RejectedBy } from './rejectionMemory.js';
import { isBlocked, isOfSession, isSuspended, pauseLeft, usableToken, type TokenState } from './state.js';
import type { TokenViews } from './tokenViews.js';
import type { AccessToken } from './types.js';

/** A server rejected a token. */
export interface Rejection {
  readonly token: AccessToken;
  /** The server says that the token itself is invalid. Otherwise the resource may be forbidden. */
  readonly explicit: boolean;
  /** The resource that rejected it. Without it nothing is remembered. */
  readonly key?: string | undefined;
}

export interface Recovery {
  /**
   * Emits the token with which to repeat a rejected request. Completes without one if the rejection is to be passed on:
   * no refresh may be spent on it, or the refresh failed, or brought the very token that was rejected.
   */
  readonly recover: (rejection: Rejection, maxWait?: number) => Observable<AccessToken>;
  /** The same for someone who does not wait. */
  readonly reject: (rejection: Rejection) => void;
  /** A server accepted a token. */
  readonly accepted: (token: AccessToken, keyOf: () => string | undefined) => void;
  /**
   * The token to send in the place of one that somebody was given a moment ago: it may have been rejected or replaced
   * since. Null when there is none that may be sent now.
   *
   * @param rejected a token that the request was rejected with
   */
  readonly newest: (token: AccessToken, rejected?: AccessToken) => AccessToken | null;
}

type Part<K extends keyof TokenContext> = Pick<TokenContext, K>;

const isHeld = ({ held }: TokenState, token: AccessToken): boolean => sameToken(held?.token, token);
const isReplacing = ({ isRefreshing, rejection }: TokenState): boolean => isRefreshing || rejection !== null;
const rejectedBy = ({ key, explicit }: Rejection): RejectedBy => ({ key, kind: explicit ? 'explicit' : 'bare' });

/** Compares before anything is refreshed: a late rejection of an old token costs nothing. */
function decide(
  { state, now, rejections }: Part<'state' | 'now' | 'rejections'>,
  rejection: Rejection,
): RejectionOutcome {
  const { held } = state;
  const time = now();
  const by = rejectedBy(rejection);
  if (!held || !isHeld(state, rejection.token)) return 'alreadyReplaced';
  if (rejections.isRemembered(by, time)) return 'suppressed';
  // It is being replaced, or has expired meanwhile.
  if (isReplacing(state) || !usableToken(state, time)) return 'refreshing';
  return !isBlocked(state, time) && rejections.mayForce(by.kind, held.isAccepted, time) ? 'refreshing' : 'suppressed';
}

/** Announces the decision, and has the token replaced if that was decided. */
function carryOut(
  { state, now, events }: Part<'state' | 'now' | 'events'>,
  rejection: Rejection,
  outcome: RejectionOutcome,
): void {
  const { token, explicit } = rejection;
  const { held, failures } = state;
  if (explicit && sameToken(state.singleUse, token)) state.singleUse = null;
  // In the pause after a failed attempt the token stays in use.
  if (outcome === 'refreshing' && explicit && held && pauseLeft(state, now()) === 0) held.isSuspended = true;
  events.emit({ type: 'tokenRejected', token, outcome });
  // A `tokenRejected` listener may have begun a refresh, or had the token replaced.
  const isUnchanged = state.held === held && state.failures === failures && !isReplacing(state);
  if (outcome === 'refreshing' && isUnchanged && held && now() < held.usableUntil)
    state.rejection = rejectedBy(rejection);
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
        if (sameToken(next, rejection.token)) rejections.remember(rejectedBy(rejection), now());
      }),
    );

  return {
    recover: (rejection, maxWait) =>
      defer(() => {
        const { token } = rejection;
        const { failures } = state;
        const outcome = isOfSession(state, token) ? decide(context, rejection) : 'suppressed';
        carryOut(context, rejection, outcome);
        // A `tokenRejected` listener may have signed out.
        if (outcome === 'suppressed' || !isOfSession(state, token)) return EMPTY;
        const isUsable = isHeld(state, token) && current() !== null;
        // A `tokenRejected` listener may have made the attempt already, and it failed.
        if (isUsable && (state.failures !== failures || !isReplacing(state))) return EMPTY;
        const next$ = isHeld(state, token) ? replacementFor(rejection, maxWait) : views.take(maxWait);
        return next$.pipe(filter((next) => !sameToken(next, token)));
      }).pipe(catchError(() => EMPTY)),
    reject: (rejection) => {
      const outcome = decide(context, rejection);
      carryOut(context, rejection, outcome);
      if (outcome === 'refreshing') demand();
    },
    accepted: (token, keyOf) => {
      const { held, singleUse } = state;
      const isFirst = held !== null && !held.isAccepted && sameToken(held.token, token);
      if (isFirst) held.isAccepted = true;
      const isLatest = isFirst || (singleUse !== null && sameToken(singleUse, token));
      if (isLatest || rejections.hasEntries()) rejections.accepted(keyOf(), isLatest);
    },
    newest: (token, rejected) => {
      const usable = current();
      if (usable && !sameToken(usable, rejected)) return usable;
      return isOfSession(state, token) && !isSuspended(state, token) ? token : null;
    },
  };
}
