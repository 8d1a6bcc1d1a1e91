import {
  catchError,
  defer,
  finalize,
  map,
  of,
  retry,
  switchMap,
  take,
  tap,
  throwError,
  throwIfEmpty,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import { discard } from '../internal/discard.js';
import { numbersIn, requireFunctions } from '../internal/validate.js';
import { isExplicit, isRejection as isRejectionByDefault, looksLikeResponse } from './rejection.js';
import { keeperOf } from './tokenStream.js';
import type { AccessToken, TokenStream } from './types.js';

export interface WithTokenOptions {
  /**
   * Tells that a server refused the token, from what `send` emitted or threw. Default: status 401, or 403 unless the
   * challenge says `insufficient_scope`; emitted values count only if they look like a Response.
   */
  isRejection?: (outcome: unknown) => boolean;
  /** Names the resource, e.g. `GET /orders`: one that refuses fresh tokens too is not worth another refresh. Default none: no memory. */
  key?: string;
  /** Waits at most this many ms for a usable token. >= 0. Default: the stream's `maxWait`. */
  maxWait?: number;
}

/** A rejection that was emitted, on its way to the retry notifier as an error. */
class Refusal extends Error {
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
 * keeps its identity. Unsubscribing cancels the request, never the refresh that others may be waiting for.
 *
 * ```ts
 * const orders$ = withToken(token$, (token) =>
 *   ajax.getJSON('https://api.example.com/orders', { Authorization: `${token.type} ${token.value}` }));
 * ```
 *
 * @param send called with the token, at most twice for each subscription
 * @returns a cold Observable of what `send` yields
 * @throws TypeError if `token$` was not made by `createTokenStream`. The Observable errors with
 *   {@link TokenUnavailableError} when no usable token comes within `maxWait`, {@link TokenStreamClosedError} after `close()`.
 */
export function withToken<T>(
  token$: TokenStream,
  send: (token: AccessToken) => ObservableInput<T>,
  options: WithTokenOptions = {},
): Observable<T> {
  const keeper = keeperOf(token$);
  const { key, isRejection } = options;
  const { maxWait } = numbersIn(options, { maxWait: [0, Infinity] });
  requireFunctions({ isRejection });
  if (typeof send !== 'function') throw new TypeError('withToken takes a function that sends a request with a token');
  const refusesThrown = isRejection ?? isRejectionByDefault;
  const refusesEmitted = isRejection ?? ((value) => looksLikeResponse(value) && isRejectionByDefault(value));

  return defer(() => {
    let next$ = keeper.take(maxWait);
    let used: AccessToken | undefined;
    let settle: ((refused: boolean) => void) | undefined;

    return defer(() => next$).pipe(
      take(1),
      switchMap((token) => send((used = token))),
      map((value) => {
        if (refusesEmitted(value)) throw new Refusal(value);
        settle?.(false);
        return value;
      }),
      retry({
        count: 1,
        delay: (outcome: unknown) => {
          const answer = outcome instanceof Refusal ? outcome.answer : outcome;
          if (!used || (answer === outcome && !refusesThrown(outcome))) throw outcome;
          return keeper.recover({ token: used, explicit: isExplicit(answer), key }, maxWait).pipe(
            throwIfEmpty(() => outcome),
            tap((token) => {
              if (looksLikeResponse(answer)) discard(answer as Response);
              // RxJS repeats once this round of answers is over: someone in it may have seen the new token refused as well.
              next$ = defer(() => (keeper.wasRefused(token) ? keeper.take(maxWait) : of(token)));
              settle = keeper.fruitless.repeat(key);
            }),
          );
        },
      }),
      catchError((outcome: unknown) => {
        settle?.(outcome instanceof Refusal || refusesThrown(outcome));
        return outcome instanceof Refusal ? of(outcome.answer as T) : throwError(() => outcome);
      }),
      finalize(() => settle?.(false)),
    );
  });
}
