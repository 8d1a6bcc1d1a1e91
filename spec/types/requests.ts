/** Compiled only: what TypeScript makes of requests with a token, and of errors. */
import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import {
  createFetch,
  createHttpClient,
  HttpStatusError,
  isTokenError,
  TokenEndpointError,
  withToken,
  type AccessToken,
  type FetchOptions,
  type HttpClient,
  type HttpClientOptions,
  type HttpRequestInit,
  type InvalidTokenResponseError,
  type OriginNotAllowedError,
  type RequestTimeoutError,
  type TokenError,
  type TokenFetchTimeoutError,
  type TokenStream,
  type TokenStreamClosedError,
  type TokenUnavailableError,
  type WithTokenOptions,
} from 'rx-fresh-token';

declare const token$: TokenStream;

// ---- withToken: what is sent says what comes

expectTypeOf(withToken(token$, () => of(5))).toEqualTypeOf<Observable<number>>();
expectTypeOf(withToken(token$, ({ value }) => Promise.resolve(value))).toEqualTypeOf<Observable<string>>();
expectTypeOf(withToken(token$, () => [{ a: 1 }])).toEqualTypeOf<Observable<{ a: number }>>();
expectTypeOf(
  withToken(token$, ({ value }) => fetch('https://api.example.com', { headers: { authorization: value } })),
).toEqualTypeOf<Observable<Response>>();
void withToken(token$, (token) => {
  expectTypeOf(token).toEqualTypeOf<AccessToken>();
  return of(5);
});
// As with switchMap, the results may be of different types.
declare const isCached: boolean;
expectTypeOf(token$.pipe(withToken(() => (isCached ? of(5) : of('x'))))).toEqualTypeOf<Observable<number | string>>();
expectTypeOf(withToken(token$, () => (isCached ? Promise.resolve(5) : of('x')))).toEqualTypeOf<
  Observable<number | string>
>();
expectTypeOf<WithTokenOptions>().toEqualTypeOf<{
  isRejection?: ((outcome: unknown) => boolean) | undefined;
  key?: string | undefined;
  maxWait?: number | undefined;
}>();
// @ts-expect-error streams of createTokenStream only
void withToken(of({} as AccessToken), () => of(5));
// @ts-expect-error what is sent is asked for by a function
void withToken(token$, of(5));

// ---- createFetch is a fetch

const ride = createFetch(token$, { baseUrl: 'https://api.example.com' });
expectTypeOf(ride).toEqualTypeOf<typeof globalThis.fetch>();
expectTypeOf(createFetch(token$)).toEqualTypeOf<typeof globalThis.fetch>();
expectTypeOf(ride('/orders', { method: 'POST', body: new FormData() })).resolves.toEqualTypeOf<Response>();
expectTypeOf(ride(new URL('https://api.example.com'))).resolves.toEqualTypeOf<Response>();
expectTypeOf(ride(new Request('https://api.example.com'))).resolves.toEqualTypeOf<Response>();
expectTypeOf<keyof FetchOptions>().toEqualTypeOf<
  'baseUrl' | 'allowedOrigins' | 'allowInsecureRequests' | 'fetch' | 'authorize' | 'isRejection'
>();
expectTypeOf<Pick<HttpClientOptions, keyof FetchOptions>>().toEqualTypeOf<FetchOptions>();
expectTypeOf<Exclude<keyof HttpClientOptions, keyof FetchOptions>>().toEqualTypeOf<'headers' | 'timeout'>();
expectTypeOf<FetchOptions['allowedOrigins']>().toEqualTypeOf<readonly string[] | undefined>();
expectTypeOf<FetchOptions['authorize']>().toEqualTypeOf<((headers: Headers, token: AccessToken) => void) | undefined>();
expectTypeOf<FetchOptions['isRejection']>().toEqualTypeOf<
  ((response: Response) => boolean | PromiseLike<boolean>) | undefined
>();
// @ts-expect-error a timeout is the client's
createFetch(token$, { timeout: 5 });

// ---- the client

interface Order {
  id: number;
}
const http = createHttpClient(token$, {
  baseUrl: new URL('https://api.example.com'),
  allowedOrigins: ['https://api.example.com'] as const,
  timeout: 5,
});
expectTypeOf(http).toEqualTypeOf<HttpClient>();
expectTypeOf<keyof HttpClient>().toEqualTypeOf<'request' | 'get' | 'delete' | 'head' | 'post' | 'put' | 'patch'>();
expectTypeOf(http.request('/')).toEqualTypeOf<Observable<Response>>();
expectTypeOf(http.head('/')).toEqualTypeOf<Observable<Response>>();
expectTypeOf(http.get<Order>('/', { timeout: 5 })).toEqualTypeOf<Observable<Order>>();
expectTypeOf(http.get('/')).toEqualTypeOf<Observable<unknown>>();
expectTypeOf(http.delete<null>(new URL('https://api.example.com'))).toEqualTypeOf<Observable<null>>();
expectTypeOf(http.post<Order>('/', { item: 'tea' })).toEqualTypeOf<Observable<Order>>();
expectTypeOf(http.put<Order>('/', new Uint8Array(), { headers: { 'content-type': 'x/y' } })).toEqualTypeOf<
  Observable<Order>
>();
expectTypeOf(http.patch<Order[]>('/')).toEqualTypeOf<Observable<Order[]>>();
expectTypeOf<HttpRequestInit>().toEqualTypeOf<RequestInit & { timeout?: number | undefined }>();
expectTypeOf(http.request(new Request('https://api.example.com'))).toEqualTypeOf<Observable<Response>>();

// ---- errors: a code narrows to its class

declare const error: unknown;
if (isTokenError(error)) expectTypeOf(error).toEqualTypeOf<TokenError>();
if (isTokenError(error, 'ERR_TOKEN_ENDPOINT')) {
  expectTypeOf(error).toEqualTypeOf<TokenEndpointError>();
  expectTypeOf(error.retryAfter).toEqualTypeOf<number | undefined>();
  expectTypeOf(error.name).toEqualTypeOf<'TokenEndpointError'>();
}
if (isTokenError(error, 'ERR_HTTP_STATUS')) {
  expectTypeOf(error.response).toEqualTypeOf<Response>();
  expectTypeOf(error.status).toBeNumber();
}
if (isTokenError(error, 'ERR_TOKEN_UNAVAILABLE')) expectTypeOf(error).toExtend<TokenUnavailableError>();
if (isTokenError(error, 'ERR_TOKEN_FETCH_TIMEOUT')) expectTypeOf(error).toExtend<TokenFetchTimeoutError>();
if (isTokenError(error, 'ERR_INVALID_TOKEN_RESPONSE')) expectTypeOf(error).toExtend<InvalidTokenResponseError>();
if (isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED')) expectTypeOf(error).toExtend<TokenStreamClosedError>();
if (isTokenError(error, 'ERR_ORIGIN_NOT_ALLOWED')) expectTypeOf(error).toExtend<OriginNotAllowedError>();
if (isTokenError(error, 'ERR_REQUEST_TIMEOUT')) expectTypeOf(error).toExtend<RequestTimeoutError>();
// @ts-expect-error no such code
isTokenError(error, 'ERR_TOKEN');
expectTypeOf<TokenError['code']>().toEqualTypeOf<
  | 'ERR_TOKEN_UNAVAILABLE'
  | 'ERR_TOKEN_FETCH_TIMEOUT'
  | 'ERR_TOKEN_ENDPOINT'
  | 'ERR_INVALID_TOKEN_RESPONSE'
  | 'ERR_TOKEN_STORE'
  | 'ERR_TOKEN_STREAM_CLOSED'
  | 'ERR_ORIGIN_NOT_ALLOWED'
  | 'ERR_REQUEST_TIMEOUT'
  | 'ERR_HTTP_STATUS'
>();
expectTypeOf<TokenError>().toExtend<Error>();
expectTypeOf(TokenEndpointError).toBeConstructibleWith('no', {
  status: 400,
  error: 'invalid_grant',
  error_description: 'expired',
  retryAfter: 5,
  cause: 1,
});
expectTypeOf(HttpStatusError).toBeConstructibleWith('no', new Response());
