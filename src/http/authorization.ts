/** Puts the token into the headers of a request. */
import { ignoreRejection } from '../internal/async/ignoreRejection.js';
import type { HeadersInit } from '../internal/platform/platformTypes.js';
import type { AccessToken } from '../token/types.js';
import type { HeaderRecord } from './headerRecord.js';
import { platformHeaders } from './transport.js';

export type Authorize = (headers: Headers, token: AccessToken) => void;

/** The default header: `Authorization: Bearer …` (RFC 6750 section 2.1). */
export const authorizationOf = (token: AccessToken): string => `${token.type} ${token.value}`;

/** The caller's headers plus the token's. Synchronous wherever the platform has Headers. */
export function withAuthorization(
  headers: HeaderRecord,
  token: AccessToken,
  authorize: Authorize | undefined,
): HeadersInit | Promise<HeadersInit> {
  // The caller set no Authorization header. V8 takes a microsecond more where a member is added after a spread.
  if (!authorize) return { authorization: authorizationOf(token), ...headers };
  const Class = platformHeaders();
  return typeof Class === 'function'
    ? authorized(Class, headers, token, authorize)
    : Class.then((Ponyfill) => authorized(Ponyfill, headers, token, authorize));
}

function authorized(Class: typeof Headers, given: HeaderRecord, token: AccessToken, authorize: Authorize): Headers {
  const headers = new Class(given);
  try {
    const call: (headers: Headers, token: AccessToken) => unknown = authorize;
    const returned = call(headers, token);
    if (returned !== undefined) {
      ignoreRejection(returned);
      throw new TypeError('option "authorize" must put the token into the headers, and return nothing');
    }
  } catch (error) {
    throw mentions(error, token.value)
      ? new TypeError(`authorize failed with an error that quotes the token ${token.id}`)
      : error;
  }
  return headers;
}

/** Looks into an error, its cause, and whatever else it holds. */
function mentions(part: unknown, secret: string, seen = new Set<unknown>()): boolean {
  if (typeof part === 'string') return part.includes(secret);
  if (typeof part !== 'object' || part === null || seen.has(part)) return false;
  seen.add(part);
  // The message of a DOMException is not a property of its own.
  return ['message', ...Object.getOwnPropertyNames(part)].some((name) =>
    mentions((part as Record<string, unknown>)[name], secret, seen),
  );
}
