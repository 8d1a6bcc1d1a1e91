import { getAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { catchError, defer, filter, from, map, switchMap, takeUntil, tap, throwError, type Observable } from 'rxjs';
import { resourceOf } from '../http/destinations.js';
import { isStream } from '../internal/isStream.js';
import { callPredicate, kindOfRejection } from '../token/isRejection.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { withToken } from '../token/withToken.js';
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
  /** Whether the token that was sent last was refused. */
  readonly isRefused: (outcome: unknown) => boolean;
  /** Whether nothing is under way: the request waits for a token. */
  readonly isWaiting: () => boolean;
}

/** Sends with the latest token; once more with a new one if the server refuses the first, unless the body is gone by then. */
export function sendWithToken(token$: TokenStream, request: PreparedRequest): Observable<AxiosResponse> {
  const { config, url } = request;
  const key = resourceOf((config.method ?? 'get').toUpperCase(), url);
  return defer(() => {
    const { send, isRefused, isWaiting } = senderOf(request);
    const answer$ = isStream(config.data)
      ? sendOnce(token$, key, send, isRefused)
      : withToken(token$, send, { key, isRejection: isRefused });
    const interrupted$ = interruptionsOf(config, managerOf(token$).timers).pipe(
      filter(isWaiting),
      map((error): never => {
        throw error;
      }),
    );
    return answer$.pipe(takeUntil(interrupted$));
  });
}

function senderOf({ config, url, isRejection }: PreparedRequest): Sender {
  const started = performance.now();
  let waiting = true;
  let refused: AxiosResponse | undefined;
  let redirects = trackRedirects(url, config.beforeRedirect);

  /** One sending by axios' own adapter. */
  const exchange = (attempt: InternalAxiosRequestConfig): Observable<AxiosResponse> =>
    from(getAdapter(config.adapter, attempt)(attempt) as Promise<AxiosResponse>).pipe(
      catchError((error: unknown) => throwError(() => timeoutAsGiven(error, attempt, config))),
    );

  const send = (token: AccessToken): Observable<AxiosResponse> =>
    defer(() => {
      waiting = false;
      if (refused) discard(refused);
      redirects = trackRedirects(url, config.beforeRedirect);
      return exchange(attemptOf(config, url, token, redirects, Math.floor(performance.now() - started)));
    }).pipe(
      map((response) => redact(response, config)),
      catchError((error: unknown) => throwError(() => redact(error, config))),
      tap({ next: () => (waiting = true), error: () => (waiting = true) }),
    );

  const isRefused = (outcome: unknown): boolean => {
    const response = responseOf(outcome);
    if (!response || !redirects.hadToken(response) || !callPredicate(isRejection, response)) return false;
    refused = response;
    return true;
  };

  return { send, isRefused, isWaiting: () => waiting };
}

/** What can be read once is never sent twice: the refusal is the caller's, and the refresh happens all the same. */
function sendOnce(
  token$: TokenStream,
  key: string,
  send: Sender['send'],
  isRefused: Sender['isRefused'],
): Observable<AxiosResponse> {
  const manager = managerOf(token$);
  const rejectIfRefused = (token: AccessToken) => (outcome: unknown) => {
    if (isRefused(outcome)) manager.reject({ token, kind: kindOfRejection(outcome), key });
  };
  return manager
    .take()
    .pipe(
      switchMap((token) =>
        send(token).pipe(tap<AxiosResponse>({ next: rejectIfRefused(token), error: rejectIfRefused(token) })),
      ),
    );
}
