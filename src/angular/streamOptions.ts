/** The options of `provideTokenStream`: their public type, their checks, and which of them concern requests. */
import { EMPTY } from 'rxjs';
import type { HttpErrorResponse, HttpRequest, HttpResponse } from '@angular/common/http';
import { createDestinations, type Destinations } from '../http/destinations.js';
import { requireFunctions, requireObject, requireText, wrong } from '../internal/values/validate.js';
import { settingsOf } from '../token/options.js';
import type { TokenStore } from '../token/tokenStore.js';
import type { AccessToken, TokenStreamOptions } from '../token/types.js';

export interface ProvideTokenStreamOptions extends Omit<TokenStreamOptions, 'store'> {
  /** The exact origins that get the token. Requests to all others are not changed. https, or http on loopback. */
  allowedOrigins: readonly string[];
  /**
   * Allows plain http to the origins above, in a network that you trust. Others on that network can read the token.
   * Default false: http to loopback only.
   */
  allowInsecureRequests?: boolean | undefined;
  /**
   * The paths of `allowedOrigins` that get the token, with all paths below them: `/api` means `/api` and `/api/orders`,
   * not `/apis`. `[]`: only requests with {@link withTokenOf} get it. Default: all paths.
   */
  paths?: readonly string[] | undefined;
  /** Paths, written like `paths`, that do not get the token: `['/assets', '/i18n']`. Default: none. */
  exceptPaths?: readonly string[] | undefined;
  /**
   * The name of the stream, for {@link withTokenOf}, {@link injectToken} and {@link injectTokenStream}. Each stream of
   * an application but one has a name. Default: none; the stream is {@link TOKEN_STREAM}.
   */
  name?: string | undefined;
  /**
   * Returns true if the server rejected the token; a promise is a TypeError. Default: an `HttpErrorResponse` with 401
   * or 403, unless the answer says `insufficient_scope`, or is a 403 that limits the rate of requests.
   */
  isRejection?: ((outcome: HttpErrorResponse | HttpResponse<unknown>) => boolean) | undefined;
  /**
   * Returns the request with the token. Default: with the header `Authorization: <type> <value>`. On a redirect to
   * another origin a browser removes only that header. So with `withFetch()`, a request with this option follows no
   * redirect.
   */
  authorize?: ((request: HttpRequest<unknown>, token: AccessToken) => HttpRequest<unknown>) | undefined;
  /**
   * Shares the token with other tabs. A function is called in the browser only, which `tabTokenStore` requires. Default
   * none.
   */
  store?: TokenStore | (() => TokenStore) | undefined;
}

/** The options that concern requests, checked. */
export interface RequestOptions extends Pick<ProvideTokenStreamOptions, 'name' | 'isRejection' | 'authorize'> {
  readonly destinations: Destinations;
  readonly paths: readonly string[];
  readonly exceptPaths: readonly string[];
}

/** Parts the options that concern requests from those of the stream. @throws TypeError that names an option */
export function splitOptions(options: ProvideTokenStreamOptions) {
  requireObject(options);
  const {
    allowedOrigins,
    allowInsecureRequests,
    paths = ['/'],
    exceptPaths = [],
    name,
    isRejection,
    authorize,
    ...own
  } = options;
  // Checked here, and made again at the first use: of `now`, `wake` and `store`, `settingsOf` makes a clock and
  // listeners, which a rendering server may lack.
  settingsOf({ ...own, wake: own.wake ?? EMPTY, now: undefined, store: undefined });
  if ((allowedOrigins as unknown) === undefined) throw wrong('allowedOrigins', allowedOrigins, 'an array of origins');
  if (name !== undefined) requireText('name', name);
  requireFunctions({ isRejection, authorize, now: own.now });
  const requests: RequestOptions = {
    name,
    isRejection,
    authorize,
    destinations: createDestinations({ allowedOrigins, allowInsecureRequests }),
    paths: checkedPaths('paths', paths),
    exceptPaths: checkedPaths('exceptPaths', exceptPaths),
  };
  return { requests, own };
}

/** Those of the checked options that were given. */
export function givenOptions(requests: RequestOptions, options: Partial<ProvideTokenStreamOptions>) {
  const given = { ...options, destinations: options.allowedOrigins };
  const entries = Object.entries(requests).filter(([name]) => given[name as keyof typeof given] !== undefined);
  return Object.fromEntries(entries) as Partial<RequestOptions>;
}

function checkedPaths(option: string, paths: readonly string[]): readonly string[] {
  if (!Array.isArray(paths)) throw wrong(option, paths, 'an array of paths');
  return paths.map((path: unknown, index) => {
    if (typeof path !== 'string' || !/^\/[^?#*]*$/.test(path))
      throw wrong(`${option}[${String(index)}]`, path, 'a path that begins with "/", without "*" and query');
    // Written as a request's URL has it. The last slash says nothing: a path stands for all that is below it.
    return new URL(`http://localhost${path}`).pathname.replace(/\/+$/, '');
  });
}
