import { OriginNotAllowedError } from '../errors.js';
import { pageUrl, parseUrl } from '../internal/urls.js';

/** An absolute URL without `user:password@`, and whether it had that: axios makes an Authorization header of it. */
export function splitCredentials(url: string): { url: string; hasCredentials: boolean } {
  const whole = parseUrl(url, pageUrl());
  if (!whole)
    throw new OriginNotAllowedError(
      'the URL of the request cannot be parsed: baseURL and url must make an absolute URL',
    );
  const hasCredentials = whole.username !== '' || whole.password !== '';
  whole.username = whole.password = '';
  return { url: whole.href, hasCredentials };
}
