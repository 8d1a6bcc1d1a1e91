/** The public types of a stream and its options. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Observable, SchedulerLike } from 'rxjs';
import type { TokenEvent } from './events.js';
import type { AccessToken, TokenFields, TokenResponse } from './tokenSource.js';
import type { TokenStore } from './tokenStore.js';

// Defined in tokenSource.ts, so that events.ts and tokenStore.ts need not import this file.
export type {
  AccessToken,
  RefreshReason,
  TokenFields,
  TokenRequest,
  TokenResponse,
  TokenSource,
} from './tokenSource.js';

/** A hot, shared, replaying stream of the usable access token. */
export interface TokenStream extends Observable<AccessToken> {
  /** What happens to the token, as it happens. Watching never causes a fetch. */
  readonly events: Observable<TokenEvent>;
  /** The usable token, or null. Reading it has no side effects. */
  readonly current: AccessToken | null;
  /**
   * Cold: each subscription forces a refresh, or joins the one under way, and emits its token. After failures it does
   * not wait for the pause to end, but the source is asked at most once per `backoff.initial`. It waits at most
   * `maxWait`, and errors like `takeToken`.
   */
  refresh(): Observable<AccessToken>;
  /**
   * Reports that a server rejected this token. One refresh follows, unless the token is not the current one, the
   * `rejectionBudget` is used up, or the pause after a failed attempt (but for its last second) or a token that no
   * server accepted is not over.
   * Throws a TypeError if this is no token, and `TokenStreamClosedError` after `close()`.
   */
  reject(token: AccessToken): void;
  /**
   * Ends the session, not the stream. The token and the source's refresh token are forgotten. Requests that wait fail
   * with `TokenUnavailableError`. The token of a fetch under way is not used. The next use asks the source again.
   */
  signOut(): void;
  /** Completes subscribers, aborts the fetch, clears timers and the secret. */
  close(): void;
  [Symbol.dispose](): void;
}

/** The option `backoff` of {@link TokenStreamOptions}. */
export interface BackoffOptions {
  /** The first pause, in milliseconds. Finite, >= 0. Default 250. */
  initial?: number | undefined;
  /**
   * The longest pause, in milliseconds. Finite, >= 0. Default: a sixth of the last lifetime, at most 10 000; after
   * permanent failures 60 000.
   */
  max?: number | undefined;
  /** Each failure makes the next pause this many times longer. Finite, >= 1. Default 2. */
  factor?: number | undefined;
}

/** The option `rejectionBudget` of {@link TokenStreamOptions}. */
export interface RejectionBudget {
  /** At most this many refreshes are forced by rejections. >= 0; `Infinity`: no limit. Default 10. */
  max?: number | undefined;
  /** Within this many milliseconds. Finite, >= 1. Default 60 000. */
  per?: number | undefined;
}

/** All times in milliseconds. `undefined` means the default. A value out of range is a TypeError at creation. */
export interface TokenStreamOptions {
  /**
   * How long before it expires a token is renewed. Finite, >= 0, or a function of the token. At most half the lifetime
   * counts. Default: a sixth of the lifetime, at most 5 minutes, at least 1.5 times the duration of the last fetch plus
   * `expiryMargin`; for a JWT with times in whole seconds earlier by what its `expiryMargin` is wider.
   */
  refreshBefore?: number | ((token: AccessToken) => number) | undefined;
  /**
   * A token is not sent in the last `expiryMargin` ms before it expires. Finite, >= 0. At most half the lifetime
   * counts. Default `min(1000, lifetime / 30)`; for a JWT with times in whole seconds `min(1000, lifetime / 3)`,
   * because servers round.
   */
  expiryMargin?: number | undefined;
  /**
   * A renewal starts earlier by a random time: at most this share of `refreshBefore`. So many processes do not renew at
   * the same moment. 0 to 1. Default 0.2.
   */
  jitter?: number | undefined;
  /**
   * Renewals stop when no request has used the token, and nobody has been subscribed, for this long. >= 0. Default: one
   * token lifetime, or `maxWait` if that is unknown.
   */
  idleTimeout?: number | undefined;
  /** One token fetch takes at most this long. Finite, >= 1. Default 10 000. */
  fetchTimeout?: number | undefined;
  /** A request waits at most this long for a usable token. >= 0. Default 30 000. */
  maxWait?: number | undefined;
  /**
   * Pauses after failed fetches: `initial * factor ** (failures - 1)`, at most `max`, with full jitter. Failures are
   * counted since the last token. Pauses after permanent failures have no jitter, and a `max` of 60 000 by default.
   */
  backoff?: BackoffOptions | undefined;
  /**
   * Returns true for a failure that a retry cannot help. Default: an OAuth error code that refuses (RFC 6749 section
   * 5.2), any 4xx that does not ask for a later retry (408, 409, 410, 412, 421, 425, 429, `Retry-After`, a rate limit,
   * a 403 with an HTML page), JSON without a token in a success, and a mistake of the source's.
   */
  isPermanent?: ((error: unknown) => boolean) | undefined;
  /**
   * Limits the refreshes that rejections force: in any `per` milliseconds at most `max` follow a bare 403 (one without
   * `invalid_token`), and at most `max` an explicit rejection (a 401 or `invalid_token`). Past that, the caller gets
   * the rejection. Default 10 per 60 000.
   */
  rejectionBudget?: RejectionBudget | undefined;
  /**
   * The authentication scheme to send, whatever `token_type` says. Visible ASCII. Default: `DPoP` if it says so, else
   * `Bearer`.
   */
  tokenType?: string | undefined;
  /**
   * The lifetime of a token in milliseconds, from its response; overrides `expires_in` and the JWT's `exp`. Called for
   * every answer of the source, also if that has the same token again. `undefined`: no override.
   */
  lifetime?: ((response: TokenResponse) => number | undefined) | undefined;
  /** Runs all timers. With a TestScheduler everything runs in virtual time. Default `asyncScheduler`. */
  scheduler?: SchedulerLike | undefined;
  /** The clock, in milliseconds. Default `scheduler.now()`. */
  now?: (() => number) | undefined;
  /** Returns a number >= 0 and < 1. Default `Math.random`. */
  random?: (() => number) | undefined;
  /**
   * Each value makes the stream check the clock, and ends a pause after failures. Default: in browsers
   * `visibilitychange`, `online` and `pageshow`; none elsewhere.
   */
  wake?: Observable<unknown> | undefined;
  /** Shares the token beyond this stream: with other processes, other tabs. Default none. */
  store?: TokenStore | undefined;
  /** A token to start from. Ignored if it has expired; a TypeError if it is no token response. */
  initial?: TokenResponse | TokenFields | undefined;
}
