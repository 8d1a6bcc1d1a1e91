import { getAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { catchError, defer, filter, from, map, switchMap, takeUntil, tap, throwError, type Observable } from 'rxjs';
import { authorizationOf, resourceOf } from '../http/authorize.js';
import { fieldsOf } from '../internal/answers.js';
import { isStream } from '../internal/isStream.js';
import { callPredicate, isExplicit, looksLikeResponse } from '../token/isRejection.js';
import { managerOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import { withToken } from '../token/withToken.js';
import { redact } from './redact.js';
import { interruptionsOf, limitOf, messageOf, timeoutAsGiven } from './interruptions.js';
import { sentInClear } from './proxies.js';
import { trackRedirects } from './redirects.js';
import { recordingFetch } from './recordingFetch.js';

/** One request, after all interceptors and transformers. */
export interface PreparedRequest {
  readonly config: InternalAxiosRequestConfig;
  /** Absolute. */
  readonly url: string;
  readonly isRejection: (response: AxiosResponse) => boolean;
}

/** The response, whether axios takes it for one or for an error. */
const responseOf = (outcome: unknown): AxiosResponse | undefined =>
  (looksLikeResponse(outcome) && 'config' in (outcome as object) ? outcome : fieldsOf(outcome).response) as
    AxiosResponse | undefined;

/** Sends with the latest token; once more with a new one if the server refuses the first, unless the body is gone by then. */
export function sendWithToken(
  token$: TokenStream,
  { config, url, isRejection }: PreparedRequest,
): Observable<AxiosResponse> {
  const manager = managerOf(token$);
  const key = resourceOf((config.method ?? 'get').toUpperCase(), url);

  return defer(() => {
    const started = performance.now();
    const limit = limitOf(config);
    let waiting = true;
    let refused: AxiosResponse | undefined;
    let redirects = trackRedirects(url, config.beforeRedirect);

    const isRefused = (outcome: unknown): boolean => {
      const response = responseOf(outcome);
      if (!response || !redirects.hadToken(response) || !callPredicate(isRejection, response)) return false;
      refused = response;
      return true;
    };

    const send = (token: AccessToken) =>
      defer(() => {
        waiting = false;
        if (refused) discard(refused);
        redirects = trackRedirects(url, config.beforeRedirect);
        const elapsed = Math.floor(performance.now() - started);
        const attempt: InternalAxiosRequestConfig = {
          ...config,
          headers: config.headers.concat({ Authorization: authorizationOf(token) }),
          ...sentInClear(config, url),
          beforeRedirect: redirects.beforeRedirect,
          env: { ...config.env, fetch: recordingFetch(config.env?.fetch) },
          // Time that was spent waiting counts.
          ...(limit < Infinity &&
            elapsed > 0 && { timeout: Math.max(1, limit - elapsed), timeoutErrorMessage: messageOf(config) }),
        };
        return from(getAdapter(config.adapter, attempt)(attempt) as Promise<AxiosResponse>).pipe(
          catchError((error: unknown) => throwError(() => timeoutAsGiven(error, attempt, config))),
        );
      }).pipe(
        map((response) => redact(response, config)),
        catchError((error: unknown) => {
          waiting = true;
          return throwError(() => redact(error, config));
        }),
        tap(() => (waiting = true)),
      );

    const answer$ = isStream(config.data)
      ? sendOnce(send, isRefused)
      : withToken(token$, send, { key, isRejection: isRefused });
    const interrupted$ = interruptionsOf(config, manager.timers).pipe(
      filter(() => waiting),
      map((error): never => {
        throw error;
      }),
    );
    return answer$.pipe(takeUntil(interrupted$));
  });

  /** What can be read once is never sent twice: the refusal is the caller's, and the refresh happens all the same. */
  function sendOnce(
    send: (token: AccessToken) => Observable<AxiosResponse>,
    isRefused: (outcome: unknown) => boolean,
  ): Observable<AxiosResponse> {
    const rejectIfRefused = (token: AccessToken) => (outcome: unknown) => {
      if (isRefused(outcome)) manager.reject({ token, explicit: isExplicit(outcome), key });
    };
    return manager
      .take()
      .pipe(
        switchMap((token) =>
          send(token).pipe(tap<AxiosResponse>({ next: rejectIfRefused(token), error: rejectIfRefused(token) })),
        ),
      );
  }
}

/** Frees the connection of a streamed answer that nobody will read. */
function discard({ data, config }: AxiosResponse<unknown>): void {
  if (config.responseType !== 'stream') return;
  // The answer to a HEAD request has none.
  const { destroy, cancel } = fieldsOf(data) as { destroy?: () => void; cancel?: () => Promise<void> };
  if (cancel) void cancel.call(data).catch(() => undefined);
  else destroy?.call(data);
}
