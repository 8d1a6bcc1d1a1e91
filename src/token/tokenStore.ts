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
 * Shares one token beyond a stream: with other processes, other tabs. A store stands between the stream and its source:
 * it decides whether this stream fetches or someone else already has. Give each stream a store of its own; what they
 * share lies behind the stores.
 *
 * What a store owes, tried by `storeContract` of `rx-fresh-token/testing`:
 * - it never hands out `request.previous`, unless that is what its own `fetch` brought;
 * - who asks with a `previous` that has been replaced already gets the replacement, without a fetch;
 * - of those who ask at once, one fetches; the others get its token. If it dies or fails, another takes over;
 * - a failed fetch fails the refresh with that failure, and leaves nothing behind that bars the next;
 * - an age is never underestimated, whatever the clocks of those who share.
 */
export interface TokenStore {
  /**
   * One refresh for everyone who shares the store: emits a token that is not `request.previous`, either someone else's
   * or the one that `fetch` yields. Unsubscribing gives up; `request.signal` says the same to promises. When it fails,
   * the stream asks again after a pause, which is at least the error's `retryAfter` (ms), if it has one.
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
   * Ends the session for all who share the store: the token is deleted, and what still arrives for it is not stored.
   */
  signOut?: (() => void) | undefined;
  /**
   * Emits when someone else has ended the session. The stream forgets its token and stays open. Subscribed until it
   * closes.
   */
  readonly signedOut?: Observable<unknown> | undefined;
}
