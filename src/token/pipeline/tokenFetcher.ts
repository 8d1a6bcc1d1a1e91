/** Fetches one token within the time limit: makes the request and its signal, and ends them. */
import { map, Observable, Subscription } from 'rxjs';
import { TokenFetchTimeoutError } from '../../errors.js';
import { fetcherBehind, headStartOf, markSignal } from '../../internal/hiddenMembers.js';
import { timeLimit, type Timers } from '../../internal/time/timers.js';
import type { Settings } from '../options.js';
import type { SourceResult } from '../decisions/receivedToken.js';
import { createSourceCaller, type SetTimeLimit } from './sourceCaller.js';
import { respondingSource, type SourceHooks } from '../sourceHooks.js';
import type { TokenRequest, TokenSource } from '../types.js';

type AboutRequest = Pick<TokenRequest, 'reason' | 'attempt' | 'previous'>;
type Report = (failure: unknown) => void;

export function createTokenFetcher(source: TokenSource, settings: Settings, timers: Timers) {
  const { resultFor, isCallingSource } = createSourceCaller(source, settings, timers);
  let pending: TokenRequest | undefined;

  const fetchToken = (about: AboutRequest, report: Report): Observable<SourceResult> =>
    new Observable((subscriber) => {
      // A `refreshStarted` listener may have called `close()` or `signOut()`.
      if (subscriber.closed) return;
      let isAnswered = false;
      // What the source reported last: the cause, if the time limit ends the fetch.
      let reported: ErrorOptions | undefined;
      const { request, abort } = createRequest(about, fetchToken, (failure) => {
        reported = { cause: failure };
        report(failure);
      });
      let limit = Subscription.EMPTY;
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
        if (!isAnswered) abort();
      });
      const result$ = resultFor(request, setTimeLimit).pipe(
        map((result) => {
          isAnswered = true;
          return result.origin === 'fetched' ? fetchedResult(result, request, source as SourceHooks) : result;
        }),
      );
      result$.subscribe(subscriber);
    });

  return {
    fetch: fetchToken,
    /** The signal of the fetch under way. */
    pending: (): AbortSignal | undefined => pending?.signal,
    /**
     * Whether a request made now, with this signal, is part of fetching a token, and so needs no token itself: the
     * source is being called, or the signal is that of its request.
     */
    isOfSource: (signal?: AbortSignal | null): boolean => isCallingSource() || fetcherBehind(signal) === fetchToken,
  };
}

/** What the source gets. @param fetcher marks the signal: a client sends requests with it without a token */
function createRequest(about: AboutRequest, fetcher: object, report: Report) {
  let controller: AbortController | undefined;
  let isAborted = false;
  // Made when it is first read: making one takes longer than the rest of a renewal.
  const signal = (): AbortSignal => {
    if (controller) return controller.signal;
    controller = new AbortController();
    if (isAborted) controller.abort();
    return markSignal(controller.signal, fetcher);
  };
  return {
    request: Object.defineProperties({ ...about } as TokenRequest, {
      // A getter, so that a spread, a Proxy and an object that inherits from the request get it, too.
      signal: { enumerable: true, configurable: true, get: signal },
      // Not enumerable: a log of the request does not print it.
      report: { value: report },
    }),
    abort: (): void => {
      isAborted = true;
      controller?.abort();
    },
  };
}

/** Adds which source gave the response, and by how much earlier its exchange was sent. */
function fetchedResult(result: SourceResult, request: TokenRequest, source: SourceHooks): SourceResult {
  // By name: a store may hand out an object of a class, whose getters a spread does not copy.
  const { response, age, origin } = result;
  return { response, age, origin, headStart: headStartOf(request), source: respondingSource(response, source) };
}
