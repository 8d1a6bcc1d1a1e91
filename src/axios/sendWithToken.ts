/** The way of one axios request: wait for a token, send, and repeat once after a rejection. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { defer, filter, map, takeUntil, tap, type Observable } from 'rxjs';
import { resourceOf } from '../http/destinations.js';
import { isStream } from '../internal/values/isStream.js';
import { callPredicate } from '../internal/values/callPredicate.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { requestWith } from '../token/withToken.js';
import { attemptOf, discardStream, responseOf, sendAttempt } from './attempt.js';
import { interruptionsOf, limitOf } from './interruptions.js';
import { trackRedirects, type RedirectTracker } from './redirects.js';

/**
 * Sends with the latest token; once more with a new one if the server rejects the first, unless the body is gone by
 * then. To be subscribed once.
 *
 * @param config after all interceptors and transformers. @param url absolute
 */
export function sendWithToken(
  token$: TokenStream,
  config: InternalAxiosRequestConfig,
  url: string,
  isRejection: (response: AxiosResponse) => boolean,
): Observable<AxiosResponse> {
  const started = performance.now();
  const elapsed = () => Math.floor(performance.now() - started);
  const method = (config.method ?? 'get').toUpperCase();
  let redirects: RedirectTracker;
  /** Nothing is under way: the request waits for a token. */
  let isWaiting = true;
  /** The answer to the last sending. The next sending comes only after a rejected one. */
  let lastAnswer: AxiosResponse | undefined;
  const discardLastAnswer = () => {
    if (lastAnswer) discardStream(lastAnswer);
  };

  const onAnswer = (outcome: unknown) => {
    isWaiting = true;
    lastAnswer = responseOf(outcome);
  };

  const send = (token: AccessToken): Observable<AxiosResponse> =>
    defer(() => {
      isWaiting = false;
      discardLastAnswer();
      redirects = trackRedirects(url, method, config.beforeRedirect);
      return sendAttempt(attemptOf(config, url, token, redirects, elapsed()), config);
    }).pipe(tap<AxiosResponse>({ next: onAnswer, error: onAnswer }));

  const isRejected = (outcome: unknown): boolean => {
    const response = responseOf(outcome);
    if (!response || !redirects.hadToken(response)) return false;
    try {
      return callPredicate(isRejection, response, 'isRejection');
    } catch (error) {
      discardLastAnswer();
      throw error;
    }
  };

  /** The caller's timeout may have passed while the answer was read. */
  const isRepeatable = (outcome: unknown): boolean =>
    !isStream(config.data) && !redirects.acceptedBefore(responseOf(outcome) ?? {}) && elapsed() < limitOf(config);

  const interrupted$ = interruptionsOf(config, managerOf(token$)).pipe(
    filter(() => isWaiting),
    map((error): never => {
      discardLastAnswer();
      throw error;
    }),
  );
  const rules = { key: resourceOf(method, url), isRejection: isRejected };
  // The notifier never emits: its error ends the stream.
  return requestWith(send, rules, isRepeatable)(token$).pipe(takeUntil(interrupted$));
}
