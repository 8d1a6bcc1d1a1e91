import { defer, firstValueFrom, map, merge, take, type Observable } from 'rxjs';
import { aborted } from '../internal/onAbort.js';

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
    const request = typeof input === 'string' || 'href' in input ? undefined : input;
    const { pathname } = new URL(request ? request.url : (input as string | URL), 'http://localhost');
    const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
    const token = /^\S+ +(\S+)$/.exec(new Headers(init?.headers ?? request?.headers).get('authorization') ?? '')?.[1];
    const answered$ = exchange(method, pathname, token ?? null).pipe(map(responseOf));
    return merge(aborted(init?.signal ?? request?.signal), answered$).pipe(take(1));
  }
  return (input, init) => firstValueFrom(defer(() => fetched(input, init)));
}

/** Statuses with which a Response may have no body. */
const BODILESS = [204, 205, 304];

function responseOf({ status, headers, body }: ApiResponse): Response {
  if (body instanceof Response) return body;
  if (body === null || body === undefined || BODILESS.includes(status)) return new Response(null, { status, headers });
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}
