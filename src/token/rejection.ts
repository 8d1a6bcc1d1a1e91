import type { AccessToken } from './types.js';
import { sameToken } from './accessToken.js';

/**
 * A server refused the token: status 401, or 403 unless the challenge says `insufficient_scope` (RFC 6750 section 3.1),
 * which no other token of the same grant would cure.
 */
export function isRejection(outcome: unknown): boolean {
  const { status } = answerOf(outcome);
  return status === 401 || (status === 403 && !/\berror\s*=\s*"?insufficient_scope\b/i.test(challengeOf(outcome)));
}

/** The server blames the token itself, not perhaps the resource: no other request should use it. */
export const isExplicit = (outcome: unknown): boolean =>
  answerOf(outcome).status === 401 || /\berror\s*=\s*"?invalid_token\b/i.test(challengeOf(outcome));

/** A Response or what looks like one; a data row with a `status` is not. */
export const looksLikeResponse = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Answer).status === 'number' && isObject((value as Answer).headers);

interface Answer {
  readonly status?: unknown;
  readonly headers?: unknown;
  readonly response?: unknown;
  readonly xhr?: { getResponseHeader?(name: string): string | null };
}

/** The answer that an outcome is (a Response, HttpErrorResponse, AjaxError) or carries (axios, HttpStatusError). */
function answerOf(outcome: unknown): Answer {
  if (!isObject(outcome)) return {};
  const { status, response } = outcome as Answer;
  return typeof status !== 'number' && isObject(response) ? (response as Answer) : (outcome as Answer);
}

function challengeOf(outcome: unknown): string {
  if (!isObject(outcome)) return '';
  const { headers, response, xhr } = outcome as Answer;
  for (const source of [headers, isObject(response) && (response as Answer).headers]) {
    if (!isObject(source)) continue;
    const { get } = source as { get?: (name: string) => unknown };
    const value = typeof get === 'function' ? get.call(source, 'www-authenticate') : (source as Record<string, unknown>)['www-authenticate'];
    if (typeof value === 'string') return value;
  }
  return xhr?.getResponseHeader?.('www-authenticate') ?? '';
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** A sliding window: at most `max` refreshes forced by rejections in any `per` ms. */
export class RejectionBudget {
  #spent: number[] = [];

  constructor(private readonly limit: { readonly max: number; readonly per: number }) {}

  spend(now: number): boolean {
    // A clock that was set back must neither refill the budget nor lock it for longer than one window.
    this.#spent = this.#spent.map((at) => Math.min(at, now)).filter((at) => now - at < this.limit.per);
    return this.#spent.length < this.limit.max && this.#spent.push(now) > 0;
  }
}

/** How many resources are remembered; the least recent is forgotten first. */
const REMEMBERED = 256;

interface Suspicion {
  /** The token with which the resource is asked again. */
  readonly token: AccessToken;
  repeats: number;
  fruitless: boolean;
}

/**
 * Resources that refused a fresh token too: a further refresh would be fruitless, so their rejections are passed on.
 * While the first repeat is still on its way, its outcome stands for all calls that overlap it.
 */
export class FruitlessRefreshes {
  readonly #byKey = new Map<string, Suspicion>();

  /** Whether a rejection of `token` by this resource is to be passed on at once. */
  knows(key: string | undefined, token: AccessToken): boolean {
    const entry = key === undefined ? undefined : this.#byKey.get(key);
    return entry !== undefined && (entry.fruitless || sameToken(entry.token, token));
  }

  /** The resource is about to be asked again with `token`. Call the result with the outcome; the first call counts. */
  repeat(key: string | undefined, token: AccessToken): (refused: boolean) => void {
    if (key === undefined) return () => undefined;
    const known = this.#byKey.get(key);
    const entry = known && sameToken(known.token, token) ? known : { token, repeats: 0, fruitless: known?.fruitless ?? false };
    entry.repeats++;
    this.#byKey.delete(key);
    this.#byKey.set(key, entry);
    for (const oldest of this.#byKey.keys()) {
      if (this.#byKey.size <= REMEMBERED) break;
      this.#byKey.delete(oldest);
    }
    let settled = false;
    return (refused) => {
      if (settled) return;
      settled = true;
      entry.repeats--;
      entry.fruitless ||= refused;
      if (!entry.fruitless && entry.repeats === 0 && this.#byKey.get(key) === entry) this.#byKey.delete(key);
    };
  }

  clear(): void {
    this.#byKey.clear();
  }
}
