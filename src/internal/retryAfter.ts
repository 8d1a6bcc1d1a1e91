/** Delay-seconds; a fraction is accepted, since servers send it. `0x10` and `1e3` are no number of seconds. */
const SECONDS = /^\d{1,12}(\.\d+)?$/;

/** An HTTP date begins with the name of a day. */
const DATE = /^[A-Z][a-z]{2}/;

/**
 * A `Retry-After` header in milliseconds: seconds, or a date (RFC 9110 section 10.2.3).
 *
 * @param now what time it is by the clock of the server that sent the header, in milliseconds
 * @returns `undefined` where the header is absent or cannot be read
 */
export function parseRetryAfter(header: string | null | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (SECONDS.test(text)) return Number(text) * 1000;
  const wait = DATE.test(text) ? Date.parse(text) - now : NaN;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
