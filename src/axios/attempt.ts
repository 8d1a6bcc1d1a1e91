/** One sending of a request: its configuration with the token, and what becomes of its answer. */
import { getAdapter, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { catchError, from, map, type Observable } from 'rxjs';
import { authorizationOf } from '../http/authorization.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { looksLikeResponse } from '../answers/isRejection.js';
import type { AccessToken } from '../token/types.js';
import { limitOf, timeoutAsGiven, timeoutMessageOf } from './interruptions.js';
import { connectionOf } from './proxies.js';
import { recordingFetch } from './recordingFetch.js';
import { redact } from './redact.js';
import type { RedirectTracker } from './redirects.js';

/** The response that axios has resolved or rejected with. */
export const responseOf = (outcome: unknown): AxiosResponse | undefined =>
  (looksLikeResponse(outcome) ? outcome : fieldsOf(outcome).response) as AxiosResponse | undefined;

/**
 * What is sent: the caller's config with the token, and with the rest of its timeout after `elapsed` milliseconds of
 * waiting.
 */
export function attemptOf(
  config: InternalAxiosRequestConfig,
  url: string,
  token: AccessToken,
  { beforeRedirect }: RedirectTracker,
  elapsed: number,
): InternalAxiosRequestConfig {
  const limit = limitOf(config);
  // Where the platform has no fetch, `env.fetch` stays unset, so that axios skips its fetch adapter.
  const fetch = config.env?.fetch ?? (globalThis as Partial<typeof globalThis>).fetch;
  return {
    ...config,
    headers: config.headers.concat({ Authorization: authorizationOf(token) }),
    ...connectionOf(config, url),
    beforeRedirect,
    ...(fetch && { env: { ...config.env, fetch: recordingFetch(fetch) } }),
    ...(limit < Infinity && { timeout: Math.max(1, limit - elapsed), timeoutErrorMessage: timeoutMessageOf(config) }),
  };
}

/** Sends an attempt. Its response, or its error, has the caller's config, without the token. */
export const sendAttempt = (
  attempt: InternalAxiosRequestConfig,
  config: InternalAxiosRequestConfig,
): Observable<AxiosResponse> =>
  from(getAdapter(config.adapter, attempt)(attempt) as Promise<AxiosResponse>).pipe(
    map((response) => redact(response, config, attempt)),
    catchError((error: unknown) => {
      throw redact(timeoutAsGiven(error, attempt, config), config, attempt);
    }),
  );

/** Frees the connection of a streamed answer that nobody will read. */
export function discardStream({ data, config }: AxiosResponse<unknown>): void {
  if (config.responseType !== 'stream') return;
  // The answer to a HEAD request has none.
  const { destroy, cancel } = fieldsOf(data) as { destroy?: () => void; cancel?: () => Promise<void> };
  if (cancel) void cancel.call(data).catch(() => undefined);
  else destroy?.call(data);
}
