/** The public function `createHttpClient`: an Observable for each HTTP method. */
import { isObservable, throwError, type Observable } from 'rxjs';
import type { BodyInit, HeadersInit } from '../internal/platform/platformTypes.js';
import { isStream } from '../internal/values/isStream.js';
import { tagOf } from '../internal/values/kindOf.js';
import { displayUrl } from '../internal/values/urls.js';
import { numbersIn } from '../internal/values/validate.js';
import { managerOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import { createDestinations } from './destinations.js';
import { copyOfHeaders, headerRecord, headersOption, withoutHeaders, type HeaderRecord } from './headerRecord.js';
import { sendOnSubscribe, type Read } from './sendOnSubscribe.js';
import {
  copyOfInit,
  copyOfRequest,
  isRequest,
  methodOf,
  signalOf,
  urlOf,
  type OutgoingInit,
} from './outgoingRequest.js';
import { copyOfBody, hasContentType, isSendable, releaseBody } from './requestBody.js';
import { readBody, statusError } from './responseBody.js';
import { fetchWithToken, type FetchOptions } from './createFetch.js';

export interface HttpClientOptions extends FetchOptions {
  /**
   * Sent with every request, unless the request brings its own. A form and a Blob bring their content type.
   */
  headers?: HeadersInit | undefined;
  /**
   * Milliseconds for a whole request, with the wait for a token and a repeat. For all methods except `request` and
   * `head`, the body is included. >= 1. Default none.
   */
  timeout?: number | undefined;
}

/** What fetch takes, and the time limit of this one request. */
export type HttpRequestInit = RequestInit & {
  /**
   * Milliseconds for this request, in place of the client's `timeout`. >= 1; `Infinity`: none. Past it:
   * {@link RequestTimeoutError}.
   */
  timeout?: number | undefined;
};

/**
 * Every method returns a cold Observable. Subscribing sends the request, as it was at the call of the method.
 * Unsubscribing aborts it.
 *
 * An {@link HttpStatusError} holds no connection: before it is emitted, up to 64 kB of the body are read, for at most
 * 2 s. Its response has these; the rest is cancelled.
 */
export interface HttpClient {
  /** Emits the response, whatever its status, as fetch does. A Request is sent as it is at the call. */
  request(url: string | URL | Request, init?: HttpRequestInit): Observable<Response>;
  /**
   * Emits the body: parsed if it is JSON, null if there is none, else text. A status outside 200 to 299 errors with
   * {@link HttpStatusError}.
   */
  get<T>(url: string | URL, init?: HttpRequestInit): Observable<T>;
  /** Emits the body, as `get` does: null after a 204. */
  delete<T>(url: string | URL, init?: HttpRequestInit): Observable<T>;
  /** Emits the response, which has no body. A status outside 200 to 299 errors with {@link HttpStatusError}. */
  head(url: string | URL, init?: HttpRequestInit): Observable<Response>;
  /**
   * Sends the body, and emits that of the answer as `get` does. Text, binary data, forms and streams are sent as they
   * are, anything else as JSON; no body for `null` and `undefined`.
   */
  post<T>(url: string | URL, body?: unknown, init?: HttpRequestInit): Observable<T>;
  /** Sends and emits a body as `post` does. */
  put<T>(url: string | URL, body?: unknown, init?: HttpRequestInit): Observable<T>;
  /** Sends and emits a body as `post` does. */
  patch<T>(url: string | URL, body?: unknown, init?: HttpRequestInit): Observable<T>;
}

/**
 * An HTTP client whose requests carry the latest token, with the guarantees of {@link createFetch}.
 *
 * ```ts
 * const http = createHttpClient(token$, { baseUrl: 'https://api.example.com' });
 * http.post<{ id: number }>('/orders', { item: 'tea' }).subscribe(({ id }) => console.log(id));
 * ```
 *
 * @throws TypeError that names an option out of range. The Observables error with {@link OriginNotAllowedError},
 *   {@link TokenUnavailableError}, {@link TokenStreamClosedError}, {@link RequestTimeoutError}, {@link
 *   HttpStatusError}.
 */
export function createHttpClient(token$: TokenStream, options: HttpClientOptions = {}): HttpClient {
  const destinations = createDestinations(options);
  const { timers, lastError } = managerOf(token$);
  const { headers, timeout: defaultTimeout, fetch, authorize, isRejection, ...others } = options;
  // By name: an instance of a class inherits them, which a rest does not find.
  const fetchOptions = { fetch, authorize, isRejection, ...others };
  const sender = { send: fetchWithToken(token$, fetchOptions, destinations), timers, lastError };
  numbersIn({ timeout: defaultTimeout }, TIMEOUT);
  const defaults = headers === undefined ? undefined : headersOption(headers);

  const send = <R>(input: string | URL | Request, init: Prepared, read?: Read<R>): Observable<R> => {
    const request = isRequest(input) ? copyOfRequest(input, init) : undefined;
    const url = urlOf(input);
    const name = () => `${methodOf({ init, request })} ${displayUrl(new URL(destinations.resolve(url)))}`;
    const { timeout = defaultTimeout } = init;
    // node-fetch has an option of this name. V8 copies an object slowly once a member was deleted.
    if ('timeout' in init) delete init.timeout;
    if (isRequest(input) && init.signal === undefined) init.signal = signalOf(input);
    return sendOnSubscribe<R>(sender, { input: request ?? url, init, timeout, name, read });
  };

  const sendAndParse = <T>(method: string, url: string | URL, given?: HttpRequestInit, body?: unknown): Observable<T> =>
    errorAsObservable(body ?? given?.body, () => {
      // The client's method counts; a member that is set here is not added after the spread (see `prepared`).
      const init: Prepared = { method, body: undefined, ...prepared(given) };
      const hasBody = body !== undefined && body !== null;
      const isJson = hasBody && !isSendable(body);
      if (hasBody) init.body = isJson ? jsonOf(body) : (copyOfBody(body) as BodyInit);
      const own = headerRecord(init.headers);
      const headers = Object.assign({ accept: ACCEPT }, isJson && JSON_TYPE, headersFor(init.body, defaults), own);
      Object.assign(init, { method, headers });
      // Fetch demands it for a stream.
      if (isStream(init.body)) (init as { duplex?: string }).duplex ??= 'half';
      return send(url, init, readOkBody as Read<T>);
    });

  /** As the caller gave it, with the headers of the client. */
  const withDefaultHeaders = (given?: HttpRequestInit, input?: unknown): Prepared => {
    const init = prepared(given);
    const headers = init.headers ?? (input as Partial<Request> | undefined)?.headers;
    if (defaults) init.headers = Object.assign({}, headersFor(init.body, defaults), headerRecord(headers));
    else if (headers) init.headers = copyOfHeaders(headers);
    return init;
  };

  return {
    request: (input, init) =>
      errorAsObservable(init?.body, () => send<Response>(input, withDefaultHeaders(init, input))),
    get: (url, init) => sendAndParse('GET', url, init),
    delete: (url, init) => sendAndParse('DELETE', url, init),
    head: (url, init) =>
      errorAsObservable(null, () => send(url, Object.assign(withDefaultHeaders(init), { method: 'HEAD' }), okResponse)),
    post: (url, body, init) => sendAndParse('POST', url, init, body),
    put: (url, body, init) => sendAndParse('PUT', url, init, body),
    patch: (url, body, init) => sendAndParse('PATCH', url, init, body),
  };
}

/** Reads a successful response; anything else is an error. */
const whenOk =
  <R>(read: Read<R>): Read<R> =>
  (response, name) =>
    response.ok ? read(response, name) : statusError(response, name);

const readOkBody = /* @__PURE__ */ whenOk(readBody);
const okResponse = /* @__PURE__ */ whenOk((response) => response);

type Prepared = OutgoingInit & { timeout?: number };

const TIMEOUT = { timeout: [1, Infinity] } as const;
const JSON_TYPE = { 'content-type': 'application/json' };
const ACCEPT = 'application/json, text/plain, */*';

/** What other clients take. Of unknown members only these are refused: a platform's fetch has its own. */
const FOREIGN = ['params', 'query', 'searchParams', 'json', 'data', 'responseType'];

/** The init as it is now, but for its headers; with a `timeout` that is checked. */
function prepared(given: HttpRequestInit | null | undefined): Prepared {
  // Each sending sets a signal. V8 takes a microsecond more where a member is added after a spread.
  const init: Prepared = { signal: undefined, ...copyOfInit(given ?? {}) };
  if (init.timeout !== undefined) numbersIn({ timeout: init.timeout }, TIMEOUT);
  const members = init as Partial<Record<string, unknown>>;
  for (const name of FOREIGN)
    if ((members[name] ?? undefined) !== undefined)
      throw new TypeError(`unknown option "${name}": a query is part of the URL, a body is an argument`);
  return init;
}

/** The client's headers for a request with this body: a form and a Blob bring their content type. */
const headersFor = (body: unknown, defaults: HeaderRecord | undefined): HeaderRecord | undefined =>
  defaults && hasContentType(body) ? withoutHeaders(defaults, ['content-type']) : defaults;

/** What is wrong with a call errors its Observable, as what is wrong with the request does. */
function errorAsObservable<T>(body: unknown, make: () => Observable<T>): Observable<T> {
  try {
    return make();
  } catch (error) {
    releaseBody(body);
    return throwError(() => error);
  }
}

function jsonOf(body: unknown): string {
  const isObservableBody = isObservable(body);
  const kind = isObservableBody ? 'Observable' : tagOf(body).slice(8, -1);
  const json = isObservableBody ? undefined : (JSON.stringify(body) as string | undefined);
  // A Map, a promise that nobody awaited: nothing of it would be sent.
  if (json === undefined || (json === '{}' && kind !== 'Object'))
    throw new TypeError(`a body must be what fetch can send, or JSON, and not ${kind}`);
  return json;
}
