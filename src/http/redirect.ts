/** Pure rules of redirects (Fetch standard, "HTTP-redirect fetch"), for those that carry a token. */
import { parseUrl, utf8Of } from '../internal/values/urls.js';

export const MAX_REDIRECTS = 20;

export const isRedirect = ({ status, headers }: Response): boolean =>
  [301, 302, 303, 307, 308].includes(status) && headers.has('location');

/** Where a response redirects to. */
export function redirectTarget({ headers }: Response, from: string): URL {
  const target = parseUrl(utf8Of(headers.get('location') ?? ''), from);
  if (!target) throw new TypeError('the server redirected to a URL that cannot be parsed');
  if (!/^https?:/.test(target.protocol))
    throw new TypeError(`the server redirected to ${target.protocol}, which is not http(s)`);
  if (target.username || target.password) throw new TypeError('the server redirected to a URL with credentials');
  return target;
}

/** To send it again does no harm (RFC 9110 section 9.2.1), and it has no body. */
export const isGetOrHead = (method: string): boolean => ['GET', 'HEAD'].includes(method);

/** Whether the redirected request is a GET without the body. */
export const dropsBody = (status: number, method: string): boolean =>
  status === 303 ? !isGetOrHead(method) : status <= 302 && method === 'POST';

/**
 * Whether a server may have accepted a request before it redirected. XMLHttpRequest reports only where the answer came
 * from: a redirect to the same path cannot be seen.
 */
export function mayHaveBeenAccepted(
  method: string,
  url: string,
  answer: { readonly redirected?: boolean | undefined; readonly url?: string | null | undefined },
): boolean {
  if (isGetOrHead(method)) return false;
  // A mock of the server may word the URL as the request did: relative.
  const from = parseUrl(answer.url ?? '');
  return answer.redirected ?? (from !== undefined && from.pathname !== new URL(url).pathname);
}

/** Headers that describe a body. */
export const BODY_HEADERS = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
];

/** Headers that must not reach another origin. */
export const CREDENTIAL_HEADERS = ['authorization', 'proxy-authorization', 'cookie'];
