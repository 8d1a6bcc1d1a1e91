/** The main entry `rx-fresh-token`: token streams, the operator `withToken`, the HTTP clients and all errors. */
export { createTokenStream } from './token/tokenStream.js';
export { takeToken, type TakeTokenOptions } from './token/takeToken.js';
export { withToken } from './token/withToken.js';
export type { WithTokenOptions } from './token/requestRules.js';
export type {
  AccessToken,
  BackoffOptions,
  RefreshReason,
  RejectionBudget,
  TokenRequest,
  TokenResponse,
  TokenSource,
  TokenStream,
  TokenStreamOptions,
} from './token/types.js';
export type {
  Closed,
  Idle,
  RefreshFailed,
  RefreshStarted,
  RejectionOutcome,
  SignedOut,
  TokenChanged,
  TokenEvent,
  TokenExpired,
  TokenRejected,
} from './token/events.js';
export type { StoredToken, TokenStore } from './token/tokenStore.js';
export { createFetch, type FetchOptions } from './http/createFetch.js';
export { createHttpClient, type HttpClient, type HttpClientOptions, type HttpRequestInit } from './http/httpClient.js';
export {
  HttpStatusError,
  InvalidTokenResponseError,
  isTokenError,
  OriginNotAllowedError,
  RequestTimeoutError,
  TokenEndpointError,
  TokenFetchTimeoutError,
  TokenStoreError,
  TokenStreamClosedError,
  TokenUnavailableError,
  type TokenError,
  type TokenEndpointErrorInit,
} from './errors.js';
