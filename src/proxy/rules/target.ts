/** Pure rules of where a request goes, and of what a redirect means to the client of the proxy. */
import { parseUrl, utf8Of } from '../../internal/values/urls.js';

/** The paths of the proxy's own pages. */
export const HEALTH = '/-/health';
export const METRICS = '/-/metrics';

/** How often a path may be encoded: a server behind the proxy may decode it more than once. */
const MOST_DECODINGS = 3;

/**
 * Why a request target may not be sent on, or undefined if it may. Only the origin form passes (RFC 9112 section
 * 3.2.1): the absolute form names another server, and `//host` does for whoever resolves it. No segment leaves the
 * prefix of `to`.
 */
export function objectionToTarget(target: string): string | undefined {
  if (!target.startsWith('/')) return 'the request target must be a path';
  const path = pathOf(target);
  if (/^\/[/\\]/.test(path)) return 'the path must not begin with two slashes';
  if (target.includes('#')) return 'the request target must not have a fragment';
  return hasDotSegment(path) ? 'the path must not have "." or ".." as a segment' : undefined;
}

/** Whether it is an absolute URL, which has a scheme (RFC 3986 section 3.1). */
export const hasScheme = (url: string): boolean => /^[a-z][a-z\d+.-]*:/i.test(url);

/** The target without its query, and without a fragment, which has no place there. */
export const pathOf = (target: string): string => target.replace(/[?#].*/s, '');

/** `/a/../b`, in any encoding and with either slash. Servers ignore what follows a semicolon in a segment. */
function hasDotSegment(path: string): boolean {
  let decoded = path;
  for (let round = 0; round <= MOST_DECODINGS; round++) {
    if (/[/\\]\.\.?([;/\\]|$)/.test(decoded)) return true;
    const next = decoded.replace(/%(2e|2f|5c|3b|25)/gi, (_code, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (next === decoded) return false;
    decoded = next;
  }
  return true;
}

/**
 * The `Location` of a response, for the client: what lies behind the proxy is reached through the proxy. To anything
 * else the client goes without the token.
 *
 * @param requested the path of the request at the server: a location may be relative to it
 */
export function locationFor(
  location: string,
  { to, prefix }: { readonly to: URL; readonly prefix: string },
  requested: string,
): string {
  const url = parseUrl(utf8Of(location), to.origin + requested);
  if (url?.host !== to.host || url.protocol !== to.protocol) return url && !hasScheme(location) ? url.href : location;
  const path = url.pathname + url.search + url.hash;
  const rest = path.slice(prefix.length);
  // `//host` would name another server.
  const isBehind = path.startsWith(prefix) && /^(\/(?!\/)|[?#]|$)/.test(rest);
  return isBehind ? rest.replace(/^(?!\/)/, '/') : to.origin + path;
}

/** Express and Connect keep the target as `originalUrl` before they take the path of a mount off it. */
interface Mounted {
  readonly url?: string | undefined;
  readonly originalUrl?: string;
}

/** The path at which the proxy is mounted in the server, or an empty text. */
export function mountOf({ url = '', originalUrl = '' }: Mounted): string {
  // If the target ends with the mount, a framework makes `/` of the rest, which is empty.
  const rest = url.replace(/^\/(?=\?|$)/, '');
  if (!originalUrl.endsWith(rest)) return '';
  const mount = originalUrl.slice(0, originalUrl.length - rest.length).replace(/\/$/, '');
  // `//host` would name another server.
  return /^\/[^/\\]/.test(mount) ? mount : '';
}
