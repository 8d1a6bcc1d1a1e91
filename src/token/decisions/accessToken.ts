/** Makes the immutable `AccessToken` of a token response, and compares two of them. */
import { copyOfTokenResponse } from '../../answers/tokenResponse.js';
import { INSPECT } from '../../internal/platform/inspect.js';
import type { AccessToken, TokenResponse } from '../types.js';

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
    scheme: string | undefined,
  ) {
    const { access_token, scope } = (this.#raw = raw);
    this.type = scheme ?? schemeOf(raw.token_type);
    this.id = fingerprint(access_token);
    // A negative lifetime, or NaN, counts as 0.
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

  [INSPECT](): string {
    return String(this);
  }
}

/**
 * Makes a token of a response that `checkTokenResponse` let pass.
 *
 * @param scheme what to send, whatever `token_type` says
 */
export const accessToken = (
  response: TokenResponse,
  issuedAt: number,
  lifetime: number,
  scheme?: string,
): AccessToken => new RedactedToken(Object.freeze(copyOfTokenResponse(response)), issuedAt, lifetime, scheme);

export const sameToken = (a: AccessToken | null | undefined, b: AccessToken | null | undefined): boolean =>
  a?.value === b?.value && a?.type === b?.type;

/** The scheme (RFC 6750, RFC 9449). Servers write into `token_type` what they like and expect `Bearer` all the same. */
const schemeOf = (tokenType: unknown): string =>
  typeof tokenType === 'string' && tokenType.trim().toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer';

/** FNV-1a, 32 bits: enough to tell tokens apart in a log, too little to say anything about the value. */
function fingerprint(value: string): string {
  let hash = 0x811c9dc5;
  for (const char of value) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
