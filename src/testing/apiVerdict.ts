import { wrong } from '../internal/validate.js';
import type { TokenFate } from './tokenLedger.js';

/** What an API finds in a request: the fate of the token it carries, or `missing`. */
export type Credential = TokenFate | 'missing';

/**
 * How a resource is forbidden: by a bare 403, which may blame the token, or by one that says the scope is at fault (RFC
 * 6750 section 3.1).
 */
export type Forbidden = 'bare' | 'insufficient_scope';

export interface Verdict {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const INVALID = 'Bearer error="invalid_token"';

/**
 * What an API says to a credential, before it looks at the request: 200 if nothing. RFC 6750 section 3 asks for a
 * challenge, and for none of the error codes where no token came. With `refuseWith: 403` it is one of those that say
 * just that.
 */
export function verdictOn(credential: Credential, forbidden: Forbidden | undefined, refuseWith: 401 | 403): Verdict {
  if (credential !== 'alive')
    return refuseWith === 403
      ? { status: 403, headers: {} }
      : { status: 401, headers: { 'www-authenticate': credential === 'missing' ? 'Bearer' : INVALID } };
  if (forbidden === 'bare') return { status: 403, headers: {} };
  if (forbidden) return { status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } };
  return { status: 200, headers: {} };
}

/** A scripted status; a 401 blames the token. */
export const scriptedStatus = (status: number): Verdict => ({
  status,
  headers: status === 401 ? { 'www-authenticate': INVALID } : {},
});

/** A path that no request can have would be forbidden in vain. */
export function requireForbidden(path: unknown, how: unknown): void {
  const isPath = typeof path === 'string' && URL.canParse(path, 'http://api');
  if (!isPath || new URL(path, 'http://api').pathname !== path)
    throw wrong('path', path, 'a path as requests have it: encoded, from "/" on, without query');
  if (how !== 'bare' && how !== 'insufficient_scope') throw wrong('how', how, '"bare" or "insufficient_scope"');
}

export function requireRefusal(refuseWith: unknown): void {
  if (refuseWith !== 401 && refuseWith !== 403) throw wrong('refuseWith', refuseWith, '401 or 403');
}
