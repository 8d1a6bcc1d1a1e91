import { isStream } from '../internal/isStream.js';
import { authorizationOf, resourceOf } from './authorize.js';
import { platformHeaders } from './transport.js';
import type { AccessToken } from '../token/types.js';

export type Authorize = (headers: Headers, token: AccessToken) => void;

/** One request as the caller described it: a URL and its init, or a Request whose init wins. */
export interface Outgoing {
  readonly url: string;
  readonly request: Request | undefined;
  readonly init: RequestInit;
}

export const signalOf = ({ init, request }: Outgoing): AbortSignal | null | undefined => init.signal ?? request?.signal;

export const methodOf = ({ init, request }: Outgoing): string => (init.method ?? request?.method ?? 'GET').toUpperCase();

export const resourceKey = (outgoing: Outgoing): string => resourceOf(methodOf(outgoing), outgoing.url);

/** A body that is consumed by sending it cannot be sent again. A Request is cloned before each sending. */
export const isRepeatable = ({ init }: Outgoing): boolean => !isStream(init.body);

/** Frees the connection of an answer that nobody will read. */
export function discard({ body }: Response): void {
  const stream = body as { cancel?: () => Promise<void>; resume?: () => void } | null;
  if (stream?.cancel) stream.cancel().catch(() => undefined);
  // node-fetch: destroying its body would leave the socket paused.
  else stream?.resume?.();
}

type HeaderRecord = Record<string, string>;

/** Header names in lower case, so that the same name in another case is the same key. */
export function recordOf(headers: HeadersInit | undefined): HeaderRecord {
  if (!headers) return {};
  const entries = typeof (headers as Headers).entries === 'function' ? [...(headers as unknown as Iterable<[string, string]>)] : Object.entries(headers as HeaderRecord);
  const record: HeaderRecord = {};
  for (const [name, value] of entries) {
    const key = name.toLowerCase();
    record[key] = record[key] === undefined ? value : `${record[key]}, ${value}`;
  }
  return record;
}

/** A plain record of headers, as nearly every caller writes them; anything else needs the Headers class. */
function plainHeaders(headers: HeadersInit | undefined): HeaderRecord | undefined {
  if (!headers) return {};
  return Array.isArray(headers) || typeof headers.has === 'function' ? undefined : (headers as HeaderRecord);
}

/** Whether the caller brought an Authorization header: that one is left alone. */
export function bringsAuthorization({ init, request }: Outgoing): boolean {
  const plain = init.headers === undefined && request ? undefined : plainHeaders(init.headers);
  if (plain) {
    for (const name in plain) if (name.length === 13 && name.toLowerCase() === 'authorization') return true;
    return false;
  }
  const headers = init.headers ?? request?.headers;
  if (Array.isArray(headers)) return headers.some(([name]) => name.toLowerCase() === 'authorization');
  return (headers as Headers).has('authorization');
}

/** The caller's headers plus the token's. Synchronous wherever the platform has Headers. */
export function withAuthorization({ init, request }: Outgoing, token: AccessToken, authorize: Authorize | undefined): HeadersInit | Promise<HeadersInit> {
  const plain = init.headers === undefined && request ? undefined : plainHeaders(init.headers);
  if (plain && !authorize) return { ...plain, authorization: authorizationOf(token) };
  const given = init.headers ?? request?.headers;
  const Class = platformHeaders();
  return typeof Class === 'function' ? authorized(Class, given, token, authorize) : Class.then((Ponyfill) => authorized(Ponyfill, given, token, authorize));
}

function authorized(Class: typeof Headers, given: HeadersInit | undefined, token: AccessToken, authorize: Authorize | undefined): Headers {
  const headers = new Class(given);
  try {
    if (authorize) authorize(headers, token);
    else headers.set('authorization', authorizationOf(token));
  } catch (error) {
    throw mentions(error, token.value) ? new TypeError(`authorize failed with an error that quotes the token ${token.id}`) : error;
  }
  return headers;
}

/** Errors may come from another realm: their fields tell, not their class. */
function mentions(error: unknown, secret: string): boolean {
  const { message, stack, cause } = (error ?? {}) as Error;
  return [error, message, stack, ...(Object.values(error ?? {}) as unknown[])].some((text) => typeof text === 'string' && text.includes(secret)) || (cause !== undefined && mentions(cause, secret));
}
