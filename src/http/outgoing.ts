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
  /** Those of the init, or of the Request. */
  readonly headers: HeaderRecord;
}

/**
 * The request as it is now. Like fetch, which reads everything when it is called: the caller may use the same objects for
 * the next call before this one leaves, or is repeated.
 */
export function outgoingOf(url: string, request: Request | undefined, given: RequestInit): Outgoing {
  const init = { ...given };
  if (typeof given.body === 'object') init.body = ownBody(given.body);
  const headers = given.headers ?? request?.headers;
  return { url, request, init, headers: headers ? headersOf(headers) : NONE };
}

/** `null` takes the Request's signal away. */
export const signalOf = ({ init, request }: Pick<Outgoing, 'init' | 'request'>): AbortSignal | null | undefined =>
  init.signal === undefined ? request?.signal : init.signal;

export const methodOf = ({ init, request }: Outgoing): string =>
  (init.method ?? request?.method ?? 'GET').toUpperCase();

export const resourceKey = (outgoing: Outgoing): string => resourceOf(methodOf(outgoing), outgoing.url);

/** A body that is consumed by sending it cannot be sent again. A Request is cloned before each sending. */
export const isRepeatable = ({ init }: Outgoing): boolean => !isStream(init.body);

function ownBody(body: RequestInit['body']): RequestInit['body'] {
  if (!body) return body;
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
  switch (Object.prototype.toString.call(body)) {
    case '[object ArrayBuffer]':
      return (body as ArrayBuffer).slice(0);
    case '[object URLSearchParams]':
      return new URLSearchParams(body as URLSearchParams);
    case '[object FormData]':
      return copyOf(body as FormData);
    default:
      return body;
  }
}

/** Look-alikes of a platform that has none stay as they are. */
function copyOf(form: FormData): FormData {
  if (typeof FormData !== 'function' || !(form instanceof FormData)) return form;
  const copy = new FormData();
  form.forEach((value, name) => {
    copy.append(name, value as string);
  });
  return copy;
}

type HeaderRecord = Record<string, string>;

const isIterable = (headers: HeadersInit): headers is Headers | [string, string][] => Symbol.iterator in headers;

/** A plain record, as nearly every caller writes headers, stays as it is written. */
const headersOf = (headers: HeadersInit): HeaderRecord => (isIterable(headers) ? recordOf(headers) : { ...headers });

/** Spreading nothing at all costs more than spreading this. */
const NONE: HeaderRecord = {};

/** Header names in lower case, so that the same name in another case is the same key. */
export function recordOf(headers: HeadersInit | undefined): HeaderRecord {
  const record: HeaderRecord = {};
  const pairs: Iterable<readonly string[]> = headers && isIterable(headers) ? headers : Object.entries(headers ?? {});
  for (const [name, value] of pairs) {
    if (name === undefined || value === undefined) throw new TypeError('a header must be a name and a value');
    const key = name.toLowerCase();
    record[key] = record[key] === undefined ? value : `${record[key]}, ${value}`;
  }
  return record;
}

/** Whether the caller brought an Authorization header: that one is left alone. */
export function bringsAuthorization({ headers }: Outgoing): boolean {
  for (const name in headers) if (name.length === 13 && name.toLowerCase() === 'authorization') return true;
  return false;
}

/** The caller's headers plus the token's. Synchronous wherever the platform has Headers. */
export function withAuthorization(
  { headers }: Outgoing,
  token: AccessToken,
  authorize: Authorize | undefined,
): HeadersInit | Promise<HeadersInit> {
  if (!authorize) return { ...headers, authorization: authorizationOf(token) };
  const Class = platformHeaders();
  return typeof Class === 'function'
    ? authorized(Class, headers, token, authorize)
    : Class.then((Ponyfill) => authorized(Ponyfill, headers, token, authorize));
}

function authorized(Class: typeof Headers, given: HeaderRecord, token: AccessToken, authorize: Authorize): Headers {
  const headers = new Class(given);
  try {
    authorize(headers, token);
  } catch (error) {
    throw mentions(error, token.value)
      ? new TypeError(`authorize failed with an error that quotes the token ${token.id}`)
      : error;
  }
  return headers;
}

/** Errors may come from another realm: their fields tell, not their class. */
function mentions(error: unknown, secret: string, seen = new Set<unknown>()): boolean {
  if (typeof error === 'string') return error.includes(secret);
  if (typeof error !== 'object' || error === null || seen.has(error)) return false;
  seen.add(error);
  const { message, stack, cause, errors } = error as AggregateError;
  return [message, stack, cause, errors, ...(Object.values(error) as unknown[])].some((part) =>
    mentions(part, secret, seen),
  );
}
