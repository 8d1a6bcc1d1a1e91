import {
  catchError,
  defer,
  EMPTY,
  ignoreElements,
  of,
  retry,
  switchMap,
  takeUntil,
  tap,
  throwError,
  throwIfEmpty,
} from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import { failAfter } from '../internal/timers.js';
import type { TokenEvent } from '../token/events.js';
import type { TokenManager } from '../token/tokenManager.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { afterEnd, pauseBefore, type EndState } from './afterEnd.js';
import { connection } from './connection.js';
import { Ended, isNormal, rejectionOf } from './ends.js';
import { settingsOf, type Connect, type ConnectOptions, type ConnectSettings } from './options.js';

/**
 * One stream of messages over any number of connections, each opened with a usable token.
 *
 * ```
 * token$       T1-----------------T2--------------T3---
 * connections  (T1)---a---b-----------x (T2)--c--4401 (T3)--d---
 * result       -------a---b-------------------c-------------d---
 * ```
 *
 * A lost connection is opened again after a pause, with the latest token. If the server rejects the token, one refresh
 * follows, and then a connection with the new token. A rejected token is not used again. A renewal does not change an
 * open connection, unless `onRenewal` says so. Unsubscribing closes the connection.
 *
 * ```ts
 * const messages$ = connectWithToken(token$, (token) => openSocket('wss://api.example.com/live', token));
 * ```
 *
 * As an operator it is the first one after a stream of `createTokenStream`.
 *
 * @param connect opens a connection: an Observable of its messages, whose teardown closes it. It completes, or errors
 *   with the reason of its end. It calls `opened`, which `onRenewal` waits for.
 * @returns a cold Observable. It completes or errors as the last connection did; it errors with
 *   {@link TokenUnavailableError} when there is no token or after `signOut()`, {@link TokenStreamClosedError} after
 *   `close()`, and with whatever `connect` or an option throws.
 * @throws TypeError if `token$` was not made by `createTokenStream`, or names an option out of range.
 */
export function connectWithToken<T>(connect: Connect<T>, options?: ConnectOptions): OperatorFunction<AccessToken, T>;
export function connectWithToken<T>(token$: TokenStream, connect: Connect<T>, options?: ConnectOptions): Observable<T>;
export function connectWithToken<T>(
  ...given: [Connect<T>, ConnectOptions?] | [TokenStream, Connect<T>, ConnectOptions?]
): OperatorFunction<AccessToken, T> | Observable<T> {
  const isOperator = typeof given[0] === 'function';
  const [connect, options = {}] = (isOperator ? given : given.slice(1)) as [Connect<T>, ConnectOptions?];
  if (typeof connect !== 'function')
    throw new TypeError('connectWithToken takes a function that opens a connection with a token');
  const settings = settingsOf(options);
  const connected = (token$: unknown) => connections(managerOf(token$ as TokenStream), connect, settings);
  return isOperator ? connected : connected(given[0]);
}

/** The pipeline: a token, the connection that is opened with it, and what follows its end. */
export function connections<T>(manager: TokenManager, connect: Connect<T>, settings: ConnectSettings): Observable<T> {
  const { take, recover, timers, events$ } = manager;
  const { backoff, maxWait } = settings;

  return defer(() => {
    let state: EndState = { attempts: 0, rejections: 0 };
    /** What came in the place of a rejected token. It is used once, even if it has expired on arrival. */
    let replacement: AccessToken | null = null;

    /** While the source fails and may mend, it is asked again after pauses. */
    const replace = (thrown: Ended): Observable<unknown> =>
      recover(rejectionOf(thrown.how), maxWait).pipe(
        throwIfEmpty(() => thrown),
        retry({ count: backoff.count, delay: (_, failures) => timers.after(pauseBefore(failures, backoff), true) }),
        tap((other) => (replacement = other)),
        takeUntil(failAfter(timers, maxWait, () => thrown)),
        takeUntil(failAt(events$, permanentFailure)),
      );

    /** The notifier of `retry`: emits when it is time for another connection, and errors when there will be none. */
    const next = (thrown: unknown): Observable<unknown> => {
      const decision = thrown instanceof Ended && afterEnd(thrown.how, state, settings);
      if (!decision) throw thrown;
      state = decision.state;
      replacement = null;
      const pause$ = timers.after(decision.pause, true);
      return decision.isRejected ? pause$.pipe(switchMap(() => replace(thrown))) : pause$;
    };

    return defer(() => (replacement ? of(replacement) : take(maxWait))).pipe(
      switchMap((token) => connection(token, manager, connect, settings)),
      retry({ delay: next }),
      catchError(asConnectionEnded),
      takeUntil(failAt(events$, endOfSession)),
    );
  });
}

/** The stream ends as its last connection did. What is no end of a connection is a mistake in the user's code. */
const asConnectionEnded = (thrown: unknown): Observable<never> => {
  const end = thrown instanceof Ended ? thrown.how.end : thrown;
  return thrown instanceof Ended && isNormal(end) ? EMPTY : throwError(() => end);
};

/** Emits nothing. Errors with what `fail` throws at an event. */
const failAt = (events$: Observable<TokenEvent>, fail: (event: TokenEvent) => void): Observable<never> =>
  events$.pipe(tap(fail), ignoreElements());

function permanentFailure(event: TokenEvent): void {
  if (event.type === 'refreshFailed' && event.permanent)
    throw new TokenUnavailableError('the token source failed permanently', { cause: event.error });
}

/** A connection belongs to a session, and does not outlive it. */
function endOfSession({ type }: TokenEvent): void {
  if (type === 'closed') throw new TokenStreamClosedError();
  if (type === 'signedOut') throw new TokenUnavailableError('the session was signed out');
}
