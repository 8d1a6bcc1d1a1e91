/** The public function `attachToken`: checks its options, and replaces the adapter of an axios instance. */
import {
  getAdapter,
  type AxiosInstance,
  type AxiosResponse,
  type AxiosStatic,
  type InternalAxiosRequestConfig,
} from 'axios';
import { firstValueFrom } from 'rxjs';
import { OriginNotAllowedError } from '../errors.js';
import { createDestinations, tokenUrlOption, type Destinations } from '../http/destinations.js';
import { originOf, pageUrl, parseUrl } from '../internal/values/urls.js';
import { refuseUnknown, requireFunctions, requireObject } from '../internal/values/validate.js';
import { isRejection as isRejectionByDefault } from '../answers/isRejection.js';
import { managerOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import { hideLinks } from './redact.js';
import { givenRequest } from './givenRequest.js';
import { replaceAdapter } from './replaceAdapter.js';
import { sendWithToken } from './sendWithToken.js';

export interface AttachTokenOptions {
  /**
   * The exact origins that get the token. A request to any other fails before it is sent. https, or http on loopback.
   * Default: the origin of `instance.defaults.baseURL` at this call, or that of the page if it is relative. Without
   * either, every request fails.
   */
  allowedOrigins?: readonly string[] | undefined;
  /**
   * Allows plain http to these origins, in a network that you trust. Others on that network can read the token. Default
   * false: http to loopback only.
   */
  allowInsecureRequests?: boolean | undefined;
  /**
   * Gets the response before `transformResponse` (JSON is still text), and returns true if the server rejected the
   * token. A promise is a TypeError. Default: 401 or 403, unless the answer says `insufficient_scope`, or is a 403 that
   * limits the rate of requests.
   */
  isRejection?: ((response: AxiosResponse) => boolean) | undefined;
}

const KNOWN: Record<keyof AttachTokenOptions, true> = {
  allowedOrigins: true,
  allowInsecureRequests: true,
  isRejection: true,
};

/**
 * An axios instance, or one of the class `Axios`, by the types of axios for ES modules or for CommonJS: as a whole
 * these do not fit each other.
 */
type AttachableInstance = Pick<InstanceType<AxiosStatic['Axios']>, 'defaults' | 'interceptors'>;

/**
 * Gives the requests of an axios instance the token of the stream, with the guarantees of `createFetch`. It takes the
 * place of a stream that was attached before.
 *
 * Each request takes the latest token when it is sent, after all interceptors and `transformRequest`. After a 401 or
 * 403 the token is refreshed once, for all rejected requests, and the request is repeated once, with the same bytes.
 * Interceptors run once. If the repeat fails too, the caller gets axios' own error. A body that is a stream is never
 * sent twice. An Authorization header of the caller (`headers`, `auth`) is not changed. `signal`, `cancelToken` and
 * `timeout` include the wait for a token.
 *
 * Errors and responses can be logged: their `config` is the caller's, without the token, and their `request` is not
 * printed.
 *
 * ```ts
 * import axios from 'axios';
 * import { createTokenStream } from 'rx-fresh-token';
 * import { attachToken } from 'rx-fresh-token/axios';
 *
 * const token$ = createTokenStream(({ signal }) => fetch('https://auth.example.com/token', { method: 'POST', signal }));
 * const api = axios.create({ baseURL: 'https://api.example.com' });
 * const detach = attachToken(api, token$);
 * const { data } = await api.post('/orders', { item: 'tea' });
 * ```
 *
 * @returns a function that detaches the token. Requests that have begun are not affected.
 * @throws TypeError that names an option out of range. Requests reject with {@link OriginNotAllowedError},
 *   {@link TokenUnavailableError} when no usable token comes in time, {@link TokenStreamClosedError}, or as axios does.
 */
export function attachToken(
  instance: AttachableInstance,
  token$: TokenStream,
  options: AttachTokenOptions = {},
): () => void {
  const manager = managerOf(token$);
  const requests = (instance as Partial<AttachableInstance> | null)?.interceptors?.request;
  if (typeof requests?.use !== 'function') throw new TypeError('attachToken takes an axios instance');
  // npm does not ask for it: a project may have an older axios, alone (no `getAdapter`) or as a second copy (no
  // `clear`). The mocks of unit tests have neither, and no `handlers`.
  if ('handlers' in requests && !((getAdapter as unknown) && (requests.clear as unknown)))
    throw new TypeError('attachToken needs an instance of axios 1.5 or later');
  if (manager.proof) throw new TypeError('axios cannot sign requests: use createFetch for DPoP');
  requireObject(options);
  refuseUnknown(options, KNOWN);
  const { isRejection = isRejectionByDefault } = options;
  requireFunctions({ isRejection });
  const destinations = destinationsOf(instance.defaults.baseURL, options);

  /** In the place of the adapter: interceptors and `transformRequest` have run, and run once. */
  const send = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
    const { baseURL = '', url, allowAbsoluteUrls, auth, headers } = config;
    // `withoutToken()`: no token is sent, so any origin will do.
    if (headers.get('Authorization') === false) return getAdapter(config.adapter, config)(config);
    const target = splitCredentials((instance as AxiosInstance).getUri({ baseURL, url, allowAbsoluteUrls }));
    const absolute = destinations.check(target.url);
    if (auth || target.hasCredentials || headers.has('Authorization'))
      return getAdapter(config.adapter, config)(config);
    hideLinks(config);
    return firstValueFrom(sendWithToken(token$, givenRequest(config), absolute, isRejection));
  };

  detachments.get(instance)?.();
  const id = requests.use(replaceAdapter(send, instance), null, {
    synchronous: true,
    // Synchronous, so asked within the call of a source: its own requests need no token.
    runWhen: ({ signal }) => !manager.isOfSource(signal as AbortSignal | undefined),
  });
  const detach = () => requests.eject(id);
  detachments.set(instance, detach);
  return detach;
}

function destinationsOf(baseURL: string | undefined, options: AttachTokenOptions): Destinations {
  const { allowedOrigins, allowInsecureRequests } = options;
  const origin = baseURL ? originOf(baseURL, pageUrl()) : undefined;
  // Checked here for an error that names `baseURL`: `createDestinations` would name an option that was not given.
  if (!allowedOrigins && origin !== undefined) tokenUrlOption('baseURL', origin, allowInsecureRequests ?? false);
  return createDestinations({
    allowedOrigins: allowedOrigins ?? (origin === undefined ? [] : [origin]),
    allowInsecureRequests,
  });
}

/** An absolute URL without `user:password@`, and whether it had that: axios makes an Authorization header of it. */
function splitCredentials(url: string): { url: string; hasCredentials: boolean } {
  const whole = parseUrl(url, pageUrl());
  if (!whole)
    throw new OriginNotAllowedError(
      'the URL of the request cannot be parsed: baseURL and url must make an absolute URL',
    );
  const { href } = whole;
  // The URL of React Native has no setters.
  const bare = href.replace(/^(\w+:\/\/)[^/?#]*@/, '$1');
  return { url: bare, hasCredentials: bare !== href };
}

/** How to detach the stream that an instance has: axios would call the adapter of the one attached first. */
const detachments = /* @__PURE__ */ new WeakMap<AttachableInstance, () => void>();
