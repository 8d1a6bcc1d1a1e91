import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import type { AccessToken, TokenResponse } from './types.js';

/** What goes into a header without breaking it: visible ASCII, no space (RFC 6750 section 2.1 allows less, RFC 9110 no more). */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/** The secret lives in private fields: no inspector prints those, whatever it is told to show. */
class RedactedToken implements AccessToken {
  readonly #value: string;
  readonly #raw: TokenResponse;
  readonly id: string;

  constructor(
    raw: TokenResponse,
    readonly type: string,
    readonly issuedAt: number,
    readonly expiresAt: number,
    readonly scope: string | undefined,
  ) {
    this.#value = raw.access_token;
    this.#raw = raw;
    this.id = fingerprint(raw.access_token);
    Object.freeze(this);
  }

  get value(): string {
    return this.#value;
  }

  get raw(): TokenResponse {
    return this.#raw;
  }

  toString(): string {
    return `AccessToken(${this.type} ${this.id})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** Makes a token of a response that {@link checkTokenResponse} let pass. */
export function accessToken(response: TokenResponse, issuedAt: number, lifetime: number): AccessToken {
  const type = response.token_type ?? 'Bearer';
  return new RedactedToken(
    response,
    // RFC 6749 section 5.1: the type is case insensitive; resource servers often are not.
    type.toLowerCase() === 'bearer' ? 'Bearer' : type,
    issuedAt,
    // A life that cannot be kept, NaN too, is none.
    issuedAt + (lifetime > 0 ? lifetime : 0),
    typeof response.scope === 'string' ? response.scope : undefined,
  );
}

/** Throws an error that says what is wrong with a response, without quoting it. */
export function checkTokenResponse(response: unknown): asserts response is TokenResponse {
  if (typeof response !== 'object' || response === null || Array.isArray(response)) {
    throw new InvalidTokenResponseError(`the token response is not an object but ${kindOf(response)}`);
  }
  const { access_token: value, token_type: type, error, error_description } = response as Record<string, unknown>;
  if (typeof error === 'string' && typeof value !== 'string') {
    throw new TokenEndpointError(`the token endpoint answered with the error ${printable(error)}`, {
      error,
      ...(typeof error_description === 'string' && { error_description }),
    });
  }
  if (typeof value !== 'string' || value === '') {
    throw new InvalidTokenResponseError(`the token response has no access_token: it is ${kindOf(value)}`);
  }
  if (!VISIBLE_ASCII.test(value)) {
    throw new InvalidTokenResponseError('the access_token has characters that no header can carry (only visible ASCII is allowed)');
  }
  if (type !== undefined && type !== null && !(typeof type === 'string' && VISIBLE_ASCII.test(type))) {
    throw new InvalidTokenResponseError('the token_type has characters that no header can carry (only visible ASCII is allowed)');
  }
}

export const sameToken = (a: AccessToken | null | undefined, b: AccessToken | null | undefined): boolean =>
  a === b || (!!a && !!b && a.value === b.value && a.type === b.type);

const kindOf = (value: unknown): string =>
  value === null ? 'null' : value === '' ? 'empty' : Array.isArray(value) ? 'an array' : typeof value;

const printable = (code: string): string => (/^[\x20-\x7e]{1,80}$/.test(code) ? code : '(unprintable)');

/** FNV-1a, 32 bits: enough to tell tokens apart in a log, too little to say anything about the value. */
function fingerprint(value: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < value.length; i++) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
