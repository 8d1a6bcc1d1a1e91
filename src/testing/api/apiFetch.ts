/** Gives the scripted API the shape of the global fetch. */
import { defer, firstValueFrom, map, merge, take, type Observable } from 'rxjs';
import { aborted } from '../../internal/async/onAbort.js';

/** What `send` emits with `responses: true`. */
export interface ApiResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export type ApiExchange = (method: string, path: string, token: string | null) => Observable<ApiResponse>;

/** An API by promises, shaped like the global fetch. */
export function fetchFrom(exchange: ApiExchange): typeof globalThis.fetch {
  function fetched(input: string | URL | Request, init?: RequestInit): Observable<Response> {
    const given = typeof input === 'string' || 'href' in input ? undefined : input;
    // The platform's Request rejects what its fetch rejects. A path is taken too, as in a page, and so is a signal of
    // another implementation, such as that of jsdom.
    const request = new Request(given ?? new URL(input as string | URL, 'http://localhost'), { ...init, signal: null });
    const token = /^\S+ +(\S+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    const answered$ = exchange(request.method, new URL(request.url).pathname, token ?? null).pipe(
      map((answer) => responseOf(answer, request)),
    );
    const signal = init?.signal === undefined ? given?.signal : init.signal;
    return merge(aborted(signal), answered$).pipe(take(1));
  }
  return (input, init) => firstValueFrom(defer(() => fetched(input, init)));
}

/** Statuses with which a Response may have no body. */
const BODILESS = [204, 205, 304];

function responseOf({ status, headers, body }: ApiResponse, { method, url }: Request): Response {
  if (body instanceof Response) return body;
  const hasContent = body !== null && body !== undefined && !BODILESS.includes(status);
  const response = new Response(hasContent && method !== 'HEAD' ? JSON.stringify(body) : null, {
    status,
    headers: { ...(hasContent && { 'content-type': 'application/json' }), ...headers },
  });
  return Object.defineProperty(response, 'url', { value: url.replace(/#.*/, '') });
}
