/** Pure rules of redirects (Fetch standard, "HTTP-redirect fetch"), for those that carry a token. */

export const MAX_REDIRECTS = 20;

/** Where a response redirects to, or null. */
export function redirectTarget(response: Response, from: string): URL | null {
  const location = [301, 302, 303, 307, 308].includes(response.status) ? response.headers.get('location') : null;
  if (location === null) return null;
  let target: URL;
  try {
    target = new URL(location, from);
  } catch {
    throw new TypeError('the server redirected to a URL that cannot be parsed');
  }
  if (!/^https?:$/.test(target.protocol)) throw new TypeError(`the server redirected to ${target.protocol}, which is not http(s)`);
  return target;
}

/** Whether the redirected request is a GET without the body. */
export const dropsBody = (status: number, method: string): boolean =>
  status === 303 ? method !== 'GET' && method !== 'HEAD' : status <= 302 && method === 'POST';

/** Headers that speak of a body. */
export const BODY_HEADERS = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length'];

/** Headers that must not reach another origin. */
export const CREDENTIAL_HEADERS = ['authorization', 'proxy-authorization', 'cookie'];
