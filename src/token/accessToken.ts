import { InvalidTokenResponseError, TokenEndpointError } from '../errors.js';
import type { AccessToken, TokenResponse } from './types.js';

/** What goes into a header without breaking it: visible ASCII, and no space. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

/** As their RFCs spell them (6750, 9449). */
const SCHEMES = ['Bearer', 'DPoP'];

/** The secret lives in a private field: no inspector prints those, whatever it is told to show. */
class RedactedToken implements AccessToken {
  readonly #raw: TokenResponse;
  readonly type: string;
  readonly id: string;
  readonly expiresAt: number;
  readonly scope: string | undefined;

  constructor(
    raw: TokenResponse,
    readonly issuedAt: number,
    lifetime: number,
  ) {
    const { access_token, scope } = (this.#raw = raw);
    const type = (raw.token_type as string | null | undefined) ?? 'Bearer';
    // RFC 6749 section 5.1: the type is case insensitive; resource servers often are not.
    this.type = SCHEMES.find((scheme) => scheme.toLowerCase() === type.toLowerCase()) ?? type;
    this.id = fingerprint(access_token);
    // A life that cannot be kept, NaN too, is none.
    this.expiresAt = issuedAt + (lifetime > 0 ? lifetime : 0);
    this.scope = typeof scope === 'string' ? scope : undefined;
    Object.freeze(this);
  }

  get value(): string {
    return this.#raw.access_token;
  }

  get raw(): TokenResponse {
    return this.#raw;
  }

  toString(): string {
    return `AccessToken(${this.type} ${this.id})`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return String(this);
  }
}

/** Makes a token of a response that {@link checkTokenResponse} let pass. */
export const accessToken = (response: TokenResponse, issuedAt: number, lifetime: number): AccessToken =>
  new RedactedToken(Object.freeze({ ...response }), issuedAt, lifetime);

/** Throws an error that says what is wrong with a response, without quoting it. */
export function checkTokenResponse(response: unknown): asserts response is TokenResponse {
  const { access_token: value, token_type, error, error_description } = (response ?? {}) as Record<string, unknown>;
  if (typeof error === 'string' && (typeof value !== 'string' || !value)) {
    const code = /^[\x20-\x7e]{1,80}$/.test(error) ? error : '(unprintable)';
    throw new TokenEndpointError(`the token endpoint answered with the error ${code}`, {
      error,
      ...(typeof error_description === 'string' && { error_description }),
    });
  }
  const type = token_type ?? 'Bearer';
  const fault =
    typeof response !== 'object' || response === null || Array.isArray(response)
      ? `is ${kindOf(response)}, not an object`
      : typeof value !== 'string' || !value
        ? `has no access_token (${kindOf(value)})`
        : !VISIBLE_ASCII.test(value)
          ? 'has an access_token that no header can carry'
          : typeof type !== 'string' || !VISIBLE_ASCII.test(type)
            ? 'has a token_type that no header can carry'
            : undefined;
  if (fault) throw new InvalidTokenResponseError(`the token response ${fault}`);
}

export const sameToken = (a: AccessToken | null | undefined, b: AccessToken | null | undefined): boolean =>
  a?.value === b?.value && a?.type === b?.type;

const kindOf = (value: unknown): string =>
  value === null ? 'null' : value === '' ? 'empty' : Array.isArray(value) ? 'an array' : typeof value;

/** FNV-1a, 32 bits: enough to tell tokens apart in a log, too little to say anything about the value. */
function fingerprint(value: string): string {
  let hash = 0x811c9dc5;
  for (const char of value) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
