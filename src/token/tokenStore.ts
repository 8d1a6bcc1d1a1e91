import type { Observable, ObservableInput } from 'rxjs';
import type { TokenRequest, TokenResponse } from './types.js';

/** A token as a store hands it out. */
export interface StoredToken {
  readonly response: TokenResponse;
  /** Milliseconds since the token request was sent, wherever that was. Never underestimated. */
  readonly age: number;
  /** `fetched` by this very call, or `shared` by someone else. */
  readonly origin: 'fetched' | 'shared';
}

/**
 * Shares one token beyond a stream. A store stands between the stream and its source: it decides whether this stream
 * fetches or someone else already has.
 */
export interface TokenStore {
  /**
   * One refresh for everyone who shares the store: emits a token that is not `request.previous`, either someone else's
   * or the one that `fetch` yields. Unsubscribing gives up; `request.signal` says the same to promises.
   */
  refresh(request: TokenRequest, fetch: () => Observable<TokenResponse>): ObservableInput<StoredToken>;
  /** Tokens that others put into the store. Subscribed while the stream is in use. */
  readonly changes?: Observable<StoredToken>;
}
