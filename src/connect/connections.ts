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
import { sameToken } from '../token/accessToken.js';
import type { Rejection } from '../token/recovery.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import { afterEnd, pauseAfter, type EndState } from './afterEnd.js';
import { connection, Ended, type Connect } from './connection.js';
import { isExplicit, isNormal } from './ends.js';
import type { ConnectSettings } from './options.js';

/** One stream of messages over any number of connections. */
export function connections<T>(manager: TokenManager, connect: Connect<T>, settings: ConnectSettings): Observable<T> {
  const { take, reject, accepted, newest, current, timers } = manager;
  const { reconnect, maxWait } = settings;
  const lasted$ = reconnect ? timers.after(reconnect.max) : EMPTY;

  return defer(() => {
    let next$ = take(maxWait);
    let state: EndState = { attempts: 0, rejections: 0 };

    const connected = (token: AccessToken): Observable<T> => {
      const open$ = new Subject<void>();
      const messages$ = connection(token, {
        manager,
        connect,
        settings,
        onOpen: () => {
          open$.next();
        },
        onAccepted: (bearer) => {
          state = { ...state, rejections: 0 };
          accepted(bearer, () => undefined);
        },
      });
      const lasting$ = open$.pipe(
        switchMap(() => lasted$),
        tap(() => (state = { attempts: 0, rejections: 0 })),
        ignoreElements(),
      );
      return merge(lasting$, messages$);
    };

    /** The notifier of `retry`: emits when it is time for another connection, and errors when there will be none. */
    const next = (thrown: unknown): Observable<unknown> => {
      if (!(thrown instanceof Ended)) throw thrown;
      const { end, token } = thrown;
      const rejection = { token, explicit: isExplicit(end) };
      // A token that is over, or was replaced, may be rejected.
      if (!sameToken(current(), token)) state = { ...state, rejections: 0 };
      const decision = afterEnd(end, state, settings);
      if (decision.type === 'final') {
        if (decision.isRejected && state.rejections === 0) reject(rejection);
        throw thrown;
      }
      state = decision.state;
      const pause$ = decision.pause > 0 ? timers.after(decision.pause, true) : of(undefined);
      if (decision.type === 'reconnect') {
        next$ = take(maxWait);
        return pause$;
      }
      return pause$.pipe(
        switchMap(() => otherToken(manager, settings, thrown, rejection)),
        tap((other) => {
          // Somebody else may have heard of the token before, and seen it rejected.
          next$ = defer(() => {
            const usable = newest(other, token);
            return usable ? of(usable) : take(maxWait);
          });
        }),
      );
    };

    return defer(() => next$).pipe(
      switchMap(connected),
      retry({ delay: next }),
      catchError((thrown: unknown) => {
        if (!(thrown instanceof Ended)) return throwError(() => thrown);
        return isNormal(thrown.end) ? EMPTY : throwError(() => thrown.end);
      }),
      takeUntil(sessionEnd(manager)),
    );
  });
}

/** A token in the place of a rejected one. While the source fails and may mend, it is asked again after pauses. */
function otherToken(
  { recover, events$, timers }: Pick<TokenManager, 'recover' | 'events$' | 'timers'>,
  { reconnect, maxWait }: ConnectSettings,
  thrown: Ended,
  rejection: Rejection,
): Observable<AccessToken> {
  const late$ = timers.after(maxWait).pipe(
    map((): never => {
      throw thrown;
    }),
  );
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
