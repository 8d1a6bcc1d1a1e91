import { getAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { catchError, defer, filter, from, map, takeUntil, tap, throwError, type Observable } from 'rxjs';
import { resourceOf } from '../http/destinations.js';
import { isStream } from '../internal/isStream.js';
import { callPredicate } from '../internal/callPredicate.js';
import { kindOfRejection } from '../token/isRejection.js';
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
  /** Whether what was sent may be sent again. */
  readonly isRepeatable: (outcome: unknown) => boolean;
  /** The token of the first sending, as long as there is no second one. */
  readonly onlyToken: () => AccessToken | null;
  /** Whether nothing is under way: the request waits for a token. */
  readonly isWaiting: () => boolean;
}

/** Sends with the latest token; once more with a new one if the server refuses the first, unless the body is gone by then. */
export function sendWithToken(token$: TokenStream, request: PreparedRequest): Observable<AxiosResponse> {
  const { config, url } = request;
  const manager = managerOf(token$);
  const key = resourceOf(methodOf(config), url);
  return defer(() => {
    const { send, isRefused, isRepeatable, onlyToken, isWaiting } = senderOf(request);
    // The refusal is the caller's, and the refresh happens all the same.
    const rejectIfRefused = (outcome: unknown) => {
      const token = onlyToken();
      if (token && !isRepeatable(outcome) && isRefused(outcome))
        manager.reject({ token, kind: kindOfRejection(outcome), key });
    };
    const interrupted$ = interruptionsOf(config, manager.timers).pipe(
      filter(isWaiting),
      map((error): never => {
        throw error;
      }),
    );
    const isRejection = (outcome: unknown) => isRepeatable(outcome) && isRefused(outcome);
    return withToken(token$, send, { key, isRejection }).pipe(
      tap<AxiosResponse>({ next: rejectIfRefused, error: rejectIfRefused }),
      takeUntil(interrupted$),
    );
  });
}

const methodOf = ({ method = 'get' }: InternalAxiosRequestConfig): string => method.toUpperCase();

function senderOf({ config, url, isRejection }: PreparedRequest): Sender {
  const started = performance.now();
  const sentWith: AccessToken[] = [];
  const track = () => trackRedirects(url, methodOf(config), config.beforeRedirect);
  let waiting = true;
  let refused: AxiosResponse | undefined;
  let redirects = track();

  /** One sending by axios' own adapter. */
  const exchange = (attempt: InternalAxiosRequestConfig): Observable<AxiosResponse> =>
    from(getAdapter(config.adapter, attempt)(attempt) as Promise<AxiosResponse>).pipe(
      catchError((error: unknown) => throwError(() => timeoutAsGiven(error, attempt, config))),
    );

  const send = (token: AccessToken): Observable<AxiosResponse> =>
    defer(() => {
      waiting = false;
      sentWith.push(token);
      if (refused) discard(refused);
      redirects = track();
      return exchange(attemptOf(config, url, token, redirects, Math.floor(performance.now() - started)));
    }).pipe(
      map((response) => redact(response, config)),
      catchError((error: unknown) => throwError(() => redact(error, config))),
      tap({ next: () => (waiting = true), error: () => (waiting = true) }),
    );

  const isRefused = (outcome: unknown): boolean => {
    const response = responseOf(outcome);
    if (!response || !redirects.hadToken(response) || !callPredicate(isRejection, response, 'isRejection'))
      return false;
    refused = response;
    return true;
  };

  const isRepeatable = (outcome: unknown): boolean =>
    !isStream(config.data) && !redirects.wasAccepted(responseOf(outcome) ?? {});

  return {
    send,
    isRefused,
    isRepeatable,
    onlyToken: () => (sentWith.length === 1 ? (sentWith[0] ?? null) : null),
    isWaiting: () => waiting,
  };
}
