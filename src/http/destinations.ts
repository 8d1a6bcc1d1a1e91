/** Where the token may go: resolves URLs, and checks their origins. */
import { OriginNotAllowedError } from '../errors.js';
import { isLoopback } from '../internal/values/loopback.js';
import { displayUrl, pageUrl, parseUrl } from '../internal/values/urls.js';
import { requireBoolean, requireObject, wrong } from '../internal/values/validate.js';

/** Names a resource that rejects tokens: method, origin and path, never the query. */
export function resourceOf(method: string, url: string): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

export interface DestinationOptions {
  /**
   * Relative URLs are appended to it, as axios, ofetch and openapi-fetch do: `/orders` and `orders` under
   * `https://api.example/v1` are both `https://api.example/v1/orders`; `''` is the base itself, and `?open=1` its
   * query.
   */
  baseUrl?: string | URL | undefined;
  /**
   * The exact origins that get the token. Default: the origin of `baseUrl`. Without either, every call fails. https, or
   * http on loopback.
   */
  allowedOrigins?: readonly string[] | undefined;
  /**
   * Allows plain http to the hosts of `baseUrl` and `allowedOrigins`, in a network that you trust: a service mesh,
   * docker compose. Others on that network can read the token. Default false: http to loopback only.
   */
  allowInsecureRequests?: boolean | undefined;
}

/** Where a token may go, decided once. */
export interface Destinations {
  /** The absolute URL. @throws OriginNotAllowedError if the token may not go there. */
  readonly check: (url: string) => string;
  /** The absolute URL of a request that carries no token. */
  readonly resolve: (url: string) => string;
}

export function createDestinations(options: DestinationOptions): Destinations {
  requireObject(options);
  const { baseUrl, allowedOrigins, allowInsecureRequests: insecure = false } = options;
  requireBoolean('allowInsecureRequests', insecure);
  if (allowedOrigins !== undefined && !Array.isArray(allowedOrigins))
    throw wrong('allowedOrigins', allowedOrigins, 'an array of origins');
  const base = baseUrl === undefined ? undefined : tokenUrlOption('baseUrl', String(baseUrl), insecure);
  const root = base && base.origin + base.pathname;
  const folder = root?.replace(/\/?$/, '/');
  /** `origin + "/"`: a URL that starts so has this origin, since the authority ends at the first slash after `://`. */
  const prefixes: readonly string[] =
    allowedOrigins?.map((origin: unknown, index) =>
      prefixOption(`allowedOrigins[${String(index)}]`, String(origin), insecure),
    ) ?? (base ? [`${base.origin}/`] : []);
  /** The last relative URL that was resolved; pollers ask for the same one. */
  let last: { readonly url: string; readonly href: string } | undefined;

  function parse(url: string): URL {
    const parsed = root && folder ? underBase(url, root, folder) : parseUrl(url, pageUrl());
    // Never the URL itself: its query may be a secret.
    if (!parsed) {
      const why = (base ?? pageUrl()) ? '' : ': it must be absolute, as there is no base URL';
      throw new TypeError(`the URL cannot be parsed${why}`);
    }
    if (parsed.username || parsed.password)
      throw new TypeError(`the URL of a request to ${parsed.host} must not contain credentials`);
    return parsed;
  }

  return {
    check: (url) => {
      for (const prefix of prefixes) if (url.startsWith(prefix)) return url;
      // Without a base, the page may have changed its own.
      if (base && url === last?.url) return last.href;
      const { protocol, origin, href } = parse(url);
      // `blob:https://host/…` has the origin of its host.
      if (/^https?:/.test(protocol) && prefixes.includes(`${origin}/`)) {
        last = { url, href };
        return href;
      }
      const more = (allowedOrigins ?? base) ? '' : ', and there is no base URL';
      throw new OriginNotAllowedError(
        `the token may not go to ${origin === 'null' ? protocol : origin}: it is not in allowedOrigins${more}`,
      );
    },
    resolve: (url) => parse(url).href,
  };
}

/** Joined as text where it can be, since the URL of React Native resolves nothing and has no setters. */
function underBase(url: string, root: string, folder: string): URL | undefined {
  const path = url.trimStart();
  if (isRooted(path)) return parseUrl(folder + path.slice(1));
  // A query or a fragment alone, and an empty text, are of the base itself. A path may be an absolute URL.
  return /^[^?#]/.test(path) ? parseUrl(path, folder) : parseUrl(root + path);
}

/**
 * `/orders`, but not `//host` or what a URL parser reads as that: it skips tabs and line ends, and takes `\\` for `/`.
 */
const isRooted = (path: string): boolean => /^[/\\](?![/\\\t\n\r])/.test(path);

/** The origin with a slash. */
function prefixOption(name: string, value: string, insecure: boolean): string {
  const url = tokenUrlOption(name, value, insecure);
  if (value.includes('*') || url.pathname !== '/')
    throw wrong(name, displayUrl(url), 'one exact origin such as https://api.example.com');
  return `${url.origin}/`;
}

/** @throws TypeError if the token may not go to the URL. It names the option. */
export function tokenUrlOption(name: string, value: string, insecure: boolean): URL {
  const url = parseUrl(value);
  if (!url || !/^https?:/.test(url.protocol)) {
    // What stands before an `@` may be a password.
    const safe = value.includes('@') ? '…' : (url?.protocol ?? value.replace(/[?#].*/s, '…'));
    throw wrong(name, safe, 'an absolute URL such as https://api.example.com');
  }
  if (url.username || url.password) throw wrong(name, displayUrl(url), 'a URL without credentials');
  if (url.protocol === 'http:' && !insecure && !isLoopback(url))
    throw wrong(name, displayUrl(url), 'https, or http on loopback (elsewhere: allowInsecureRequests)');
  if (url.search || url.hash) throw wrong(name, displayUrl(url), 'a URL without query and fragment');
  return url;
}
