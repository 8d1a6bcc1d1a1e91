import { catchError, defer, EMPTY, filter, tap, type Observable } from 'rxjs';
import { sameToken } from './accessToken.js';
import type { TokenContext } from './context.js';
import type { RejectionOutcome } from './events.js';
import { isBlocked, isOfSession, pauseLeft, usableToken } from './state.js';
import type { TokenViews } from './tokenViews.js';
import type { AccessToken } from './types.js';

/** A server refused a token. */
export interface Refusal {
  readonly token: AccessToken;
  /** The server says that the token itself is no good. Otherwise the resource may be forbidden. */
  readonly explicit: boolean;
  /** The resource that refused. Without it nothing is remembered. */
  readonly key?: string | undefined;
}

export interface Recovery {
  /**
   * Emits the token with which to repeat a refused request. Completes without one if the refusal is to be passed on: no
   * refresh may be spent on it, or the refresh failed, or brought the very token that was refused.
   */
  readonly recover: (refusal: Refusal, maxWait?: number) => Observable<AccessToken>;
  /** The same for someone who does not wait. */
  readonly reject: (refusal: Refusal) => void;
  /** A server accepted a token. */
  readonly accepted: (token: AccessToken, keyOf: () => string | undefined) => void;
  /**
   * The token to send in the place of one that somebody was given a moment ago: it may have been refused or replaced
   * since. Null when there is none that may be sent now.
   *
   * @param refused a token that the request was refused with
   */
  readonly newest: (token: AccessToken, refused?: AccessToken) => AccessToken | null;
}

export interface RecoveryHost {
  readonly views: Pick<TokenViews, 'take' | 'next'>;
  readonly demand: () => void;
}

/** Decides what a refusal costs: a refresh and a repeat, a repeat, or nothing. */
export function createRecovery(context: TokenContext, { views, demand }: RecoveryHost): Recovery {
  const { state, now, refusals, events, current } = context;
  const isCurrent = (token: AccessToken) => sameToken(state.held?.token, token);
  const kindOf = ({ explicit }: Refusal) => (explicit ? 'explicit' : 'bare');

  /** Compares before anything is refreshed: a late refusal of an old token costs nothing. */
  function judge(refusal: Refusal): RejectionOutcome {
    const { held } = state;
    const time = now();
    const kind = kindOf(refusal);
    if (!held || !isCurrent(refusal.token)) return 'alreadyReplaced';
    if (refusals.isKnown(refusal.key, kind, time)) return 'suppressed';
    // It is being replaced, or has expired meanwhile.
    if (state.isRefreshing || state.refusal || !usableToken(state, time)) return 'refreshing';
    return !isBlocked(state, time) && refusals.mayForce(kind, held.isAccepted, time) ? 'refreshing' : 'suppressed';
  }

  /** Announces the judgement, and begins what it asks for. Returns whether there is another token to wait for. */
  function act(refusal: Refusal, outcome: RejectionOutcome): boolean {
    const { token, explicit, key } = refusal;
    const { held, failures } = state;
    if (explicit && sameToken(state.unkept, token)) state.unkept = null;
    // In the pause after a failed attempt the token stays in use.
    if (outcome === 'refreshing' && explicit && held && pauseLeft(state, now()) === 0) held.isSetAside = true;
    events.emit({ type: 'tokenRejected', token, outcome });
    // A `tokenRejected` listener may have begun a refresh, or had the token replaced.
    const hasFailed = state.failures !== failures;
    const isDone = state.held !== held || hasFailed || state.isRefreshing || state.refusal !== null;
    if (outcome === 'refreshing' && !isDone && held && now() < held.overAt)
      state.refusal = { key, kind: kindOf(refusal) };
    if (!isCurrent(token) || current() === null) return true;
    return !hasFailed && (state.isRefreshing || state.refusal !== null);
  }

  return {
    recover: (refusal, maxWait) =>
      defer(() => {
        const { token, key } = refusal;
        const outcome = isOfSession(state, token) ? judge(refusal) : 'suppressed';
        const isAnotherComing = act(refusal, outcome);
        if (outcome === 'suppressed') return EMPTY;
        // A `tokenRejected` listener may have made the attempt already, and it failed; or it may have signed out.
        if (!isAnotherComing || !isOfSession(state, token)) return EMPTY;
        if (!isCurrent(token)) return views.take(maxWait).pipe(filter((next) => !sameToken(next, token)));
        return views.next(demand, maxWait).pipe(
          tap((next) => {
            // The issuer vouches for the token: it is the resource that refuses.
            if (sameToken(next, token)) refusals.remember(key, kindOf(refusal), now());
          }),
          filter((next) => !sameToken(next, token)),
        );
      }).pipe(catchError(() => EMPTY)),
    reject: (refusal) => {
      const outcome = judge(refusal);
      act(refusal, outcome);
      if (outcome === 'refreshing') demand();
    },
    accepted: (token, keyOf) => {
      const { held, unkept } = state;
      const isFirst = held !== null && !held.isAccepted && sameToken(held.token, token);
      if (isFirst) held.isAccepted = true;
      const isNews = isFirst || (unkept !== null && sameToken(unkept, token));
      if (isNews || refusals.hasEntries()) refusals.accepted(keyOf(), isNews);
    },
    newest: (token, refused) => {
      const usable = current();
      if (usable && !sameToken(usable, refused)) return usable;
      const isGood = isOfSession(state, token) && !(state.held?.isSetAside && isCurrent(token));
      return isGood ? token : null;
    },
  };
}
