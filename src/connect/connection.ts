/** One connection, and those that replace it when the token is renewed. */
import {
  BehaviorSubject,
  catchError,
  combineLatest,
  concatWith,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  finalize,
  first,
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
import { subscribedIn, type RunInContext } from '../internal/callerContext.js';
import { ignoreRejection } from '../internal/ignoreRejection.js';
import { observableOf } from '../internal/observableOf.js';
import { sameToken } from '../token/accessToken.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
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
  { accepted, current, events$, reject, now, token$ }: TokenManager,
  connect: Connect<T>,
  { onRenewal, isRejection, isFinal }: ConnectSettings,
  runInContext: RunInContext,
  onEnd: (end: ConnectionEnd) => void,
): Observable<T> {
  return defer(() => {
    const last$ = new Subject<void>();
    const wasCurrent = sameToken(current(), taken);
    const openedAt$ = new BehaviorSubject(Infinity);
    let hasMessage = false;
    let announced: AccessToken | undefined;
    /** What closes the connection in use, and the one that is opening in its place. */
    let inUse: Subject<void> | undefined;
    let successor: Subject<void> | undefined;

    const open = (token: AccessToken): Observable<T> => {
      const close$ = new Subject<void>();
      // A newer token: a successor that is still opening is given up.
      successor?.next();
      if (inUse) successor = close$;
      else inUse = close$;
      const opened = () => {
        if (close$ !== inUse && close$ !== successor) return;
        if (close$ === successor) inUse?.next();
        openedAt$.next(Math.min(openedAt$.value, now()));
      };
      /** The connection itself is closed before this is subscribed to. */
      const ended = (reason: unknown): Observable<never> =>
        defer(() => {
          const told = announced ?? token;
          const isTokenOver = wasCurrent && !sameToken(current(), told);
          const end = { reason, token: told, isTokenOver, hasMessage, openFor: now() - openedAt$.value };
          // While another one opens in its place, the old one may end with anything: the server may allow one only.
          const isLast = !successor || (close$ === successor && isFinal(reason));
          if (isLast) {
            onEnd(end);
            last$.next();
          } else if (isRejection(reason)) reject(rejectionOf(end)); // Nothing else asks for another token.
          return EMPTY;
        });
      const given = runInContext(() => connect(token, opened));
      return subscribedIn(runInContext, messagesOf(given)).pipe(
        concatWith(throwError(() => null as unknown)),
        catchError(ended),
        map((message, index) => {
          if (isObservable(message) && 'then' in given) throw new TypeError(PROMISE_OF_OBSERVABLE);
          hasMessage = true;
          if (index === 0) {
            opened();
            accepted(token, () => undefined);
          }
          return message;
        }),
        takeUntil(close$),
        finalize(() => {
          if (close$ === inUse) inUse = successor;
          successor = undefined;
        }),
      );
    };

    if (onRenewal === 'keep') return open(taken);
    const tokens$ = token$.pipe(
      // A stream that has no token for now may have one again.
      retry({ delay: () => events$.pipe(filter(({ type }) => type === 'tokenChanged')) }),
      startWith(taken),
      distinctUntilChanged<AccessToken>(sameToken),
    );
    if (onRenewal === 'replace') return tokens$.pipe(mergeMap(open), takeUntil(last$));
    // Nothing can be sent over a connection that is still opening.
    const isOpen$ = openedAt$.pipe(first((openedAt) => openedAt < Infinity));
    const announced$ = combineLatest([tokens$.pipe(skip(1)), isOpen$]).pipe(
      mergeMap(([token]) => Promise.resolve(runInContext(() => onRenewal((announced = token))))),
      ignoreElements(),
    );
    return merge(open(taken), announced$).pipe(takeUntil(last$));
  });
}

/** What `connect` returned, as an Observable whose teardown closes it. */
function messagesOf<T>(given: ObservableInput<T>): Observable<T> {
  if (isObservable(given) || !(Symbol.asyncIterator in Object(given))) return observableOf(given, 'connect');
  // RxJS leaves an async iterable at its next value only. A silent connection has none.
  const iterator = (given as AsyncIterable<T>)[Symbol.asyncIterator]();
  return from({ [Symbol.asyncIterator]: () => iterator }).pipe(finalize(() => ignoreRejection(iterator.return?.())));
}
