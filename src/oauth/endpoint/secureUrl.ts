/** To which URLs credentials may be sent. */
import { isLoopback } from '../../internal/values/loopback.js';
import { displayUrl, parseUrl } from '../../internal/values/urls.js';
import { kindOf } from '../../internal/values/kindOf.js';

/**
 * Why nothing may be sent to this URL, or undefined when it may. RFC 6749 section 3.2 asks for TLS and forbids a
 * fragment; `fetch` refuses a user in the URL with an error that quotes it.
 */
export function objectionTo(url: URL, allowInsecure = false): string | undefined {
  if (url.username !== '' || url.password !== '') return 'must carry no user or password';
  if (url.hash !== '') return 'must have no fragment';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'must be an https: URL';
  return allowInsecure || isLoopback(url)
    ? undefined
    : 'must be an https: URL (http: goes to loopback only, unless allowInsecureRequests is true)';
}

/** Reads a URL option; the TypeError names the option and of the value only what {@link displayUrl} shows. */
export function endpointOption(name: string, value: unknown, allowInsecure?: boolean): URL {
  const url = toUrl(value);
  // `localhost:8080` and `secret:in-the-wrong-place` are URLs, too.
  if (!url || !/^https?:$/.test(url.protocol)) {
    const kind = typeof value === 'string' ? 'another string' : kindOf(value);
    throw new TypeError(`option "${name}" must be an absolute URL such as https://id.example.com, got ${kind}`);
  }
  const objection = objectionTo(url, allowInsecure);
  if (objection) throw new TypeError(`option "${name}" ${objection}, got ${displayUrl(url)}`);
  return url;
}

export const toUrl = (value: unknown) =>
  value instanceof URL || typeof value === 'string' ? parseUrl(String(value)) : undefined;
