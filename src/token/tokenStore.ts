/** The public types of a store, which shares one token beyond a stream. */
import type { Observable, ObservableInput } from 'rxjs';
import type { TokenRequest, TokenResponse } from './tokenSource.js';

/** A token as a store hands it out. */
export interface StoredToken {
  readonly response: TokenResponse;
  /** Milliseconds since the token request was sent, wherever that was. Never less than the true age. */
  readonly age: number;
  /** `fetched` by this very call, or `shared` by someone else. */
  readonly origin: 'fetched' | 'shared';
}

/**
 * Shares one token beyond a stream: with other processes, other tabs. A store stands between the stream and its source.
 * It decides whether this stream fetches, or another one has fetched already. Give each stream its own store object: a
 * store need not tell one of its streams what another of them has fetched.
 *
 * What a store must do; `storeContract` of `rx-fresh-token/testing` tests it:
 * - it never returns `request.previous`, unless its own `fetch` returned that;
 * - a stream that asks with a `previous` that has been replaced already gets the new token, without a fetch;
 * - of several streams that ask at once, one fetches, and the others get its token. If it dies or fails, another fetches;
 * - a failed fetch fails the refresh with the same failure, and does not block the next fetch;
 * - an age is never underestimated, even if the clocks of the processes differ.
 */
export interface TokenStore {
  /**
   * One refresh for all that share the store: emits a token that is not `request.previous`, either of another stream or
   * of `fetch`. Unsubscribing cancels it; for promises, `request.signal` is aborted. If it fails, the stream asks again
   * after a pause, which is at least the `retryAfter` (ms) of the error.
   *
   * @param fetch asks the source, each time it is subscribed. A store that keeps responses passes the last one, even if
   *   it has expired, or null: a refresh token that rotates is in it.
   */
  refresh(
    request: TokenRequest,
    fetch: (last?: TokenResponse | null) => Observable<TokenResponse>,
  ): ObservableInput<StoredToken>;
  /** Tokens that others put into the store. Subscribed while the stream is in use. */
  readonly changes?: Observable<StoredToken> | undefined;
  /**
   * Ends the session for all that share the store: the token is deleted, and a token of that session that arrives later
   * is not stored. A stream reports an exception, or a promise that rejects, as `refreshFailed`.
   */
  signOut?: (() => unknown) | undefined;
  /**
   * Emits when the session was ended elsewhere: the streams of the store forget their tokens and stay open. Subscribed
   * until they close. A stream that signs out ends its session itself. For the other streams of its store object, the
   * store may tell of its own sign-out, too, before `signOut` returns. What it tells later, such as an echo of its own
   * channel, ends the next session.
   */
  readonly signedOut?: Observable<unknown> | undefined;
}
