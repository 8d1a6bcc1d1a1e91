import type { InternalAxiosRequestConfig } from 'axios';
import { isLoopback } from '../internal/loopback.js';

/**
 * The option `proxy` of a request that is not encrypted: none, unless the caller gave one. Axios would hand it to the
 * proxy that the environment names (`http_proxy`), which would read the token.
 */
export function proxyOf({ proxy }: InternalAxiosRequestConfig, url: string): Partial<InternalAxiosRequestConfig> {
  if (!url.startsWith('http:')) return {};
  // Axios prefers `hostname`, which its types do not have.
  const { host, hostname = host } = { ...(proxy as object) } as { host?: string; hostname?: string };
  if (proxy && !isLoopback({ hostname: hostname === '::1' ? '[::1]' : String(hostname) }))
    throw new TypeError('the token may not go over plain http through a proxy: see the option "proxy" of the request');
  return { proxy: proxy ?? false };
}
