import { parseUrl } from '../internal/urls.js';

/** A URL without `user:password@`, and whether it had that: axios makes an Authorization header of it. */
export function splitCredentials(url: string): { url: string; hasCredentials: boolean } {
  const whole = parseUrl(url);
  if (!whole?.username && !whole?.password) return { url, hasCredentials: false };
  whole.username = whole.password = '';
  return { url: whole.href, hasCredentials: true };
}
