import { defer, Observable } from 'rxjs';
import { HttpStatusError, RequestTimeoutError } from '../errors.js';
import { isStream } from '../internal/isStream.js';
import { onAbort } from '../internal/onAbort.js';
import { numbersIn, wrong } from '../internal/validate.js';
import { managerOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import { recordOf } from './outgoing.js';
import { plainError, tokenFetch, type FetchOptions } from './tokenFetch.js';

export interface HttpClientOptions extends FetchOptions {
  /** Sent with every request, unless the request brings its own. */
  headers?: HeadersInit;
  /** Milliseconds for a whole request: waiting for a token, a repeat, and with `get` and the like the body. >= 1. Default none. */
  timeout?: number;
}

export type HttpRequestInit = RequestInit & { timeout?: number };

/** Responses that their callers may still be reading. */
const unread = /* @__PURE__ */ new FinalizationRegistry<() => void>((unlink) => {
  unlink();
});

/** Every method returns a cold Observable: subscribing sends, unsubscribing aborts. */
export interface HttpClient {
  /** Emits the response, whatever its status, as fetch does. */
  request(url: string | URL, init?: HttpRequestInit): Observable<Response>;
  /** Emits the body: parsed if it is JSON, null if there is none, else text. A status outside 200 to 299 errors with {@link HttpStatusError}. */
  get<T>(url: string | URL, options?: HttpRequestInit): Observable<T>;
  delete<T>(url: string | URL, options?: HttpRequestInit): Observable<T>;
  head(url: string | URL, options?: HttpRequestInit): Observable<Response>;
  /** What fetch cannot send as it is goes as JSON. */
  post<T>(url: string | URL, body?: unknown, options?: HttpRequestInit): Observable<T>;
  put<T>(url: string | URL, body?: unknown, options?: HttpRequestInit): Observable<T>;
  patch<T>(url: string | URL, body?: unknown, options?: HttpRequestInit): Observable<T>;
}

/**
 * An HTTP client whose requests ride on the token stream, with the guarantees of {@link createFetch}.
 *
 * ```ts
 * const http = createHttpClient(token$, { baseUrl: 'https://api.example.com' });
 * http.post<{ id: number }>('/orders', { item: 'tea' }).subscribe(({ id }) => console.log(id));
 * ```
 *
 * @throws TypeError that names an option out of range. The Observables error with {@link OriginNotAllowedError},
 *   {@link TokenUnavailableError}, {@link TokenStreamClosedError}, {@link RequestTimeoutError}, {@link HttpStatusError}.
 */
export function createHttpClient(token$: TokenStream, options: HttpClientOptions = {}): HttpClient {
  const { timers } = managerOf(token$);
  const ride = tokenFetch(token$, options);
  const { timeout: defaultTimeout } = numbersIn(options, { timeout: [1, Infinity] });
  if (options.headers !== undefined && (typeof options.headers !== 'object' || (options.headers as unknown) === null))
    throw wrong('headers', options.headers, 'headers as fetch takes them');
  const defaults = options.headers && recordOf(options.headers);

  // Hand-made, since RxJS' fromFetch takes no injected fetch.
  const exchange = <R>(
    url: string | URL,
    { timeout, signal, ...init }: HttpRequestInit,
    read?: (response: Response) => Promise<R>,
  ): Observable<R> =>
    new Observable((subscriber) => {
      const limit = timeout === undefined ? defaultTimeout : numbersIn({ timeout }, { timeout: [1, Infinity] }).timeout;
      const headers = defaults ? { ...defaults, ...recordOf(init.headers) } : init.headers;
      const controller = new AbortController();
      // Not AbortSignal.any: a signal that outlives its requests keeps something of each, in Node 20 for ever.
      const unlink = signal
        ? onAbort(signal, () => {
            controller.abort(signal.reason);
          })
        : () => undefined;
      let settled = false;
      if (limit !== undefined) {
        const late = () => {
          subscriber.error(new RequestTimeoutError(`${nameOf(url, init)} took longer than ${String(limit)} ms`));
        };
        subscriber.add(timers.after(limit, true).subscribe(late));
      }
      const answer = ride(url, { ...init, headers, signal: controller.signal }, signal);
      (read ? answer.then(read) : (answer as Promise<R>)).then(
        (value) => {
          settled = true;
          // The caller may still read, and abort reading.
          if (!read && (value as Response).body) unread.register(value as Response, unlink);
          else unlink();
          subscriber.next(value);
          subscriber.complete();
        },
        (error: unknown) => {
          settled = true;
          unlink();
          subscriber.error(plainError(error, controller.signal));
        },
      );
      return () => {
        if (settled) return;
        unlink();
        controller.abort();
      };
    });

  const parsed = <T>(
    method: string,
    url: string | URL,
    { headers, ...rest }: HttpRequestInit = {},
    extra: RequestInit = {},
  ): Observable<T> => {
    const init = {
      ...rest,
      ...extra,
      method,
      headers: {
        accept: 'application/json, text/plain, */*',
        ...(extra.headers as Record<string, string>),
        ...defaults,
        ...recordOf(headers),
      },
    };
    return exchange<T>(url, init, async (response) =>
      parse<T>(requireOk(response, nameOf(url, init)), nameOf(url, init)),
    );
  };
  const sending =
    (method: string) =>
    <T>(url: string | URL, body?: unknown, init?: HttpRequestInit) =>
      defer(() => parsed<T>(method, url, init, bodyOf(body)));

  return {
    request: (url, init = {}) => exchange<Response>(url, init),
    get: (url, init) => parsed('GET', url, init),
    delete: (url, init) => parsed('DELETE', url, init),
    head: (url, init = {}) =>
      exchange(url, { ...init, method: 'HEAD' }, (response) =>
        Promise.resolve(requireOk(response, nameOf(url, { method: 'HEAD' }))),
      ),
    post: sending('POST'),
    put: sending('PUT'),
    patch: sending('PATCH'),
  };
}

/** For messages: the method and the URL without its query. */
const nameOf = (url: string | URL, { method = 'GET' }: RequestInit): string =>
  `${method} ${String(url).replace(/[?#].*$/s, '')}`;

function requireOk(response: Response, name: string): Response {
  if (response.ok) return response;
  throw new HttpStatusError(`${name} answered ${String(response.status)}`, response);
}

async function parse<T>(response: Response, name: string): Promise<T> {
  const text = await response.text();
  const isJson = /\bjson\b/i.test(response.headers.get('content-type') ?? '');
  if (text === '') return null as T;
  try {
    return (isJson || /^\s*[[{]/.test(text) ? JSON.parse(text) : text) as T;
  } catch {
    // JSON.parse would quote the body.
    if (isJson) throw new SyntaxError(`${name}: the body says that it is JSON, but it is not`);
    return text as T;
  }
}

/** What fetch can send as it is. */
const SENDABLE =
  /^\[object (Blob|File|FormData|URLSearchParams|ArrayBuffer|SharedArrayBuffer|DataView|[A-Za-z0-9]+Array)\]$/;

function bodyOf(body: unknown): RequestInit {
  if (body === undefined || body === null) return {};
  if (typeof body === 'string' || SENDABLE.test(Object.prototype.toString.call(body)) || isStream(body))
    return { body: body as BodyInit };
  const json = JSON.stringify(body) as string | undefined;
  if (json === undefined)
    throw new TypeError(`a body must be what fetch can send, or JSON: a ${typeof body} is neither`);
  return { body: json, headers: { 'content-type': 'application/json' } };
}
