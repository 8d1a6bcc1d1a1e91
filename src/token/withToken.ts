/** The public operator `withToken`: sends a request with the token, and repeats it once after a rejection. */
import { catchError, defer, of, pipe, retry, switchMap, tap, throwError, throwIfEmpty } from 'rxjs';
import type { MonoTypeOperatorFunction, Observable, ObservableInput, ObservedValueOf, OperatorFunction } from 'rxjs';
import { asIs, contextAfter, subscribedIn } from '../internal/async/callerContext.js';
import { discard } from '../internal/platform/discard.js';
import { requireObject } from '../internal/values/validate.js';
import { isAcceptance, kindOfRejection, responseIn } from '../answers/isRejection.js';
import { observableOf } from '../internal/async/observableOf.js';
import { rulesOf, type RequestRules, type WithTokenOptions } from './requestRules.js';
import { managerOf } from './tokenStream.js';
import type { TokenManager } from './tokenManager.js';
import type { AccessToken, TokenStream } from './types.js';

type Send<T> = (token: AccessToken) => ObservableInput<T>;

/** A value that says the token was rejected, on its way to the notifier of `retry` as an error. */
class RejectedValue extends Error {
  constructor(readonly value: unknown) {
    super();
  }
}

/**
 * Sends a request with the latest token, and once more with a new one if the server rejects the first.
 *
 * ```
 * token$   T1------------------T2-------------T3      a renewal neither cancels nor repeats what is in flight
 * send        (T1)--401        (T2)--200
 * refresh           --------->                        one, shared by all requests that are rejected meanwhile
 * result      --------------------------200|
 * ```
 *
 * If the token was already replaced when the rejection arrives, the request is repeated with the current one, without a
 * refresh. The caller gets a second rejection: a Response is emitted, an error is thrown as it is. A request that has
 * delivered a value is not repeated. A first Response that is rejected ends the request: if no other token comes, it is
 * the last value. Unsubscribing cancels the request, but not the refresh that others may wait for.
 *
 * ```ts
 * const orders$ = token$.pipe(
 *   withToken((token) => ajax.getJSON('https://api.example.com/orders', { Authorization: `${token.type} ${token.value}` })),
 * );
 * ```
 *
 * As an operator it is the first one after a stream of `createTokenStream`; `withToken(token$, send)` is the same.
 *
 * @param send called with the token, at most twice for each subscription. It returns the Response, or fails with an
 *   error that has the status: of parsed data, only `isRejection` can tell a rejection.
 * @returns a cold Observable of what `send` yields
 * @throws TypeError if `token$` was not made by `createTokenStream`. The Observable errors with
 *   {@link TokenUnavailableError} when no usable token comes within `maxWait`, {@link TokenStreamClosedError} after
 *   `close()`.
 */
export function withToken<O extends ObservableInput<unknown>>(
  send: (token: AccessToken) => O,
  options?: WithTokenOptions,
): OperatorFunction<AccessToken, ObservedValueOf<O>>;
export function withToken<O extends ObservableInput<unknown>>(
  token$: TokenStream,
  send: (token: AccessToken) => O,
  options?: WithTokenOptions,
): Observable<ObservedValueOf<O>>;
export function withToken<T>(
  first: TokenStream | Send<T>,
  second?: Send<T> | WithTokenOptions,
  options?: WithTokenOptions,
): OperatorFunction<AccessToken, T> | Observable<T> {
  if (typeof first === 'function')
    return requestWith(first, second as WithTokenOptions) as OperatorFunction<AccessToken, T>;
  managerOf(first);
  return requestWith(second as Send<T>, options)(first);
}

/** Checks what was given, and makes a request of a stream. */
export function requestWith<T>(
  send: Send<T>,
  options: WithTokenOptions = {},
  isRepeatable: RequestRules['isRepeatable'] = () => true,
): (token$: TokenStream) => Observable<T> {
  requireObject(options);
  const rules = rulesOf(options, isRepeatable);
  if (typeof send !== 'function') throw new TypeError('withToken takes a function that sends a request with a token');
  return (token$) => {
    const manager = managerOf(token$, 'withToken is the first operator: ');
    return defer(() => requestOnceOrTwice(manager, send, rules)).pipe(
      catchError((thrown: unknown) =>
        thrown instanceof RejectedValue ? of(thrown.value as T) : throwError(() => thrown),
      ),
    );
  };
}

/** Errors with a `RejectedValue` where a rejected value is the result. */
function requestOnceOrTwice<T>(manager: TokenManager, send: Send<T>, rules: RequestRules): Observable<T> {
  const { use, take, recover, reject, accepted, newest } = manager;
  const { key, maxWait } = rules;
  let nextToken = use;
  let sent: AccessToken | undefined;
  let hasDelivered = false;
  let hasFailed = false;
  let isRepeat = false;
  let runInContext = asIs;
  const sendWith = (token: AccessToken) => {
    const answer = send((sent = token));
    runInContext = contextAfter(answer);
    return observableOf(answer, 'the function of withToken');
  };
  const rejectionBy = (result: unknown) => ({ token: sent as AccessToken, kind: kindOfRejection(result), key });
  const judge = (value: T) => {
    const isRejected = rules.isRejectedValue(value, !hasDelivered);
    if (isRejected && hasDelivered) reject(rejectionBy(value));
    // The first rejection of a repeat is passed on, and replaces nothing.
    else if (isRejected && !isRepeat) throw new RejectedValue(value);
    hasDelivered = true;
    hasFailed ||= isRejected || !isAcceptance(value);
  };
  const accept = () => {
    if (sent && !hasFailed) accepted(sent, () => key);
  };
  const beforeRepeat = (thrown: unknown): Observable<unknown> => {
    const result = thrown instanceof RejectedValue ? thrown.value : thrown;
    if (!sent || (result === thrown && !rules.isRejectedError(thrown))) throw thrown;
    const rejection = rejectionBy(result);
    const isFinal = hasDelivered || (!isRepeat && !rules.isRepeatable(result));
    if (isFinal) reject(rejection);
    if (isFinal || isRepeat) throw thrown;
    return subscribedIn(runInContext, recover(rejection, maxWait)).pipe(
      tap((next) => {
        isRepeat = true;
        // `retry` subscribes after all others got this token. One of them may have seen it rejected by then.
        nextToken = () => newest(next, rejection.token);
      }),
      discardAtRepeat(result, thrown),
    );
  };
  return defer(() => {
    const token = nextToken();
    return token ? sendWith(token) : take(maxWait).pipe(switchMap(sendWith));
  }).pipe(
    tap({
      next: judge,
      // Not at the first value: a client that reports its progress emits some before the server has answered.
      complete: accept,
      // `take(1)` behind it: the request ends with its first value.
      unsubscribe: () => {
        if (hasDelivered) accept();
      },
    }),
    retry({ delay: beforeRepeat }),
  );
}

/** If a token comes, the request is repeated, and nobody reads its answer `rejected`. Else `thrown` is passed on. */
const discardAtRepeat = <T>(rejected: unknown, thrown: unknown): MonoTypeOperatorFunction<T> =>
  pipe(
    throwIfEmpty(() => thrown),
    tap({
      // Also called when the caller leaves.
      unsubscribe: () => discard(responseIn(rejected)),
    }),
  );
