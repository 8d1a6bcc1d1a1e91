/** One sending of a request: its configuration with the token, and what becomes of its answer. */
import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { authorizationOf } from '../http/authorization.js';
import { fieldsOf } from '../internal/fieldsOf.js';
import { looksLikeResponse } from '../answers/isRejection.js';
import type { AccessToken } from '../token/types.js';
import { limitOf, timeoutMessageOf } from './interruptions.js';
import { connectionOf } from './proxies.js';
import { recordingFetch } from './recordingFetch.js';
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

/** Frees the connection of a streamed answer that nobody will read. */
export function discardStream({ data, config }: AxiosResponse<unknown>): void {
  if (config.responseType !== 'stream') return;
  // The answer to a HEAD request has none.
  const { destroy, cancel } = fieldsOf(data) as { destroy?: () => void; cancel?: () => Promise<void> };
  if (cancel) void cancel.call(data).catch(() => undefined);
  else destroy?.call(data);
}
