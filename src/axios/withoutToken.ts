/** The public function `withoutToken`, for requests that must not carry the token. */
import type { AxiosRequestConfig } from 'axios';

/**
 * The configuration of a request that carries no token.
 *
 * ```ts
 * await api.get('/health', withoutToken());
 * ```
 *
 * @param config one to add this to. Default: an empty one.
 */
export function withoutToken<D>(config: AxiosRequestConfig<D> = {}): AxiosRequestConfig<D> {
  // Axios does not send a header whose value is false, and a header of the caller's is left alone.
  return { ...config, headers: Object.assign({}, config.headers, { Authorization: false }) };
}
