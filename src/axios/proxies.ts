/** Keeps unencrypted requests with a token away from the proxy that the environment names. */
import type { InternalAxiosRequestConfig } from 'axios';
import { builtinModule } from '../internal/platform/builtinModule.js';
import { isLoopback } from '../internal/values/loopback.js';

/**
 * The options `proxy` and `httpAgent` of a request that is not encrypted: none that leads to the proxy of the
 * environment (`http_proxy`), which would read the token, unless the caller gave one.
 */
export function connectionOf(
  { proxy, httpAgent }: InternalAxiosRequestConfig,
  url: string,
): Partial<InternalAxiosRequestConfig> {
  if (!url.startsWith('http:')) return {};
  // Axios prefers `hostname`, which its types do not have.
  const { host, hostname = host } = { ...(proxy as object) } as { host?: string; hostname?: string };
  if (proxy && !isLoopback({ hostname: hostname === '::1' ? '[::1]' : String(hostname) }))
    throw new TypeError('the token may not go over plain http through a proxy: see the option "proxy" of the request');
  return { proxy: proxy ?? false, httpAgent: (httpAgent as unknown) ?? directAgent() };
}

let direct: object | undefined;

/** In the place of Node's own agent, if that uses the proxy of the environment (`NODE_USE_ENV_PROXY`). */
function directAgent(): object | undefined {
  const http = builtinModule<NodeHttp>('node:http');
  const { proxyEnv, ...options } = http?.globalAgent.options ?? {};
  return http && proxyEnv ? (direct ??= new http.Agent(options)) : undefined;
}

interface NodeHttp {
  readonly globalAgent: { readonly options: { readonly proxyEnv?: object } };
  readonly Agent: new (options: object) => object;
}
