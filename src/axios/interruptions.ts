/** The ways in which an axios request ends while it waits for a token: abort, timeout, a broken body stream. */
import { AxiosError, CanceledError, type Cancel, type InternalAxiosRequestConfig } from 'axios';
import { catchError, fromEvent, fromEventPattern, map, merge, NEVER, of, type Observable } from 'rxjs';
import { TokenUnavailableError } from '../errors.js';
import { isText } from '../internal/values/kindOf.js';
import { aborted } from '../internal/async/onAbort.js';
import type { TokenManager } from '../token/tokenManager.js';

/**
 * Emits the error with which a request ends before it was sent: what axios says when the caller aborts, cancels, or has
 * waited `timeout`, and when the stream that is to be sent breaks.
 */
export function interruptionsOf(
  config: InternalAxiosRequestConfig,
  { timers, lastError }: Pick<TokenManager, 'timers' | 'lastError'>,
): Observable<unknown> {
  const { signal, cancelToken, transitional } = config;
  const canceller = cancelToken as unknown as Canceller | undefined;
  const cancelled$ = canceller
    ? fromEventPattern<Cancel>(
        (listener) => canceller.subscribe(listener),
        (listener) => canceller.unsubscribe(listener),
      )
    : NEVER;
  const { ETIMEDOUT, ECONNABORTED } = AxiosError;
  const code = transitional?.clarifyTimeoutError ? ETIMEDOUT : ECONNABORTED;
  return merge(
    failuresOfBody(config),
    aborted(signal as AbortSignal | undefined).pipe(catchError(() => of(new CanceledError(undefined, config)))),
    cancelled$,
    timers.after(limitOf(config), true).pipe(
      map(() => {
        const cause = new TokenUnavailableError(undefined, { cause: lastError() });
        return Object.assign(new AxiosError(timeoutMessageOf(config), code, config), { cause });
      }),
    ),
  );
}

/** What the types of axios leave out. */
type Canceller = Record<'subscribe' | 'unsubscribe', (listener: (reason: Cancel) => void) => void>;

/** Milliseconds; Infinity when there is no limit. */
export const limitOf = ({ timeout }: InternalAxiosRequestConfig): number => Number(timeout) || Infinity;

export const timeoutMessageOf = ({ timeout, timeoutErrorMessage }: InternalAxiosRequestConfig): string =>
  isText(timeoutErrorMessage) ? timeoutErrorMessage : `timeout of ${String(timeout)}ms exceeded`;

/**
 * The error of a sending that was given the time left, worded by the caller's timeout: the fetch adapter knows no
 * `timeoutErrorMessage`.
 */
export function timeoutAsGiven(
  error: unknown,
  { timeout }: InternalAxiosRequestConfig,
  config: InternalAxiosRequestConfig,
): unknown {
  if (error instanceof AxiosError && error.message === `timeout of ${String(timeout)}ms exceeded`)
    error.message = timeoutMessageOf(config);
  return error;
}

/**
 * Emits what axios says of a Node stream that fails or is closed. Axios listens only when it sends, and an `error` that
 * nobody listens to ends the process.
 */
function failuresOfBody(config: InternalAxiosRequestConfig): Observable<AxiosError> {
  const { data } = config as { data?: NodeJS.ReadableStream };
  if (typeof data?.pipe !== 'function' || typeof data.on !== 'function') return NEVER;
  return merge(
    fromEvent(data, 'error').pipe(map((error) => AxiosError.from(error as Error, undefined, config))),
    fromEvent(data, 'close').pipe(map(() => new CanceledError('Request stream has been aborted', config))),
  );
}
