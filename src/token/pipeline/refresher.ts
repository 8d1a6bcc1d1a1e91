/** One refresh: attempts to get a token, with pauses after failures. */
import { defer, EMPTY, filter, finalize, map, retry, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import { TokenFetchTimeoutError, TokenUnavailableError } from '../../errors.js';
import { sameToken } from '../decisions/accessToken.js';
import type { TokenContext } from './context.js';
import { failureOf, refreshFailed } from '../decisions/failure.js';
import { pauseAfter } from '../decisions/pauses.js';
import { receivedToken, type TokenUpdate } from '../decisions/receivedToken.js';
import { failedUpdate, isWanted, type Refresh, type StreamState } from '../decisions/state.js';
import { longestFetch } from './sourceCaller.js';
import type { AccessToken, RefreshReason } from '../types.js';

export type Announce = (update: TokenUpdate) => void;

/**
 * Emits the token. Completes without one after a permanent failure, and when no token is wanted any more.
 *
 * @param announce tells those who wait that an attempt failed
 * @param untilNeeded$ emits when it is time for another attempt, completes when no token is wanted any more
 */
export function runRefresh(
  context: TokenContext,
  reason: RefreshReason,
  announce: Announce,
  untilNeeded$: Observable<unknown>,
): Observable<TokenUpdate> {
  const { state, settings } = context;
  const refresh = beginRefresh(context, reason);
  return settings.inTurn(attempt(context, refresh)).pipe(
    retry({
      delay: (error: unknown) => (afterFailure(context, refresh, error, announce) ? untilNeeded$ : EMPTY),
    }),
    finalize(() => {
      // Given up, since nobody wants a token: a rejected one stays in use, as after a failure.
      if (state.refresh === refresh && state.held) state.held.isSuspended = false;
      endRefresh(context, refresh);
    }),
  );
}

/** What forced the refresh is cleared. If it was a rejection, it is counted. */
function beginRefresh({ state, now }: TokenContext, reason: RefreshReason): Refresh {
  const rejection = state.forcedBy === 'manual' ? null : state.forcedBy;
  const refresh: Refresh = { reason, attempt: 0, rejection, isFetching: false, isSuperseded: false };
  Object.assign(state, { refresh, forcedBy: null, permanentFailure: null });
  if (rejection) state.rejections?.refreshForced(rejection.kind, !!state.held?.isAccepted, now());
  return refresh;
}

/**
 * The refresh ends. A session that has begun meanwhile may have another one, which stays. Called before a token or an
 * event goes out, since whoever hears of it may begin the next refresh; `finalize` calls it where nobody wants a token
 * any more.
 */
function endRefresh({ state }: TokenContext, refresh: Refresh): void {
  if (state.refresh === refresh) state.refresh = null;
}

function attempt(context: TokenContext, refresh: Refresh): Observable<TokenUpdate> {
  const { state, settings, now, fetcher, events, reportFailure } = context;
  const { reason, rejection } = refresh;
  return defer(() => {
    const count = ++refresh.attempt;
    const sentAt = (state.lastFetchAt = now());
    refresh.isFetching = true;
    // The token that the store brought during the attempt before is what this one replaces.
    refresh.isSuperseded = false;
    events.emit({ type: 'refreshStarted', reason, attempt: count });
    const about = { reason, attempt: count, previous: state.last?.token ?? null };
    const result$ = fetcher.fetch(about, (error) => {
      state.lastError = error;
      reportFailure(error, count);
    });
    return result$.pipe(
      map((result) => {
        const isOnSchedule = reason !== 'rejected' && reason !== 'manual';
        const received = receivedToken(result, { reason, attempt: count, took: now() - sentAt, isOnSchedule }, context);
        // No time limit lets a fetch take this long: the machine has slept, and no timer has fired.
        const isTooLate = received.took > longestFetch(settings) && received.usableUntil <= now();
        if (isTooLate) throw new TokenFetchTimeoutError('the token had expired when it came');
        endRefresh(context, refresh);
        if (result.source) state.lastSource = result.source;
        // It is not in the state yet: the connector puts it there.
        return received;
      }),
      filter(({ token }) => !isToBeReplaced(token, state)),
      tap(() => {
        if (!rejection) return;
        state.rejections?.startPause(now());
        // A refresh was spent on this resource: from now on its rejections are passed on (guarantee 17).
        state.rejections?.remember(rejection, now());
      }),
    );
  });
}

/**
 * The store's `changes` brought this very token during the fetch, so the stream has it. Then a server rejected it, or
 * `refresh()` was called. The refresh that fetched it has ended, and `repeat` begins the next one.
 */
const isToBeReplaced = (token: AccessToken, { forcedBy, last }: StreamState): boolean =>
  forcedBy !== null && sameToken(token, last?.token);

/**
 * An attempt has failed: a pause begins.
 *
 * @returns whether another attempt is to follow it
 */
function afterFailure(context: TokenContext, refresh: Refresh, thrown: unknown, announce: Announce): boolean {
  const { state, settings, now } = context;
  const time = now();
  const failure = failureOf(thrown, settings);
  // `isPermanent` may have called `signOut()`. The failure is none of the next session.
  if (state.refresh !== refresh) return false;
  refresh.isFetching = false;
  state.failures++;
  // The token that a server rejected stays in use: it is all there is, and the server may have been wrong.
  if (state.held) state.held.isSuspended = false;
  const { error, permanent } = failure;
  // Counts this failure, and the token that is usable again.
  const duration = pauseAfter(state, failure, settings, time);
  state.lastError = error;
  state.pausedUntil = time + duration;
  const retries = !permanent && isWanted(state, time, settings);
  // A `refreshFailed` listener may begin another refresh, if this one gives up.
  if (!retries) endRefresh(context, refresh);
  const failed = permanent ? new TokenUnavailableError('the token source failed permanently', { cause: error }) : null;
  state.permanentFailure = failed;
  const event = refreshFailed(error, refresh.attempt, retries ? duration : null, permanent);
  announce(failed ? failedUpdate(state, failed, event) : { type: 'attemptFailed', event });
  return retries;
}
