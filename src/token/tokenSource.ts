/** The public types of a source, its request, its response and the token. */
import type { ObservableInput } from 'rxjs';

/** Why a token is fetched. */
export type RefreshReason = 'initial' | 'scheduled' | 'expired' | 'rejected' | 'manual';

/** What a {@link TokenSource} gets: why a token is fetched, and a signal that aborts the fetch. */
export interface TokenRequest {
  readonly reason: RefreshReason;
  /** 1 for the first try of a refresh; each repeat after a failure adds one. */
  readonly attempt: number;
  /** The last token of the session, expired or not; null for the first. */
  readonly previous: AccessToken | null;
  /**
   * Aborted when the fetch exceeds `fetchTimeout`, and by `signOut()` and `close()`. A client of this library sends a
   * request with this signal without a token.
   */
  readonly signal: AbortSignal;
  /**
   * The last response in the stream's store, expired or not; null if the store is empty. Absent without a store that
   * keeps responses. A secret, so not enumerable.
   */
  readonly last?: TokenResponse | null;
  /**
   * Reports a failure that does not end the token, such as a refresh token that could not be stored. It becomes a
   * `refreshFailed` event. Not enumerable.
   */
  readonly report?: (failure: unknown) => void;
}

/** The token endpoint's answer, in the wire names of RFC 6749 section 5.1: an OAuth body needs no mapping. */
export interface TokenResponse {
  access_token: string;
  /** `DPoP`, in any case, is sent as `DPoP`; anything else as `Bearer`. See the option `tokenType`. */
  token_type?: string | undefined;
  /**
   * The lifetime in seconds, counted from when the token was requested. Without it the claims of a JWT count; otherwise
   * the lifetime is unknown.
   */
  expires_in?: number | string | undefined;
  scope?: string | undefined;
  refresh_token?: string | undefined;
  [extra: string]: unknown;
}

/**
 * What is read of a token response. An interface or a class of an application's own fits: it needs no index signature.
 */
export type TokenFields = Pick<TokenResponse, 'access_token'> & {
  [Name in 'token_type' | 'expires_in' | 'scope' | 'refresh_token']?: TokenResponse[Name] | null;
};

/**
 * Fetches one token. Its first value counts; it may be a Promise, an Observable or anything else RxJS can read. A fetch
 * `Response` may be returned as it is: its status is judged and its body read.
 */
export type TokenSource = (request: TokenRequest) => ObservableInput<TokenResponse | TokenFields | Response>;

/** One access token: immutable, and redacted wherever it might be printed. */
export interface AccessToken {
  /** The secret. */
  readonly value: string;
  /** The authentication scheme to send: `Bearer`, `DPoP`, or the option `tokenType`. */
  readonly type: string;
  /** A short fingerprint of the value, for logs; it does not reveal the secret. To compare tokens, compare `value`. */
  readonly id: string;
  /**
   * Milliseconds on the stream's clock: when the token request was sent. For the same token again, when it was first
   * asked for, unless its response has `expires_in` or the option `lifetime` says how long it lives.
   */
  readonly issuedAt: number;
  /** Milliseconds on the stream's clock; `Infinity` when unknown. */
  readonly expiresAt: number;
  readonly scope: string | undefined;
  /** The whole response. Not enumerable. */
  readonly raw: TokenResponse;
  /** `AccessToken(Bearer 667c6911)`: the type and the id. */
  toString(): string;
}
