import { originOf } from '../internal/urls.js';

/** Pure rules of where a request goes, and of what a redirect means to the client of the proxy. */

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

/** The target without its query. */
export const pathOf = (target: string): string => {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
};

/** `/a/../b`, in any encoding and with either slash. Servers ignore what follows a semicolon in a segment. */
function hasDotSegment(path: string): boolean {
  let decoded = path;
  for (let round = 0; round <= MOST_DECODINGS; round++) {
    if (/(^|[/\\])\.\.?([;/\\]|$)/.test(decoded)) return true;
    const next = decoded.replace(/%(2e|2f|5c|3b|25)/gi, (_code, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    if (next === decoded) return false;
    decoded = next;
  }
  return true;
}

/**
 * The `Location` of a response, for the client: what lies behind the proxy is reached through the proxy. To anything
 * else the client goes without the token, so a path alone gets the server's origin.
 */
export function locationFor(location: string, { to, prefix }: { readonly to: URL; readonly prefix: string }): string {
  // `//host/path` has the scheme of the server, and not that of the proxy.
  const given = location.startsWith('//') ? to.protocol + location : location;
  // `https://API.example.com:443/orders` is of the same origin too.
  const isAbsolute = originOf(given) === to.origin;
  const path = isAbsolute ? given.replace(/^https?:\/\/[^/?#]*/i, '') : given;
  if (!isAbsolute && !path.startsWith('/')) return given;
  const rest = path.slice(prefix.length);
  // `//host` would name another server.
  const isBehind = path.startsWith(prefix) && /^(\/(?!\/)|[?#]|$)/.test(rest);
  if (!isBehind) return isAbsolute ? given : to.origin + given;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
