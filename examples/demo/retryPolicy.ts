import { isTokenError } from 'rx-fresh-token';

/** An answer of the API that is not a success. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    readonly status: number,
    /** Milliseconds that the API asked to wait. */
    readonly retryAfter: number | undefined,
  ) {
    super(`the API answered ${status}`);
  }
}

/** A record is sent at most this often again. */
export const REPEATS = 7;
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 10_000;
/** A server that asks for more than this is not waited for. */
const LONGEST_RETRY_AFTER = 120_000;

/**
 * Nothing can be sent any more, whatever the record: no token to be had, an address that may not get one, or an API
 * that knows no token of ours (401; a 403 may be about one record alone).
 */
export const endsTheRun = (error: unknown): boolean =>
  error instanceof RefusedError
    ? error.status === 401
    : isTokenError(error) && !isTokenError(error, 'ERR_REQUEST_TIMEOUT');

/** How long to wait before a record is sent again, or null if that would not help. `repeat` counts from 1. */
export function pauseBefore(repeat: number, error: unknown, random = Math.random): number | null {
  if (repeat > REPEATS || endsTheRun(error)) return null;
  const backoff = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (repeat - 1)) * (0.5 + random() / 2);
  if (!(error instanceof RefusedError)) return backoff;
  if (error.status < 500 && ![408, 425, 429].includes(error.status)) return null;
  if (error.retryAfter === undefined) return backoff;
  return error.retryAfter <= LONGEST_RETRY_AFTER ? Math.max(error.retryAfter, backoff) : null;
}

/** `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
