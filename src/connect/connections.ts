/** Opens a connection with a usable token, and the next one when that has ended. */
import {
  catchError,
  defer,
  EMPTY,
  filter,
  map,
  merge,
  mergeMap,
  of,
  retry,
  switchMap,
  takeUntil,
  tap,
  throwError,
  throwIfEmpty,
  type Observable,
} from 'rxjs';
import { TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import { failAfter } from '../internal/timers.js';
import { sameToken } from '../token/accessToken.js';
import type { TokenEvent } from '../token/events.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import { afterEnd, pauseAfter, type EndState } from './afterEnd.js';
import { connection, Ended } from './connection.js';
import { isNormal, kindOfRejection } from './ends.js';
import type { Connect, ConnectSettings } from './options.js';

/** A connection that ended sooner has not lasted, however short the pauses are. Milliseconds. */
const LEAST_LASTING = 1000;

/** A connection has lasted: what was before it no longer counts. */
const FRESH: EndState = { attempts: 0, rejections: 0 };

/** One stream of messages over any number of connections. */
export function connections<T>(manager: TokenManager, connect: Connect<T>, settings: ConnectSettings): Observable<T> {
  const { take, newest, reject, accepted, current, shownNow: now, timers, events$ } = manager;
  const { reconnect, maxWait } = settings;

  return defer(() => {
    let state = FRESH;
    let openedAt = Infinity;
    let wasCurrent = false;
    let replacement: AccessToken | null = null;

    /** A replacement is used once, even if it has expired on arrival. Others may have seen it rejected. */
    const token$ = defer(() => {
      const usable = replacement && newest(replacement);
      replacement = null;
      return usable ? of(usable) : take(maxWait);
    });

    const connected = (token: AccessToken): Observable<T> => {
      openedAt = Infinity;
      wasCurrent = sameToken(current(), token);
      return connection(token, {
        manager,
        connect,
        settings,
        onOpen: () => {
          openedAt = Math.min(openedAt, now());
        },
        onAccepted: (bearer) => {
          // A server may greet before it looks at the token. A rejection is free once until a connection lasts.
          state = { ...state, rejections: Math.min(state.rejections, 1) };
          accepted(bearer, () => undefined);
        },
      });
    };

    /** The notifier of `retry`: emits when it is time for another connection, and errors when there will be none. */
    const next = (thrown: unknown): Observable<unknown> => {
      if (!(thrown instanceof Ended)) throw thrown;
      const { end, token } = thrown;
      if (reconnect && now() - openedAt >= Math.max(reconnect.max, LEAST_LASTING)) state = FRESH;
      // A token that has expired or was replaced during the connection may be rejected.
      if (wasCurrent && !sameToken(current(), token)) state = { ...state, rejections: 0 };
      const decision = afterEnd(end, state, settings);
      if (decision.type === 'final') {
        if (decision.isRejected && state.rejections === 0) reject({ token, kind: kindOfRejection(end) });
        throw thrown;
      }
      state = decision.state;
      if (decision.type === 'reconnect') return timers.after(decision.pause, true);
      return otherToken(manager, settings, thrown, decision.pause).pipe(tap((other) => (replacement = other)));
    };

    return token$.pipe(
      switchMap(connected),
      retry({ delay: next }),
      catchError(asConnectionEnded),
      takeUntil(failWith(events$, endOfSession)),
    );
  });
}

/** The stream ends as its last connection did. What is no end of a connection is a mistake in the user's code. */
const asConnectionEnded = (thrown: unknown): Observable<never> =>
  thrown instanceof Ended && isNormal(thrown.end)
    ? EMPTY
    : throwError(() => (thrown instanceof Ended ? thrown.end : thrown));

/**
 * Emits, at the earliest after the pause, once there is a token in the place of a rejected one. While the source fails
 * and may mend, it is asked again after pauses.
 */
function otherToken(
  { recover, events$, timers }: Pick<TokenManager, 'recover' | 'events$' | 'timers'>,
  { reconnect, maxWait }: ConnectSettings,
  thrown: Ended,
  pause: number,
): Observable<AccessToken> {
  const rejection = { token: thrown.token, kind: kindOfRejection(thrown.end) };
  const other$ = recover(rejection, maxWait).pipe(
    throwIfEmpty(() => thrown),
    retry({
      delay: (_none, count) => {
        if (!reconnect || count > reconnect.count) throw thrown;
        return timers.after(pauseAfter(count, reconnect), true);
      },
    }),
    takeUntil(
      merge(
        failAfter(timers, maxWait, () => thrown),
        failWith(events$, permanentFailure),
      ),
    ),
  );
  return timers.after(pause, true).pipe(switchMap(() => other$));
}

/** Emits nothing. Errors with the first error that `errorOf` makes of an event. */
const failWith = (events$: Observable<TokenEvent>, errorOf: (event: TokenEvent) => Error | null): Observable<never> =>
  events$.pipe(
    map(errorOf),
    filter((error) => error !== null),
    mergeMap((error) => throwError(() => error)),
  );

const permanentFailure = (event: TokenEvent): Error | null =>
  event.type === 'refreshFailed' && event.permanent
    ? new TokenUnavailableError('the token source failed for good', { cause: event.error })
    : null;

/** A connection belongs to a session, and does not outlive it. */
function endOfSession({ type }: TokenEvent): Error | null {
  if (type === 'closed') return new TokenStreamClosedError();
  return type === 'signedOut' ? new TokenUnavailableError('the session was signed out') : null;
}
