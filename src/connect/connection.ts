/** One connection, and those that replace it when the token is renewed. */
import {
  catchError,
  concat,
  concatWith,
  defer,
  distinctUntilChanged,
  EMPTY,
  filter,
  finalize,
  ignoreElements,
  isObservable,
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
} from 'rxjs';
import { sameToken } from '../token/accessToken.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import { kindOfRejection } from './ends.js';
import { messagesOf } from './messagesOf.js';
import type { Connect, ConnectSettings } from './options.js';

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

export interface ConnectionContext<T> {
  readonly manager: Pick<TokenManager, 'token$' | 'events$' | 'reject'>;
  readonly connect: Connect<T>;
  readonly settings: ConnectSettings;
  /** A connection is open. */
  readonly onOpen: () => void;
  /** The first message of a connection has come: the server accepted the token. */
  readonly onAccepted: (token: AccessToken) => void;
}

const PROMISE_OF_OBSERVABLE =
  'connect returned a promise of an Observable: return from(promise).pipe(switchMap((stream$) => stream$))';

/** The connection, and those that replace it, until the last one ends: with an error {@link Ended}. */
export function connection<T>(first: AccessToken, context: ConnectionContext<T>): Observable<T> {
  const { manager, connect, settings, onOpen, onAccepted } = context;
  const { onRenewal, isRejection, isFinal } = settings;

  return defer(() => {
    /** What closes each connection that has not ended, the oldest first. */
    const live = new Set<Subject<void>>();
    let announced: AccessToken | undefined;

    const open = (token: AccessToken): Observable<T> => {
      const replaced$ = new Subject<void>();
      // The oldest stays until this one is open. One that is still opening has an older token than this one.
      close([...live].slice(1));
      live.add(replaced$);
      const opened = () => {
        if (!live.has(replaced$)) return;
        const all = [...live];
        close(all.slice(0, all.indexOf(replaced$)));
        onOpen();
      };
      /** The connection itself is closed before this is subscribed to. */
      const ended = (end: unknown): Observable<never> =>
        defer(() => {
          if (live.size === 1 || isFinal(end)) throw new Ended(end, announced ?? token);
          // Another one is open, or will tell how it ended.
          if (isRejection(end)) manager.reject({ token, kind: kindOfRejection(end) });
          return EMPTY;
        });
      const given = connect(token, opened);
      return messagesOf(given).pipe(
        concatWith(throwError(() => null as unknown)),
        catchError(ended),
        map((message, index) => {
          if (isPromise(given) && isObservable(message)) throw new TypeError(PROMISE_OF_OBSERVABLE);
          if (index === 0) {
            opened();
            onAccepted(token);
          }
          return message;
        }),
        takeUntil(replaced$),
        finalize(() => live.delete(replaced$)),
      );
    };

    const renewals$ = renewals(first, manager);
    if (onRenewal === 'keep') return open(first);
    if (onRenewal === 'replace') return concat(of(first), renewals$).pipe(mergeMap(open));
    const announced$ = renewals$.pipe(
      tap((token) => {
        announced = token;
        onRenewal(token);
      }),
      ignoreElements(),
    );
    return merge(open(first), announced$);
  });
}

const close = (connections: readonly Subject<void>[]): void => {
  for (const replaced$ of connections) replaced$.next();
};

const isPromise = (given: unknown): boolean => typeof (given as Partial<PromiseLike<unknown>>).then === 'function';

/** The tokens after `first`. A stream that has no token for now may have one again. */
const renewals = (first: AccessToken, { token$, events$ }: Pick<TokenManager, 'token$' | 'events$'>) => {
  // Begins with `first`: the token that is at hand now counts as a renewal only if it is another one.
  const changed$ = events$.pipe(filter(({ type }) => type === 'tokenChanged'));
  return concat(of(first), token$.pipe(retry({ delay: () => changed$ }))).pipe(
    distinctUntilChanged<AccessToken>(sameToken),
    skip(1),
  );
};
