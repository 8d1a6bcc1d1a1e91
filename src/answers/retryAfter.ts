/** Reads how long a server asks to wait, or when its rate limit ends; and HTTP dates. `…By` takes headers. */

/**
 * Delay-seconds; a fraction and `20s` are accepted, since servers send them. `0x10` and `1e3` are no number of seconds.
 * Of a header that came twice (`5, 10`) the first counts; a policy may follow (`20;w=60`).
 */
const SECONDS = /^\d+(\.\d+)?(?=s?\s*([,;]|$))/;

/** An HTTP date begins with the name of a day. Limits may end at a time of ISO 8601. */
const DATE = /^([A-Z][a-z]{2}|\d{4}-\d\d-\d\dT).*\d:\d\d/;

/**
 * Milliseconds since 1970; NaN for what is no HTTP date (RFC 9110 section 5.6.7). Of its three forms that of asctime
 * names no zone; it is in UTC like the others.
 */
export const parseHttpDate = (text: string): number =>
  DATE.test(text) ? Date.parse(/\d$/.test(text) && !/[+-]\d\d:?\d\d$/.test(text) ? `${text} GMT` : text) : NaN;

/** Seconds from here on are no wait (31 years), but a time since 1970. */
const LEAST_TIME = 1e9;

/**
 * A header that says how long to wait, or until when, in milliseconds: seconds that are left, a date (RFC 9110 section
 * 10.2.3), or seconds or milliseconds since 1970.
 *
 * @param now what time it is by the clock of the server that sent the header, in milliseconds
 * @returns `undefined` where the header is absent or cannot be read
 */
export function parseRetryAfter(header: string | null | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const seconds = Number(SECONDS.exec(text)?.[0]);
  if (seconds < LEAST_TIME) return seconds * 1000;
  const inMilliseconds = seconds > 100 * LEAST_TIME ? seconds : seconds * 1000;
  const wait = Math.min((Number.isNaN(seconds) ? parseHttpDate(text) : inMilliseconds) - now, Number.MAX_SAFE_INTEGER);
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

const WAIT = ['retry-after', 'x-retry-after'];

/** Where servers say how many requests are left; the last by draft-ietf-httpapi-ratelimit-headers. */
const LEFT = ['x-ratelimit-remaining', 'x-rate-limit-remaining', 'ratelimit-remaining', 'ratelimit'];

/** Where they say when the limit ends. */
const RESET = LEFT.map((name) => name.replace('remaining', 'reset'));

/** The headers that are read here, but for `Date`. */
export const RATE_HEADERS = [...WAIT, ...LEFT, ...RESET];

/** Gives a header of an answer by its name in lower case. */
type HeaderOf = (name: string) => string | null | undefined;

/** Not by -1: Spring's gateway says that while it cannot count, with every answer. */
const isUsedUp = (headerOf: HeaderOf): boolean =>
  LEFT.some((name) => /(^|\b(r|remaining)=)\s*0[.0]*(?![.\w])/.test(headerOf(name) ?? ''));

/** Asks to wait by a header of its own. */
export const asksToWaitBy = (headerOf: HeaderOf): boolean =>
  WAIT.some((name) => (headerOf(name) ?? undefined) !== undefined);

/** Asks to wait, or has a rate limit that is used up. */
export const limitsRateBy = (headerOf: HeaderOf): boolean => asksToWaitBy(headerOf) || isUsedUp(headerOf);

/** In the header `RateLimit`: the end of the limit that is used up, by the ninth draft in any order, or the seventh. */
const END = /\br=0\b[^,]*\bt=(\d+)|\bt=(\d+)[^,]*\br=0\b|\bremaining=0\b\D*\breset=(\d+)/;

/**
 * How long an answer asks to wait, in milliseconds: by `Retry-After`, or else by the end of a rate limit, if that is
 * used up. A time in it is read by the clock of the server that sent it (the header `Date`), or else by ours. A 429 in
 * which requests are left is of another limit, whose end is not told.
 *
 * @param permanent a wait does not help: the limit is that of the next request
 */
export function retryAfterBy(
  headerOf: HeaderOf,
  status: number | undefined,
  now: number,
  permanent = false,
): number | undefined {
  const serverNow = parseHttpDate(headerOf('date') ?? '') || now;
  const isLimited = isUsedUp(headerOf)
    ? !permanent
    : status === 429 && !LEFT.some((name) => /(^|=)\s*\d/.test(headerOf(name) ?? ''));
  return (isLimited ? [...WAIT, ...RESET] : WAIT)
    .map((name) => headerOf(name) ?? '')
    .map((text) => parseRetryAfter(END.exec(text)?.slice(1).find(Boolean) ?? text, serverNow))
    .find((wait) => wait !== undefined);
}
