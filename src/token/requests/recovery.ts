/** What follows when a server rejects or accepts a token: a refresh, a repeat, or nothing. */
import { catchError, EMPTY, filter, Observable, tap } from 'rxjs';
import { sameToken } from '../decisions/accessToken.js';
import type { TokenContext } from '../pipeline/context.js';
import type { RejectionOutcome } from '../events.js';
import { firstToken } from './firstToken.js';
import type { Pipeline } from '../pipeline/pipeline.js';
import { createRejectionMemory, type Rejection } from '../decisions/rejectionMemory.js';
import { rejectionOutcome } from '../decisions/rejectionOutcome.js';
import { isOfSession, isReplacing, isSuspended, pauseLeft, signedOutError, usableHeld } from '../decisions/state.js';
import type { StreamState } from '../decisions/state.js';
import type { TokenViews } from './tokenViews.js';
import type { AccessToken } from '../types.js';

/** Marks the token for its replacement, which `demandRefresh` begins, and emits `tokenRejected`. */
function applyOutcome({ state, now, events }: TokenContext, rejection: Rejection, outcome: RejectionOutcome): void {
  const { token, kind } = rejection;
  const time = now();
  const inUse = usableHeld(state, time);
  // No other waiter is given it.
  if (kind === 'explicit' && outcome !== 'suppressed' && sameToken(state.singleUse, token)) state.singleUse = null;
  // Not for a token that is over: it is refreshed anyway, which must not count as forced.
  if (outcome === 'refreshing' && inUse) {
    if (!isReplacing(state)) state.forcedBy = rejection;
    // In the pause after a failed attempt the token stays in use.
    if (kind === 'explicit' && pauseLeft(state, time) === 0) inUse.isSuspended = true;
  }
  events.emit({ type: 'tokenRejected', token, outcome });
}

export function createRecovery(context: TokenContext, { run, passiveUpdates$ }: Pipeline, { take }: TokenViews) {
  const { state, settings, now, recheck } = context;

  const decide = (rejection: Rejection): RejectionOutcome => {
    const memory = (state.rejections ??= createRejectionMemory(settings.rejectionBudget));
    return rejectionOutcome(state, memory, rejection, now());
  };

  const demandRefresh = () => {
    run();
    // The caller may be gone: `reject` does not wait, and a listener may have unsubscribed it. If no refresh has begun
    // then, this second check lets `untilNeeded$` complete.
    recheck();
  };

  return {
    /**
     * Emits the token with which to repeat a rejected request. Completes without one if the rejection is to be passed
     * on: no refresh may be spent on it, or the refresh failed, or brought the very token that was rejected.
     */
    recover: (rejection: Rejection, maxWait?: number): Observable<AccessToken> => {
      const { token } = rejection;
      const next$ = new Observable<AccessToken>((subscriber) => {
        // Nothing follows for a token of a session that ended.
        const outcome = isOfSession(state, token) ? decide(rejection) : 'suppressed';
        /** The source returned the token again, so it is valid: this resource alone rejects it. */
        const rememberIfSame = (next: AccessToken) => {
          if (sameToken(next, token)) state.rejections?.remember(rejection, now());
        };
        const repeatWith = (token$: Observable<AccessToken>) =>
          token$.pipe(filter((next) => !sameToken(next, token))).subscribe(subscriber);
        // It waits before the event, whose listener may make the attempt; `demandRefresh` begins it after that.
        if (outcome === 'refreshing') {
          const wait = { maxWait, otherThan: state.held, untilFailure: true };
          repeatWith(firstToken(context, passiveUpdates$, wait).pipe(tap(rememberIfSame)));
        }
        applyOutcome(context, rejection, outcome);
        if (outcome === 'refreshing') demandRefresh();
        // A listener may have closed the stream, or signed out.
        else if (outcome === 'alreadyReplaced' && isOfSession(state, token)) repeatWith(take(maxWait));
        else subscriber.complete();
      });
      return next$.pipe(catchError(() => EMPTY));
    },
    /** The same for a caller that does not wait. It may pass a copy of a token, so its session is not asked. */
    reject: (rejection: Rejection): void => {
      const outcome = decide(rejection);
      applyOutcome(context, rejection, outcome);
      if (outcome === 'refreshing') demandRefresh();
    },
    /** A server accepted a token. `keyOf` is a function, since most acceptances need no key. */
    accepted: (token: AccessToken, keyOf: () => string | undefined): void => accept(state, token, keyOf),
    newest: (token: AccessToken, rejected?: AccessToken): AccessToken | null => newestToken(context, token, rejected),
  };
}

/**
 * The token to send in the place of one that was handed out a moment ago: it may have been rejected or replaced since.
 * Null when there is none that may be sent now.
 *
 * @param rejected a token that the request was rejected with
 * @throws TokenUnavailableError if the session of the token has ended: the next one may be another user's
 */
function newestToken({ state, current }: TokenContext, token: AccessToken, rejected?: AccessToken): AccessToken | null {
  if (!isOfSession(state, token)) throw signedOutError();
  const usable = current();
  if (usable && !sameToken(usable, rejected)) return usable;
  return isSuspended(state, token) ? null : token;
}

/** Also called by a pool, for a stream without a manager. */
export function accept(state: StreamState, token: AccessToken, keyOf: () => string | undefined): void {
  const { held, singleUse, refresh, rejections } = state;
  // While its replacement is fetched, an acceptance of the old token does not end the pauses: the next token may be
  // rejected.
  const isStillInUse = !(refresh?.isFetching && refresh.rejection) && sameToken(held?.token, token);
  if (held && isStillInUse) held.isAccepted = true;
  if (isStillInUse || sameToken(singleUse, token)) rejections?.endPauses();
  rejections?.forget(keyOf);
}
