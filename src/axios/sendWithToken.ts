import { getAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { catchError, defer, filter, from, map, takeUntil, tap, throwError, type Observable } from 'rxjs';
import { resourceOf } from '../http/destinations.js';
import { isStream } from '../internal/isStream.js';
import { callPredicate } from '../internal/callPredicate.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { requestWith } from '../token/withToken.js';
import { attemptOf, discard, responseOf } from './attempt.js';
import { interruptionsOf, timeoutAsGiven } from './interruptions.js';
import { redact } from './redact.js';
import { trackRedirects } from './redirects.js';

/** One request, after all interceptors and transformers. */
export interface PreparedRequest {
  readonly config: InternalAxiosRequestConfig;
  /** Absolute. */
  readonly url: string;
  readonly isRejection: (response: AxiosResponse) => boolean;
}

/** Sends one request, perhaps twice. */
interface Sender {
  readonly send: (token: AccessToken) => Observable<AxiosResponse>;
  /** Whether the token that was sent last was rejected. */
  readonly isRejected: (outcome: unknown) => boolean;
  /** Whether what was sent may be sent again. */
  readonly isRepeatable: (outcome: unknown) => boolean;
  /** Whether nothing is under way: the request waits for a token. */
  readonly isWaiting: () => boolean;
  /** Frees the connection of the last answer, which the caller does not get. */
  readonly discardJudged: () => void;
}

/**
 * Sends with the latest token; once more with a new one if the server rejects the first, unless the body is gone by
 * then.
 */
export function sendWithToken(token$: TokenStream, request: PreparedRequest): Observable<AxiosResponse> {
  const { config, url } = request;
  const { timers } = managerOf(token$);
  const key = resourceOf(methodOf(config), url);
  return defer(() => {
    const { send, isRejected, isRepeatable, isWaiting, discardJudged } = senderOf(request);
    const answer$ = requestWith(send, { key, isRejection: isRejected }, isRepeatable)(token$);
    const interrupted$ = interruptionsOf(config, timers).pipe(
      filter(isWaiting),
      map((error): never => {
        discardJudged();
        throw error;
      }),
    );
    return answer$.pipe(takeUntil(interrupted$));
  });
}

const methodOf = ({ method = 'get' }: InternalAxiosRequestConfig): string => method.toUpperCase();

function senderOf({ config, url, isRejection }: PreparedRequest): Sender {
  const started = performance.now();
  const track = () => trackRedirects(url, methodOf(config), config.beforeRedirect);
  const discardJudged = () => {
    if (judged) discard(judged);
  };
  let waiting = true;
  /** The last answer that was judged. The next sending comes only after a rejected one. */
  let judged: AxiosResponse | undefined;
  let redirects = track();

  /** One sending by axios' own adapter. */
  const exchange = (attempt: InternalAxiosRequestConfig): Observable<AxiosResponse> =>
    from(getAdapter(config.adapter, attempt)(attempt) as Promise<AxiosResponse>).pipe(
      catchError((error: unknown) => throwError(() => timeoutAsGiven(error, attempt, config))),
    );

  const send = (token: AccessToken): Observable<AxiosResponse> =>
    defer(() => {
      waiting = false;
      discardJudged();
      redirects = track();
      return exchange(attemptOf(config, url, token, redirects, Math.floor(performance.now() - started)));
    }).pipe(
      map((response) => redact(response, config)),
      catchError((error: unknown) => throwError(() => redact(error, config))),
      tap({ next: () => (waiting = true), error: () => (waiting = true) }),
    );

  const isRejected = (outcome: unknown): boolean => {
    const response = responseOf(outcome);
    if (!response || !redirects.hadToken(response)) return false;
    judged = response;
    try {
      return callPredicate(isRejection, response, 'isRejection');
    } catch (error) {
      discardJudged();
      throw error;
    }
  };

  const isRepeatable = (outcome: unknown): boolean =>
    !isStream(config.data) && !redirects.wasAccepted(responseOf(outcome) ?? {});

  return { send, isRejected, isRepeatable, isWaiting: () => waiting, discardJudged };
}
