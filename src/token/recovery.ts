import { catchError, defaultIfEmpty, defer, EMPTY, filter, tap, type Observable } from 'rxjs';
import { sameToken } from './accessToken.js';
import type { RejectionOutcome, TokenIncident } from './events.js';
import type { HeldToken } from './heldToken.js';
import type { Settings } from './options.js';
import type { Refresher } from './refresher.js';
import { createBudget, type FruitlessRefreshes } from './rejection.js';
import type { AccessToken, RefreshReason } from './types.js';

/** So many refused tokens are remembered, should the source bring one again. */
const REFUSED = 16;

/** A server refused a token. */
export interface Rejection {
  readonly token: AccessToken;
  /** The server blamed the token itself, not perhaps the resource. */
  readonly explicit: boolean;
  /** The resource, whose fruitless refreshes are remembered; none, no memory. */
  readonly key?: string | undefined;
}

/** What recovering needs of the keeper. */
export interface RecoveryHost {
  readonly held: () => HeldToken | null;
  readonly take: (maxWait?: number) => Observable<AccessToken>;
  /** Calls `begin` once it waits, then emits the next token, or completes when that is `instead` again. */
  readonly another: (instead: AccessToken, begin: () => void, maxWait?: number) => Observable<AccessToken>;
  /** Starts a refresh, or joins the one under way, once `announce` has said why. */
  readonly renew: (reason: RefreshReason, announce: () => void) => void;
  readonly emit: (incident: TokenIncident) => void;
}

export interface Recovery {
  /**
   * Emits the token with which to repeat a rejected request; completes without one if the rejection is to be passed on:
   * no refresh may be spent on it, or the refresh failed, or brought the very token that was refused.
   */
  readonly recover: (rejection: Rejection, maxWait?: number) => Observable<AccessToken>;
  /** The same for someone who does not wait. */
  readonly reject: (rejection: Rejection) => void;
  /** A refresh that was forced begins. */
  readonly began: () => void;
  /** Explicitly: it must not be sent any more. */
  readonly wasRefused: (token: AccessToken) => boolean;
  readonly forget: () => void;
}

/** What a verdict leads to; `expired` where the token would have been renewed without the refusal. */
interface Verdict {
  readonly outcome: RejectionOutcome;
  readonly reason: RefreshReason;
}

/** Decides what a refusal costs: a refresh, a repeat, or nothing at all. */
export function createRecovery(
  { now, rejectionBudget }: Settings,
  fruitless: FruitlessRefreshes,
  refresher: Refresher,
  { held, take, another, renew, emit }: RecoveryHost,
): Recovery {
  const budget = createBudget(rejectionBudget);
  let refused: AccessToken[] = [];

  /** Compares before anything is refreshed: a late rejection of an old token costs nothing. */
  function judge({ token, key, explicit }: Rejection): Verdict {
    const mine = held();
    const isCurrent = mine !== null && sameToken(mine.token, token);
    const isOver = mine !== null && !mine.isRefused() && !mine.isUsable(now());
    const mayRefresh = () =>
      refresher.isRunning() || isOver || (!refresher.isBlocked() && budget.spend(now() + refresher.pauseLeft()));
    const outcome = fruitless.knows(key, isCurrent)
      ? 'suppressed'
      : !isCurrent
        ? 'alreadyReplaced'
        : mayRefresh()
          ? 'refreshing'
          : 'suppressed';
    if (explicit && outcome === 'refreshing' && mine) {
      mine.refuse();
      refused = [mine.token, ...refused].slice(0, REFUSED);
    }
    return { outcome, reason: isOver ? 'expired' : 'rejected' };
  }

  /** Announces the verdict, then acts on it. */
  function act({ token }: Rejection, { outcome, reason }: Verdict): void {
    const announce = () => {
      emit({ type: 'tokenRejected', token, outcome });
    };
    if (outcome === 'refreshing') renew(reason, announce);
    else announce();
  }

  const recover: Recovery['recover'] = (rejection, maxWait) =>
    defer(() => {
      const { token, key } = rejection;
      const isAnother = (next: AccessToken) => !sameToken(next, token);
      const verdict = judge(rejection);
      const begin = () => {
        act(rejection, verdict);
      };
      if (verdict.outcome === 'refreshing') {
        return another(token, begin, maxWait).pipe(
          filter(isAnother),
          defaultIfEmpty(null),
          tap((next) => {
            if (!next) fruitless.repeat(key)(true);
          }),
          filter((next) => next !== null),
        );
      }
      begin();
      return verdict.outcome === 'suppressed' ? EMPTY : take(maxWait).pipe(filter(isAnother));
    }).pipe(catchError(() => EMPTY));

  return {
    recover,
    reject: (rejection) => {
      act(rejection, judge(rejection));
    },
    began: () => {
      budget.made(now());
    },
    wasRefused: (token) => refused.some((known) => sameToken(known, token)),
    forget: () => (refused = []),
  };
}
