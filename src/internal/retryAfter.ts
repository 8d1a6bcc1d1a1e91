/** Reads the header `Retry-After` and other HTTP dates. */

/**
 * Delay-seconds; a fraction is accepted, since servers send it. `0x10` and `1e3` are no number of seconds. Of a header
 * that came twice (`5, 10`) the first counts.
 */
const SECONDS = /^\d+(\.\d+)?(?=\s*(,|$))/;

/** An HTTP date begins with the name of a day. */
const DATE = /^[A-Z][a-z]{2}.*\d:\d\d/;

/**
 * Milliseconds since 1970; NaN for what is no HTTP date (RFC 9110 section 5.6.7). Of its three forms that of asctime
 * names no zone; it is in UTC like the others.
 */
export const parseHttpDate = (text: string): number =>
  DATE.test(text) ? Date.parse(/\d$/.test(text) && !/[+-]\d{4}$/.test(text) ? `${text} GMT` : text) : NaN;

/**
 * A `Retry-After` header in milliseconds: seconds, or a date (RFC 9110 section 10.2.3).
 *
 * @param now what time it is by the clock of the server that sent the header, in milliseconds
 * @returns `undefined` where the header is absent or cannot be read
 */
export function parseRetryAfter(header: string | null | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const [seconds] = SECONDS.exec(text) ?? [];
  if (seconds !== undefined) return Math.min(Number(seconds) * 1000, Number.MAX_SAFE_INTEGER);
  const wait = parseHttpDate(text) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/**
 * What the `Retry-After` of an answer says, in milliseconds. A date in it is read by the clock of the server that sent
 * it (the header `Date`), or else by ours.
 */
export const retryAfterBy = (headerOf: (name: string) => string | null | undefined, now: number): number | undefined =>
  parseRetryAfter(headerOf('retry-after'), parseHttpDate(headerOf('date') ?? '') || now);
