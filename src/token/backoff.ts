import { fieldsOf, headerOf } from '../internal/answers.js';
import { parseRetryAfter } from '../internal/retryAfter.js';
import type { AccessToken } from './types.js';

/** A failed fetch is not repeated sooner than this, whatever the dice say. */
export const MIN_PAUSE = 50;

const OAUTH_PERMANENT = [
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
];
const HTTP_TRANSIENT = [408, 425, 429];

export interface Backoff {
  readonly initial: number;
  readonly max: number;
  readonly factor: number;
}

/** By default no pause is longer than a sixth of a token's life. */
export function backoffOf(
  settings: Omit<Backoff, 'max'> & { readonly max: number | undefined },
  previous: AccessToken | null,
): Backoff {
  const lifetime = previous ? previous.expiresAt - previous.issuedAt : Infinity;
  return { ...settings, max: settings.max ?? Math.min(10_000, (lifetime || Infinity) / 6) };
}

/** The unjittered pause after the given attempt, the first being 1. */
export const backoffStep = (attempt: number, { initial, max, factor }: Backoff): number =>
  Math.min(max, initial * Math.min(factor ** (attempt - 1), Number.MAX_VALUE));

/**
 * The pause before the next attempt: full jitter, short enough that two more attempts fit into the `remaining` life of
 * the token at hand, and never shorter than the server asked for.
 */
export function retryDelay(
  attempt: number,
  backoff: Backoff,
  { random, remaining, retryAfter = 0 }: { random: () => number; remaining: number; retryAfter?: number | undefined },
): number {
  const pause = Math.min(random() * backoffStep(attempt, backoff), remaining / 3);
  return Math.max(MIN_PAUSE, Math.round(pause) || 0, retryAfter);
}

/** Failures that a repeat cannot mend: OAuth's own such codes (RFC 6749 section 5.2), and a 4xx that does not mean "later". */
export function isPermanentFailure(failure: unknown): boolean {
  const { status, error } = fieldsOf(failure);
  if (typeof error === 'string' && OAUTH_PERMANENT.includes(error)) return true;
  // RFC 9449 section 8: the answer brought the nonce that the next attempt will use.
  if (error === 'use_dpop_nonce') return false;
  return typeof status === 'number' && status >= 400 && status < 500 && !HTTP_TRANSIENT.includes(status);
}

/** How long the server asked to wait: `retryAfter` in ms, or the `Retry-After` header of the response that the failure carries, by that response's own `Date`. */
export function retryAfterOf(failure: unknown, now: number): number | undefined {
  const { retryAfter } = fieldsOf(failure);
  return typeof retryAfter === 'number' && retryAfter >= 0 && retryAfter < Infinity
    ? retryAfter
    : parseRetryAfter(headerOf(failure, 'retry-after'), Date.parse(headerOf(failure, 'date') ?? '') || now);
}
