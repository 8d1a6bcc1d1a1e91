/** Calls the source, or the store before it, for one answer. */
import {
  AsyncSubject,
  catchError,
  defer,
  EMPTY,
  map,
  Observable,
  of,
  switchMap,
  take,
  tap,
  throwError,
  throwIfEmpty,
} from 'rxjs';
import { permanentError } from '../../answers/permanentError.js';
import { isFetchResponse, noTokenError, readFetchResponse } from '../../answers/tokenResponse.js';
import { captureContext } from '../../internal/async/callerContext.js';
import { ORIGINAL } from '../../internal/hiddenMembers.js';
import { kindOf } from '../../internal/values/kindOf.js';
import { asObservable } from '../../internal/async/observableOf.js';
import type { Timers } from '../../internal/time/timers.js';
import type { Settings } from '../options.js';
import type { SourceResult } from '../decisions/receivedToken.js';
import type { StoredToken } from '../tokenStore.js';
import type { TokenRequest, TokenResponse, TokenSource } from '../types.js';

type Place = 'source' | 'store';

/**
 * Errors the fetch when the limit is over. Each limit takes the place of the one before: with a store there is one for
 * what it does before its fetch, one for the fetch, and one for what it does then.
 */
export type SetTimeLimit = (ms: number, place: Place) => void;

/** The body of a response that failed is waited for this long. Milliseconds. */
const FAILED_BODY_TIMEOUT = 2000;

/** Before its own fetch a store may wait for another stream's, and then until that one counts as dead: two timeouts. */
const STORE_WAIT = 2;

/** The sum of the time limits: a store's before its fetch, the fetch's, and the store's after it. */
export const longestFetch = ({ fetchTimeout, store }: Settings): number =>
  fetchTimeout * (store ? STORE_WAIT + 1 + 1 : 1);

export function createSourceCaller(source: TokenSource, { fetchTimeout, store }: Settings, timers: Timers) {
  const runInContext = captureContext();
  let isCallingSource = false;

  /** Asks for one value, in the async context (AsyncLocalStorage) in which the stream was made. */
  const callIn = <T>(place: Place, request: TokenRequest, ask: () => unknown) =>
    new Observable<T>((subscriber) => {
      // A synchronous answer is delivered after that is left, and `isCallingSource` is false: otherwise requests that
      // it causes would count as the source's.
      const answer = new AsyncSubject<T>();
      isCallingSource = place === 'source';
      const asking = runInContext(() =>
        defer(() => readReturned<T>(place, ask()))
          .pipe(take(1), throwIfEmpty(noTokenError))
          .subscribe(answer),
      );
      isCallingSource = false;
      subscriber.add(() => {
        try {
          asking.unsubscribe();
        } catch (error) {
          // What a teardown throws would end those who listen to the token.
          request.report?.(error);
        }
      });
      return answer.subscribe(subscriber);
    });

  const sourceResponse = (request: TokenRequest, setTimeLimit: SetTimeLimit): Observable<TokenResponse> =>
    defer(() => {
      setTimeLimit(fetchTimeout, 'source');
      const answer$ = callIn<TokenResponse | Response>('source', request, () => source(request));
      return readIfResponse(answer$, timers.after(Math.min(FAILED_BODY_TIMEOUT, fetchTimeout / 2)));
    });

  return {
    isCallingSource: () => isCallingSource,
    /** The answer of the store, which decides whether this stream fetches; without one, that of the source. */
    resultFor: (request: TokenRequest, setTimeLimit: SetTimeLimit): Observable<SourceResult> => {
      const response$ = sourceResponse(request, setTimeLimit);
      if (!store) return response$.pipe(map((response) => ({ response, origin: 'fetched' })));
      setTimeLimit(STORE_WAIT * fetchTimeout, 'store');
      const fetchForStore = (last?: TokenResponse | null) => {
        if (last !== undefined) giveLast(request, last);
        // The stream may have given this request up before the store fetches.
        return defer(() => (request.signal.aborted ? EMPTY : response$)).pipe(
          tap(() => setTimeLimit(fetchTimeout, 'store')),
        );
      };
      return callIn<StoredToken>('store', request, () => store.refresh(request, fetchForStore)).pipe(tap(checkStored));
    },
  };
}

/** @throws a permanent error: it is a mistake in a source or a store of the user's */
function refuse(place: Place, returned: unknown, wanted: string): never {
  throw permanentError(`the token ${place} returned ${kindOf(returned)}, not ${wanted}`);
}

const readReturned = <T>(place: Place, returned: unknown): Observable<T> =>
  (asObservable(returned) as Observable<T> | undefined) ??
  refuse(place, returned, 'a Promise (make it async) or an Observable');

const checkStored = (stored: StoredToken): unknown =>
  'response' in Object(stored) || refuse('store', stored, '{ response, age, origin }');

/** Reads what may be a Response of fetch. @param late$ see `readFetchResponse` */
const readIfResponse = (answer$: Observable<TokenResponse | Response>, late$: Observable<unknown>) =>
  answer$.pipe(
    // `if (!response.ok) throw response`
    catchError((error: unknown) => (isFetchResponse(error) ? of(error) : throwError(() => error))),
    switchMap((answer) => (isFetchResponse(answer) ? readFetchResponse(answer, late$) : of(answer))),
  );

/** Gives the source what the store keeps. Configurable: a store may fetch twice. */
function giveLast(request: TokenRequest, last: TokenResponse | null): void {
  Object.defineProperties(request, {
    last: { value: last, configurable: true },
    [ORIGINAL]: { value: () => request, configurable: true, enumerable: true },
  });
}
