import {
  catchError,
  concat,
  concatWith,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  finalize,
  from,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  retry,
  skip,
  Subject,
  takeUntil,
  tap,
  throwError,
  type Observable,
  type ObservableInput,
  type Observer,
} from 'rxjs';
import { sameToken } from '../token/accessToken.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import { kindOfRejection } from './ends.js';
import type { ConnectSettings } from './options.js';

/**
 * Opens one connection.
 *
 * @param opened says that the connection is open. Without it, its first message says so.
 */
export type Connect<T> = (token: AccessToken, opened: () => void) => ObservableInput<T>;

/** How a connection ended, on its way to the retry notifier as an error. A mistake in the user's code is not one. */
export class Ended extends Error {
  constructor(
    /** What the connection failed with, or null if it completed. */
    readonly end: unknown,
    readonly token: AccessToken,
  ) {
    super();
  }
}

export interface ConnectionHost<T> {
  readonly manager: Pick<TokenManager, 'token$' | 'events$' | 'reject'>;
  readonly connect: Connect<T>;
  readonly settings: ConnectSettings;
  /** Is told that a connection is open. */
  readonly opened$: Observer<void>;
  /** The first message of a connection has come: the server accepted the token. */
  readonly onAccepted: (token: AccessToken) => void;
}

/** The connection, and those that replace it, until the last one ends: with an error {@link Ended}. */
export function connection<T>(first: AccessToken, host: ConnectionHost<T>): Observable<T> {
  const { manager, settings } = host;
  const { onRenewal, isRejection, isFinal } = settings;
  if (onRenewal === 'keep') return open(first, host);
  if (onRenewal === 'replace') return defer(replaced);
  return defer(() => told(onRenewal));

  function told(tell: (token: AccessToken) => void): Observable<T> {
    let bearer = first;
    const telling$ = renewals(first, manager).pipe(
      tap((token) => {
        bearer = token;
        tell(token);
      }),
      ignoreElements(),
    );
    return merge(open(first, host, { bearer: () => bearer }), telling$);
  }

  function replaced(): Observable<T> {
    const opened$ = new Subject<number>();
    let live = 0;
    return concat(of(first), renewals(first, manager)).pipe(
      mergeMap((token, index) => {
        live++;
        const onOpen = () => {
          opened$.next(index);
        };
        return open(token, host, { onOpen }).pipe(
          catchError((thrown: unknown) => {
            if (live === 1 || !(thrown instanceof Ended) || isFinal(thrown.end)) return throwError(() => thrown);
            // Another one is open, or will tell how it ended.
            if (isRejection(thrown.end)) manager.reject({ token, kind: kindOfRejection(thrown.end) });
            return EMPTY;
          }),
          finalize(() => live--),
          takeUntil(opened$.pipe(filter((newer) => newer > index))),
        );
      }),
    );
  }
}

/** One connection. Whatever `connect` throws by itself passes as it is. */
function open<T>(
  token: AccessToken,
  { connect, opened$, onAccepted }: ConnectionHost<T>,
  { bearer = () => token, onOpen }: { bearer?: () => AccessToken; onOpen?: () => void } = {},
): Observable<T> {
  return defer(() => {
    let isOpen = false;
    const opened = () => {
      if (isOpen) return;
      isOpen = true;
      onOpen?.();
      opened$.next();
    };
    return from(connect(token, opened)).pipe(
      map((message, index) => {
        opened();
        if (index === 0) onAccepted(token);
        return message;
      }),
      catchError((end: unknown) => throwError(() => new Ended(end, bearer()))),
      concatWith(throwError(() => new Ended(null, bearer()))),
    );
  });
}

/** The tokens after `first`. A stream that has no token for now may have one again. */
const renewals = (first: AccessToken, { token$, events$ }: Pick<TokenManager, 'token$' | 'events$'>) => {
  const changed$ = events$.pipe(filter(({ type }) => type === 'tokenChanged'));
  return concat(of(first), token$.pipe(retry({ delay: () => changed$ }))).pipe(
    distinctUntilChanged<AccessToken>(sameToken),
    skip(1),
  );
};
