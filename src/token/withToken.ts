import { catchError, defer, map, of, retry, switchMap, tap, throwError, throwIfEmpty } from 'rxjs';
import type { Observable, ObservableInput, OperatorFunction } from 'rxjs';
import { discard } from '../internal/discard.js';
import { numbersIn, requireFunctions } from '../internal/validate.js';
import { ask, isAcceptance, isExplicit, isRejection as isRejectionByDefault, looksLikeResponse } from './rejection.js';
import { managerOf } from './tokenStream.js';
import type { AccessToken, TokenStream } from './types.js';

export interface WithTokenOptions {
  /**
   * Tells that a server refused the token, from what `send` emitted first or threw. It returns a boolean; a promise is a
   * TypeError. Default: status 401, or 403 unless the answer says `insufficient_scope` or limits the rate of requests;
   * emitted values count only if they look like a Response.
   */
  isRejection?: ((outcome: unknown) => boolean) | undefined;
  /** Names the resource, e.g. `GET /orders`: one that refuses fresh tokens too is not worth another refresh. Default none: no memory. */
  key?: string | undefined;
  /** Waits at most this many ms for a usable token. >= 0. Default: the stream's `maxWait`. */
  maxWait?: number | undefined;
}

/** Sends a request with a token. */
type Send<T> = (token: AccessToken) => ObservableInput<T>;

/** A refusal that was emitted, on its way to the retry notifier as an error. */
class EmittedRefusal extends Error {
  constructor(readonly answer: unknown) {
    super();
  }
}

/**
 * Sends a request with the latest token, and once more with a new one if the server refuses the first.
 *
 * ```
 * token$   T1------------------T2-------------T3      a renewal neither cancels nor repeats what is in flight
 * send        (T1)--401        (T2)--200
 * refresh           --------->                        one, whoever else is refused meanwhile joins it
 * result      --------------------------200|
 * ```
 *
 * The token is compared first: if it was already replaced when the refusal arrives, the request is repeated with the
 * current token and nothing is refreshed. A second refusal is the caller's: a Response is emitted as it is, an error
 * keeps its identity. What has delivered a value is not repeated. Unsubscribing cancels the request, never the refresh
 * that others may be waiting for.
 *
 * ```ts
 * const orders$ = token$.pipe(
 *   withToken((token) => ajax.getJSON('https://api.example.com/orders', { Authorization: `${token.type} ${token.value}` })),
 * );
 * ```
 *
 * As an operator it is the first one after a stream of `createTokenStream`; `withToken(token$, send)` is the same.
 *
 * @param send called with the token, at most twice for each subscription
 * @returns a cold Observable of what `send` yields
 * @throws TypeError if `token$` was not made by `createTokenStream`. The Observable errors with
 *   {@link TokenUnavailableError} when no usable token comes within `maxWait`, {@link TokenStreamClosedError} after `close()`.
 */
export function withToken<T>(send: Send<T>, options?: WithTokenOptions): OperatorFunction<AccessToken, T>;
export function withToken<T>(token$: TokenStream, send: Send<T>, options?: WithTokenOptions): Observable<T>;
export function withToken<T>(
  ...given: [Send<T>, WithTokenOptions?] | [TokenStream, Send<T>, WithTokenOptions?]
): OperatorFunction<AccessToken, T> | Observable<T> {
  if (typeof given[0] === 'function') {
    const request = requestWith(given[0], given[1] as WithTokenOptions | undefined);
    return (token$) => request(token$ as TokenStream);
  }
  const [token$, send, options] = given as [TokenStream, Send<T>, WithTokenOptions?];
  managerOf(token$);
  return requestWith(send, options)(token$);
}

/** Checks what was given, and makes a request of a stream. */
function requestWith<T>(send: Send<T>, options: WithTokenOptions = {}): (token$: TokenStream) => Observable<T> {
  const { key, isRejection } = options;
  const { maxWait } = numbersIn(options, { maxWait: [0, Infinity] });
  requireFunctions({ isRejection });
  if (typeof send !== 'function') throw new TypeError('withToken takes a function that sends a request with a token');
  const isRefused = (outcome: unknown) => (isRejection ? ask(isRejection, outcome) : isRejectionByDefault(outcome));
  const isEmittedRefusal = (value: unknown) =>
    (isRejection !== undefined || looksLikeResponse(value)) && isRefused(value);
  const keyOf = () => key;

  return (token$) => {
    const { use, take, recover, reject, accepted, newest } = managerOf(token$);
    return defer(() => {
      let used: AccessToken | undefined;
      let hasDelivered = false;
      const sendWith = (token: AccessToken) => send((used = token));
      const sendWithOrWait = (token: AccessToken | null) =>
        token ? sendWith(token) : take(maxWait).pipe(switchMap(sendWith));
      let attempt = () => sendWithOrWait(use());

      return defer(() => attempt()).pipe(
        map((value) => {
          if (hasDelivered || !used) return value;
          if (isEmittedRefusal(value)) throw new EmittedRefusal(value);
          hasDelivered = true;
          if (!isAcceptance(value)) return value;
          accepted(used, keyOf);
          return value;
        }),
        retry({
          count: 1,
          delay: (outcome: unknown) => {
            const answer = outcome instanceof EmittedRefusal ? outcome.answer : outcome;
            if (!used || (answer === outcome && !isRefused(outcome))) throw outcome;
            const refusal = { token: used, explicit: isExplicit(answer), key };
            if (hasDelivered) {
              reject(refusal);
              throw outcome;
            }
            return recover(refusal, maxWait).pipe(
              throwIfEmpty(() => outcome),
              tap((next) => {
                if (looksLikeResponse(answer)) discard(answer as Response);
                // RxJS repeats after everyone else has heard of the token, and one of them may have seen it refused as well.
                attempt = () => sendWithOrWait(newest(next, refusal.token));
              }),
            );
          },
        }),
        catchError((outcome: unknown) =>
          outcome instanceof EmittedRefusal ? of(outcome.answer as T) : throwError(() => outcome),
        ),
      );
    });
  };
}
