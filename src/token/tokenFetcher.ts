/** Asks the source, or the store before it, for one token within the time limit. */
import {
  AsyncSubject,
  catchError,
  defer,
  EMPTY,
  map,
  Observable,
  of,
  Subscription,
  switchMap,
  take,
  tap,
  throwError,
  throwIfEmpty,
  type ObservableInput,
} from 'rxjs';
import { TokenFetchTimeoutError } from '../errors.js';
import { asObservable } from '../internal/observableOf.js';
import { captureContext } from '../internal/callerContext.js';
import { kindOf } from '../internal/kindOf.js';
import { fetcherBehind, headStartOf, markSignal, ORIGINAL } from '../internal/hiddenMembers.js';
import { timeLimit, type Timers } from '../internal/timers.js';
import type { Settings } from './options.js';
import type { SourceResult } from './receivedToken.js';
import { permanentError } from '../answers/permanentError.js';
import { giverOf, type SourceHooks } from './sourceHooks.js';
import { isFetchResponse, noTokenError, readFetchResponse } from '../answers/tokenResponse.js';
import type { TokenRequest, TokenResponse, TokenSource } from './types.js';

/** Errors the fetch when the limit is over. Each limit takes the place of the one before. */
type SetTimeLimit = (ms: number, place: 'source' | 'store') => void;

/** The body of a response that failed is waited for this long. Milliseconds. */
const FAILED_BODY_TIMEOUT = 2000;

/** Before its own fetch a store may wait for another stream's, and then until that one counts as dead: two timeouts. */
const STORE_WAIT = 2;

/** The sum of the time limits: a store's before the one fetch that it makes, the fetch's, and the store's after it. */
export const longestFetch = ({ fetchTimeout, store }: Settings): number =>
  fetchTimeout * (store ? STORE_WAIT + 1 + 1 : 1);

export function createTokenFetcher(source: TokenSource, settings: Settings, timers: Timers) {
  const { resultFor, isCallingSource } = createSourceCaller(source, settings, timers);
  let pending: TokenRequest | undefined;

  const fetchToken = (
    about: Pick<TokenRequest, 'reason' | 'attempt' | 'previous'>,
    report: (failure: unknown) => void,
  ): Observable<SourceResult> =>
    new Observable((subscriber) => {
      // A `refreshStarted` listener may have called `close()` or `signOut()`.
      if (subscriber.closed) return;
      let controller: AbortController | undefined;
      let isAnswered = false;
      // What the source reported last: the cause, if the time limit ends the fetch.
      let reported: ErrorOptions | undefined;
      let limit = Subscription.EMPTY;
      // Made when it is first read: making one takes longer than the rest of a renewal.
      const signalOf = () => {
        if (controller) return controller.signal;
        controller = new AbortController();
        if (subscriber.closed && !isAnswered) controller.abort();
        return markSignal(controller.signal, fetchToken);
      };
      const reportBySource = (failure: unknown) => {
        reported = { cause: failure };
        report(failure);
      };
      const request = Object.defineProperties({ ...about } as TokenRequest, {
        // A getter, so that a spread, a Proxy and an object that inherits from the request get it, too.
        signal: { enumerable: true, configurable: true, get: signalOf },
        // Not enumerable: a log of the request does not print it.
        report: { value: reportBySource },
      });
      const setTimeLimit: SetTimeLimit = (ms, place) => {
        limit.unsubscribe();
        limit = timeLimit(timers, ms).subscribe(() => {
          const message = `no answer from the token ${place} within ${String(ms)} ms`;
          subscriber.error(new TokenFetchTimeoutError(message, reported));
        });
      };
      pending = request;
      subscriber.add(() => {
        limit.unsubscribe();
        pending = undefined;
        if (!isAnswered) controller?.abort();
      });
      const result$ = resultFor(request, setTimeLimit).pipe(
        map((result) => {
          isAnswered = true;
          // By name: a store may hand out an object of a class, whose getters a spread does not copy.
          const { response, age, origin } = result;
          return origin === 'fetched'
            ? {
                response,
                age,
                origin,
                headStart: headStartOf(request),
                giver: giverOf(response, source as SourceHooks),
              }
            : result;
        }),
      );
      result$.subscribe(subscriber);
    });

  return {
    fetch: fetchToken,
    /** The signal of the fetch under way. */
    pending: (): AbortSignal | undefined => pending?.signal,
    /** Whether a request made now, with this signal, is part of fetching a token, and so needs no token itself. */
    isOfSource: (signal?: AbortSignal | null): boolean => isCallingSource() || fetcherBehind(signal) === fetchToken,
  };
}

function createSourceCaller(source: TokenSource, { fetchTimeout, store }: Settings, timers: Timers) {
  const runInContext = captureContext();
  const bodyTimeout = Math.min(FAILED_BODY_TIMEOUT, fetchTimeout / 2);
  let isCallingSource = false;

  /** Asks for one value, in the async context (AsyncLocalStorage) in which the stream was made. */
  const callIn = <T>(
    place: 'source' | 'store',
    { report }: TokenRequest,
    input: () => ObservableInput<T>,
  ): Observable<T> =>
    new Observable((subscriber) => {
      // A synchronous answer is delivered after that is left, and `isCallingSource` is false: otherwise requests that
      // it causes would count as the source's.
      const answer = new AsyncSubject<T>();
      isCallingSource = place === 'source';
      const asking = runInContext(() => defer(input).pipe(take(1)).subscribe(answer));
      isCallingSource = false;
      subscriber.add(() => {
        try {
          asking.unsubscribe();
        } catch (error) {
          // What a teardown throws would end those who listen to the token.
          report?.(error);
        }
      });
      return answer.subscribe(subscriber);
    });

  const sourceResponse = (request: TokenRequest, setTimeLimit: SetTimeLimit): Observable<TokenResponse> =>
    defer(() => {
      setTimeLimit(fetchTimeout, 'source');
      return callIn('source', request, () => readReturned(source(request))).pipe(
        // `if (!response.ok) throw response`
        catchError((error: unknown) => (isFetchResponse(error) ? of(error) : throwError(() => error))),
        switchMap((answer) =>
          isFetchResponse(answer) ? readFetchResponse(answer, timers.after(bodyTimeout)) : of(answer),
        ),
        throwIfEmpty(noTokenError),
      );
    });

  return {
    isCallingSource: () => isCallingSource,
    /** The answer of the store, which decides whether this stream fetches; without one, that of the source. */
    resultFor: (request: TokenRequest, setTimeLimit: SetTimeLimit): Observable<SourceResult> => {
      const response$ = sourceResponse(request, setTimeLimit);
      if (!store) return response$.pipe(map((response) => ({ response, origin: 'fetched' })));
      setTimeLimit(STORE_WAIT * fetchTimeout, 'store');
      const fetchForStore = (last?: TokenResponse | null) => {
        // Configurable: a store may fetch twice.
        if (last !== undefined)
          Object.defineProperties(request, {
            last: { value: last, configurable: true },
            [ORIGINAL]: { value: () => request, configurable: true, enumerable: true },
          });
        // The stream may have given this request up before the store fetches.
        return defer(() => (request.signal.aborted ? EMPTY : response$)).pipe(
          tap(() => {
            setTimeLimit(fetchTimeout, 'store');
          }),
        );
      };
      return callIn('store', request, () => store.refresh(request, fetchForStore)).pipe(throwIfEmpty(noTokenError));
    },
  };
}

function readReturned(returned: unknown): Observable<TokenResponse | Response> {
  const answer$ = asObservable(returned) as Observable<TokenResponse | Response> | undefined;
  if (answer$) return answer$;
  throw permanentError(
    `the token source returned ${kindOf(returned)}, not a Promise (make it async) or an Observable of a token response`,
  );
}
