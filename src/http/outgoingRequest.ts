/** A request as it was at the call: what is sent now, and again after a redirect or a rejection. */
import { isStream } from '../internal/values/isStream.js';
import { orAborted } from '../internal/async/onAbort.js';
import type { BodyInit, HeadersInit, RequestRedirect } from '../internal/platform/platformTypes.js';
import { requireObject } from '../internal/values/validate.js';
import { resourceOf } from './destinations.js';
import { copyOfHeaders, type HeaderRecord } from './headerRecord.js';
import { inBrowser } from './inBrowser.js';
import { isGetOrHead } from './redirect.js';
import { copyOfBody, releaseBody } from './requestBody.js';

/** A `RequestInit` whose body may also be that of a Request, which is cloned for each sending. */
export type OutgoingInit = Omit<RequestInit, 'body'> & { body?: BodyInit | Request | null };

/** One request as it was when the caller made it. Like fetch, which reads everything when it is called. */
export interface OutgoingRequest {
  /** Absolute. */
  readonly url: string;
  /** The input, if that was a Request. What `init` has wins. */
  readonly request: Request | undefined;
  readonly init: OutgoingInit;
  /** Those of the init, or of the Request. */
  readonly headers: HeaderRecord;
  readonly signal: AbortSignal | null | undefined;
  /** Whether the signal had aborted before the call. */
  readonly wasAborted: boolean;
  /** Made by a redirect. So is its repeat, whose response says `redirected` too. */
  readonly isRedirected?: boolean;
  isSent: boolean;
}

/**
 * The request as it is now: the caller may use the same objects for the next call before this one leaves, or is
 * repeated.
 */
export function outgoingRequest(
  url: string,
  input: Request | undefined,
  given: RequestInit,
  replacingSignal?: AbortSignal,
): OutgoingRequest {
  const init = copyOfInit(given);
  // `fetch(request, init)` drops these two of the Request if `init` has any member.
  if (input) for (const name of ['referrer', 'referrerPolicy'] as const) init[name] ??= input[name] as never;
  const headers = copyOfHeaders(given.headers ?? input?.headers);
  // `null` takes the Request's signal away.
  if (input && init.signal === undefined) init.signal = signalOf(input);
  const wasAborted = init.signal?.aborted === true;
  if (replacingSignal) init.signal = replacingSignal;
  return { url, request: copyOfRequest(input, init), init, headers, signal: init.signal, wasAborted, isSent: false };
}

/** Never read: an entry keeps a Request alive while its signal is held. */
const requests = /* @__PURE__ */ new WeakMap<AbortSignal, Request>();

/**
 * The signal of a Request, which also holds the Request: on Node it aborts only while somebody does. That of a clone
 * would abort only while somebody holds the clone.
 */
export function signalOf(request: Request): AbortSignal {
  const { signal } = request;
  // node-fetch has null where none was given.
  if (signal as AbortSignal | null | undefined) requests.set(signal, request);
  return signal;
}

/**
 * The Request as it is now, but for its headers: the caller may read it. A GET or HEAD, and a Request beside another
 * body, cannot change. The Request is not asked for its body, since Deno would then send that in chunks.
 */
export const copyOfRequest = (request: Request | undefined, { body }: OutgoingInit): Request | undefined =>
  request && !body && !isGetOrHead(request.method) ? request.clone() : request;

/** The init as it is now, but for its headers. */
export function copyOfInit(given: RequestInit): OutgoingInit {
  requireObject(given, 'init');
  const init: OutgoingInit = parentOf(given) === Object.prototype ? { ...given } : fieldsOfClass(given);
  if (isRequest(given)) {
    init.body = given.body ? given.clone() : null;
    init.signal = signalOf(given);
  } else if (typeof init.body === 'object') init.body = copyOfBody(init.body);
  return init;
}

/**
 * A Request has its fields in its prototype, where a spread does not find them. So may an object of a class of the
 * caller's. Undici keeps the dispatcher of a Request, such as a proxy, under a symbol. In Node 24 it cannot be read.
 */
function fieldsOfClass(given: object): OutgoingInit {
  const fields: Record<string, unknown> = {};
  for (let part: object | null = given; part; part = parentOf(part)) {
    for (const key of Reflect.ownKeys(part)) {
      const isSymbol = typeof key === 'symbol';
      if (isSymbol && key.description !== 'dispatcher') continue;
      const name = isSymbol ? 'dispatcher' : key;
      const value = memberOf(given, key);
      if (typeof value !== 'function') fields[name] ??= value;
    }
  }
  return fields;
}

/** Undefined if it throws: Hono's Request inherits members of Node's own, and that of Next.js has dropped some. */
function memberOf(given: object, key: string | symbol): unknown {
  try {
    return (given as Record<string | symbol, unknown>)[key];
  } catch {
    return undefined;
  }
}

const parentOf = (object: object): object | null => Object.getPrototypeOf(object) as object | null;

/** Whether fetch takes it for a Request, of whichever realm or library. Anything else it takes for a URL. */
export const isRequest = (input: unknown): input is Request =>
  typeof input === 'object' && typeof (input as Partial<Request> | null)?.clone === 'function';

/** The URL as fetch reads it: anything that is not a Request is the text of one. */
export const urlOf = (input: unknown): string => (isRequest(input) ? input.url : String(input));

/** What to hand to fetch for one sending. */
export const inputOf = ({ request, init, url }: OutgoingRequest): Request | string =>
  // With a body in `init`, the Request's own may have been read, and `clone` would throw.
  (init.body ? request : request?.clone()) ?? url;

export function initOf({ init }: OutgoingRequest, headers: HeadersInit, redirect: RequestRedirect): RequestInit {
  // V8 takes a microsecond more where a member is added after a spread.
  const sent = { headers, redirect, ...init };
  sent.headers = headers;
  sent.redirect = redirect;
  if (isRequest(init.body)) Object.assign(sent, { body: init.body.clone().body, duplex: 'half' });
  return sent as RequestInit;
}

export const methodOf = ({ init, request }: Pick<OutgoingRequest, 'init' | 'request'>): string =>
  (init.method ?? request?.method ?? 'GET').toUpperCase();

export const redirectModeOf = ({ init, request }: OutgoingRequest): RequestRedirect =>
  init.redirect ?? request?.redirect ?? 'follow';

export const resourceKey = (outgoing: OutgoingRequest): string => resourceOf(methodOf(outgoing), outgoing.url);

/** A body that is consumed by sending it cannot be sent again. */
export const isRepeatable = ({ init }: OutgoingRequest): boolean => !isStream(init.body);

/**
 * The same request for a server, not for the HTTP cache of a browser, which may have kept the rejection that is the
 * reason for the repeat. Other platforms have no such cache, and some of them refuse the field.
 */
export function pastCache(outgoing: OutgoingRequest): OutgoingRequest {
  const { init, request } = outgoing;
  const isOwn = (init.cache ?? request?.cache ?? 'default') !== 'default';
  return isOwn || !inBrowser() ? outgoing : { ...outgoing, init: { ...init, cache: 'reload' } };
}

/** To be called when a request has ended: frees a body that was not sent. A Request of the caller's stays as it is. */
export function releaseUnsent({ isSent, init }: OutgoingRequest): void {
  if (!isSent) releaseBody(init.body);
}

/** The same request to where a server redirected it: with all its fields, and with its body or as a GET. */
export async function redirectedRequest(
  outgoing: OutgoingRequest,
  url: string,
  headers: HeaderRecord,
  withBody: boolean,
): Promise<OutgoingRequest> {
  const { init, request } = outgoing;
  const given = Object.entries(init as Record<string, unknown>).filter(([, value]) => value !== undefined);
  const changed = withBody
    ? { body: init.body ?? (request?.body ? await orAborted(request.clone().arrayBuffer(), outgoing.signal) : null) }
    : { method: 'GET', body: null };
  return {
    ...outgoing,
    url,
    request: undefined,
    headers,
    isRedirected: true,
    init: { ...(request && fieldsOfClass(request)), ...Object.fromEntries(given), ...changed },
  };
}
