import {
  catchError,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  map,
  merge,
  of,
  retry,
  Subject,
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
import type { Rejection } from '../token/recovery.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import { afterEnd, pauseAfter, type EndState } from './afterEnd.js';
import { connection, Ended, type Connect } from './connection.js';
import { kindOfRejection, isNormal } from './ends.js';
import type { ConnectSettings } from './options.js';

/** One stream of messages over any number of connections. */
export function connections<T>(manager: TokenManager, connect: Connect<T>, settings: ConnectSettings): Observable<T> {
  const { take, reject, accepted, current, timers } = manager;
  const { reconnect, maxWait } = settings;
  const lasted$ = reconnect ? timers.after(reconnect.max) : EMPTY;

  return defer(() => {
    let next$ = take(maxWait);
    let state: EndState = { attempts: 0, rejections: 0 };

    const onAccepted = (bearer: AccessToken) => {
      state = { ...state, rejections: 0 };
      accepted(bearer, () => undefined);
    };

    const connected = (token: AccessToken): Observable<T> => {
      const opened$ = new Subject<void>();
      const lasting$ = opened$.pipe(
        switchMap(() => lasted$),
        tap(() => (state = { attempts: 0, rejections: 0 })),
        ignoreElements(),
      );
      return merge(lasting$, connection(token, { manager, connect, settings, opened$, onAccepted }));
    };

    /** The notifier of `retry`: emits when it is time for another connection, and errors when there will be none. */
    const next = (thrown: unknown): Observable<unknown> => {
      if (!(thrown instanceof Ended)) throw thrown;
      const { end, token } = thrown;
      const rejection = { token, kind: kindOfRejection(end) };
      // A token that is over, or was replaced, may be rejected.
      if (!sameToken(current(), token)) state = { ...state, rejections: 0 };
      const decision = afterEnd(end, state, settings);
      if (decision.type === 'final') {
        if (decision.isRejected && state.rejections === 0) reject(rejection);
        throw thrown;
      }
      state = decision.state;
      const pause$ = decision.pause > 0 ? timers.after(decision.pause, true) : of(undefined);
      next$ = take(maxWait);
      if (decision.type === 'reconnect') return pause$;
      return pause$.pipe(
        switchMap(() => otherToken(manager, settings, thrown, rejection)),
        tap((other) => {
          next$ = newestAfter(manager, other, token, maxWait);
        }),
      );
    };

    return defer(() => next$).pipe(
      switchMap(connected),
      retry({ delay: next }),
      catchError(asConnectionEnded),
      takeUntil(sessionEnd(manager)),
    );
  });
}

/** The stream ends as its last connection did. What is no end of a connection is a mistake in the user's code. */
function asConnectionEnded(thrown: unknown): Observable<never> {
  if (!(thrown instanceof Ended)) return throwError(() => thrown);
  return isNormal(thrown.end) ? EMPTY : throwError(() => thrown.end);
}

/** The token to connect with: somebody else may have heard of `other` before, and seen it rejected. */
const newestAfter = (
  { newest, take }: Pick<TokenManager, 'newest' | 'take'>,
  other: AccessToken,
  rejected: AccessToken,
  maxWait: number,
): Observable<AccessToken> =>
  defer(() => {
    const usable = newest(other, rejected);
    return usable ? of(usable) : take(maxWait);
  });

/** A token in the place of a rejected one. While the source fails and may mend, it is asked again after pauses. */
function otherToken(
  { recover, events$, timers }: Pick<TokenManager, 'recover' | 'events$' | 'timers'>,
  { reconnect, maxWait }: ConnectSettings,
  thrown: Ended,
  rejection: Rejection,
): Observable<AccessToken> {
  const late$ = failAfter(timers, maxWait, () => thrown);
  const failure$ = events$.pipe(
    map((event) => {
      if (event.type === 'refreshFailed' && event.permanent)
        throw new TokenUnavailableError('the token source failed for good', { cause: event.error });
    }),
    ignoreElements(),
  );
  return recover(rejection, maxWait).pipe(
    throwIfEmpty(() => thrown),
    retry({
      delay: (_none, count) => {
        if (!reconnect || count > reconnect.count) throw thrown;
        return timers.after(pauseAfter(count, reconnect), true);
      },
    }),
    takeUntil(merge(late$, failure$)),
  );
}

/** A connection belongs to a session, and does not outlive it. Never emits. */
const sessionEnd = ({ events$ }: Pick<TokenManager, 'events$'>): Observable<unknown> =>
  events$.pipe(
    filter(({ type }) => type === 'signedOut' || type === 'closed'),
    map(({ type }): never => {
      throw type === 'closed' ? new TokenStreamClosedError() : new TokenUnavailableError('the session was signed out');
    }),
  );
