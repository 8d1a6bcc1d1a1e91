/** The public function `connectWithToken`: reconnects with a usable token when a connection is lost. */
import { defer, EMPTY, mergeMap, raceWith, repeat, switchMap, take, takeUntil, tap, throwError } from 'rxjs';
import type { Observable, OperatorFunction } from 'rxjs';
import { TokenStreamClosedError, TokenUnavailableError } from '../errors.js';
import { captureContext } from '../internal/async/callerContext.js';
import { timeLimit } from '../internal/time/timers.js';
import type { TokenEvent } from '../token/events.js';
import { signedOutError } from '../token/decisions/state.js';
import type { TokenManager } from '../token/tokenManager.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { afterEnd, pauseBefore, type EndState } from './afterEnd.js';
import { connection } from './connection.js';
import { isNormal, rejectionOf, type ConnectionEnd } from './ends.js';
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
  first: TokenStream | Connect<T>,
  second?: Connect<T> | ConnectOptions,
  third?: ConnectOptions,
): OperatorFunction<AccessToken, T> | Observable<T> {
  const isOperator = typeof first === 'function';
  const [connect, options] = isOperator ? [first, second as ConnectOptions] : [second as Connect<T>, third];
  if (typeof connect !== 'function')
    throw new TypeError('connectWithToken takes a function that opens a connection with a token');
  const settings = settingsOf(options);
  if (!isOperator) return connections(managerOf(first), connect, settings);
  const hint = 'connectWithToken is the first operator: ';
  return (token$: Observable<AccessToken>) => connections(managerOf(token$ as TokenStream, hint), connect, settings);
}

/** The pipeline: a token, the connection that is opened with it, and what follows its end. */
export function connections<T>(manager: TokenManager, connect: Connect<T>, settings: ConnectSettings): Observable<T> {
  const { take: takeToken, takeForConnection = takeToken, recover, reject, timers, events$, lastError } = manager;
  const { backoff, maxWait } = settings;

  /** Another token. The source is asked again after pauses: if it has not failed, `count` times. */
  function replacement(end: ConnectionEnd): Observable<AccessToken> {
    let left = backoff.count;
    const again = (rounds: number): Observable<unknown> => {
      if (lastError() === undefined) {
        if (left <= 0) return asConnectionEnded(end);
        left -= 1;
      }
      return timers.after(pauseBefore(rounds, backoff), true);
    };
    return recover(rejectionOf(end), maxWait).pipe(
      repeat({ delay: again }),
      raceWith(timeLimit(timers, maxWait).pipe(switchMap(() => asConnectionEnded(end)))),
      take(1),
      // The notifier never emits: its error ends the stream.
      takeUntil(events$.pipe(mergeMap(permanentFailure))),
    );
  }

  return defer(() => {
    const runInContext = captureContext();
    let state: EndState = { attempts: 0, rejections: 0 };
    let lastEnd: ConnectionEnd;

    /** The token of the next connection, or the end of the stream. All that the last one has opened is closed. */
    const nextToken = (): Observable<AccessToken> => {
      const end = lastEnd;
      const { isRejected, pause, state: after } = afterEnd(end, state, settings);
      state = after;
      if (pause !== null)
        return timers
          .after(pause, true)
          .pipe(switchMap(() => (isRejected ? replacement(end) : takeForConnection(maxWait))));
      // Nothing else asks for another token.
      if (isRejected) reject(rejectionOf(end));
      return asConnectionEnded(end);
    };

    return takeForConnection(maxWait).pipe(
      switchMap((first) => {
        let token = first;
        return defer(() => connection(token, manager, connect, settings, runInContext, (end) => (lastEnd = end))).pipe(
          repeat({ delay: () => nextToken().pipe(tap((next) => (token = next))) }),
        );
      }),
      // The notifier never emits: its error ends the stream.
      takeUntil(events$.pipe(mergeMap(endOfSession))),
    );
  });
}

/** The stream ends as its last connection did. */
const asConnectionEnded = ({ reason }: ConnectionEnd): Observable<never> =>
  isNormal(reason) ? EMPTY : throwError(() => reason);

const permanentFailure = (event: TokenEvent): Observable<never> =>
  event.type === 'refreshFailed' && event.permanent
    ? throwError(() => new TokenUnavailableError('the token source failed permanently', { cause: event.error }))
    : EMPTY;

/** A connection belongs to a session, and does not outlive it. */
function endOfSession({ type }: TokenEvent): Observable<never> {
  if (type === 'closed') throw new TokenStreamClosedError();
  if (type === 'signedOut') throw signedOutError();
  return EMPTY;
}
