/** One connection, and those that replace it when the token is renewed. */
import {
  catchError,
  combineLatest,
  concatWith,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  finalize,
  from,
  ignoreElements,
  isObservable,
  map,
  merge,
  mergeMap,
  retry,
  skip,
  startWith,
  Subject,
  takeUntil,
  throwError,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import { subscribedIn, type RunInContext } from '../internal/async/callerContext.js';
import { ignoreRejection } from '../internal/async/ignoreRejection.js';
import { observableOf } from '../internal/async/observableOf.js';
import { sameToken } from '../token/decisions/accessToken.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import { ConnectionState } from './connectionState.js';
import { rejectionOf, type ConnectionEnd } from './ends.js';
import type { Connect, ConnectSettings } from './options.js';

const PROMISE_OF_OBSERVABLE =
  'connect returned a promise of an Observable: return from(promise).pipe(switchMap((stream$) => stream$))';

/**
 * The connection, and those that replace it, until the last one ends. It fails only with a mistake in the user's code.
 *
 * @param runInContext the context of the caller: a renewal, and the end of a connection, come in another one
 * @param onEnd is told how the last one has ended, before this completes
 */
export function connection<T>(
  taken: AccessToken,
  manager: TokenManager,
  connect: Connect<T>,
  { onRenewal, isRejection, isFinal }: ConnectSettings,
  runInContext: RunInContext,
  onEnd: (end: ConnectionEnd) => void,
): Observable<T> {
  return defer(() => {
    const state = new ConnectionState(taken, manager);
    const last$ = new Subject<void>();

    const open = (token: AccessToken): Observable<T> => {
      const close$ = state.begin();
      const opened = () => state.opened(close$);
      /** The connection itself is closed before this is subscribed to. */
      const ended = (reason: unknown): Observable<never> =>
        defer(() => {
          const end = state.endOf(reason, token);
          if (state.isLast(close$, () => isFinal(reason))) {
            onEnd(end);
            last$.next();
          } else if (isRejection(reason)) manager.reject(rejectionOf(end)); // Nothing else asks for another token.
          return EMPTY;
        });
      const given = runInContext(() => connect(token, opened));
      return subscribedIn(runInContext, messagesOf(given)).pipe(
        concatWith(throwError(() => null as unknown)),
        catchError(ended),
        map((message, index) => {
          if (isObservable(message) && 'then' in given) throw new TypeError(PROMISE_OF_OBSERVABLE);
          state.hasMessage = true;
          if (index === 0) {
            opened();
            manager.accepted(token, () => undefined);
          }
          return message;
        }),
        takeUntil(close$),
        finalize(() => state.closed(close$)),
      );
    };

    if (onRenewal === 'keep') return open(taken);
    const tokens$ = tokensFrom(taken, manager);
    if (onRenewal === 'replace') return tokens$.pipe(mergeMap(open), takeUntil(last$));
    // Nothing can be sent over a connection that is still opening.
    const announced$ = combineLatest([tokens$.pipe(skip(1)), state.isOpen$]).pipe(
      mergeMap(([token]) => Promise.resolve(runInContext(() => onRenewal((state.announced = token))))),
      ignoreElements(),
    );
    return merge(open(taken), announced$).pipe(takeUntil(last$));
  });
}

/** The token, then each one that replaces it. */
const tokensFrom = (taken: AccessToken, { token$, events$ }: TokenManager): Observable<AccessToken> =>
  token$.pipe(
    // A stream that has no token for now may have one again.
    retry({ delay: () => events$.pipe(filter(({ type }) => type === 'tokenChanged')) }),
    startWith(taken),
    distinctUntilChanged<AccessToken>(sameToken),
  );

/** What `connect` returned, as an Observable whose teardown closes it. */
function messagesOf<T>(given: ObservableInput<T>): Observable<T> {
  const isStream = 'getReader' in Object(given);
  if (isObservable(given) || !(isStream || Symbol.asyncIterator in Object(given)))
    return observableOf(given, 'connect');
  // RxJS leaves an async iterable at its next value only. A silent connection has none.
  const iterator = isStream
    ? iteratorOf((given as ReadableStream<T>).getReader())
    : (given as AsyncIterable<T>)[Symbol.asyncIterator]();
  return from({ [Symbol.asyncIterator]: () => iterator }).pipe(finalize(() => ignoreRejection(iterator.return?.())));
}

/** By its own iterator, a stream would be closed at its next value only. */
const iteratorOf = <T>(reader: ReadableStreamDefaultReader<T>) =>
  ({ next: () => reader.read(), return: () => reader.cancel() }) as unknown as AsyncIterator<T>;
