/** One answer of the token endpoint. Times in ms; a latency of null answers synchronously. */
export interface TokenAnswer {
  readonly kind:
    'token' | 'same' | 'transient' | 'permanent' | 'hang' | 'throw' | 'empty' | 'invalid' | 'oauthError' | 'mistake';
  readonly latency: number | null;
  /** What `expires_in` says, in ms. Absent: the issuer's own life. */
  readonly lifetime?: number | 'nonsense' | 'none';
  /** The server asks to wait this long after a transient failure. */
  readonly retryAfter?: number;
}

/**
 * `static`: always the same token. `cached`: the same token until most of its life is over, with the life that is left.
 * `cachedJwt`: likewise, but only the claims log how long it lives.
 */
export interface Issuer {
  readonly kind: 'opaque' | 'jwt' | 'static' | 'cached' | 'cachedJwt';
  readonly latency: number | null;
  /** Each new token ends the ones before it, also those that are in flight. */
  readonly revokesOld?: true;
  /** The first answers; then `forever`, or the ordinary answer. */
  readonly first: readonly TokenAnswer[];
  readonly forever?: TokenAnswer;
}

/** A server that takes tokens. Each kind but `broken` rejects tokens that are revoked, and says so as `says` tells. */
export interface Resource {
  /**
   * `lag`: rejects a token for 1.5 s after its issue. `operations`: one URL for everything; the call says whether it is
   * forbidden.
   */
  readonly kind: 'ok' | 'forbidden' | 'unauthorized' | 'rateLimited' | 'lag' | 'operations' | 'broken';
  readonly says: '401' | 'invalid_token' | 'bare';
  readonly isKeyed: boolean;
}

export interface Call {
  readonly do: 'call';
  readonly to: number;
  readonly latency: number | null;
  /** What is not 200 comes as an error. */
  readonly thrown?: true;
  /** A value is delivered before the answer. */
  readonly row?: true;
  readonly isForbidden?: true;
  readonly maxWait?: number;
  readonly leaveAfter?: number;
  /** Sent this many times more, with `every` ms between. */
  readonly times?: number;
  readonly every?: number;
}

export type Action =
  | Call
  | { readonly do: 'take'; readonly maxWait?: number; readonly leaveAfter?: number }
  | { readonly do: 'listen'; readonly once?: true; readonly leaveAfter?: number }
  | { readonly do: 'refresh'; readonly leaveAfter?: number }
  | { readonly do: 'reject'; readonly which: 'latest' | 'oldest' | 'foreign' }
  | { readonly do: 'revoke' }
  | { readonly do: 'jump'; readonly by: number }
  | { readonly do: 'wake' }
  | { readonly do: 'signOut' }
  | { readonly do: 'close' };

/**
 * An action that somebody takes from inside a callback of the stream: at the nth event of that type, or value of a
 * listener.
 */
export interface Reaction {
  readonly on:
    | 'value'
    | 'refreshStarted'
    | 'tokenChanged'
    | 'refreshFailed'
    | 'tokenRejected'
    | 'tokenExpired'
    | 'idle'
    | 'signedOut';
  readonly nth: number;
  readonly act: Action;
}

export interface Options {
  readonly jitter: number;
  readonly refreshBefore?: number;
  readonly expiryMargin?: number;
  readonly idleTimeout?: number;
  readonly fetchTimeout?: number;
  readonly maxWait?: number;
  readonly rejectionBudget?: { readonly max: number; readonly per: number };
}

/** Plain data, so that a failure can be printed, and run again. */
export interface History {
  /** The life of an ordinary token, in ms: the other times are in proportion. */
  readonly scale: number;
  /** Of the random numbers that the stream is given; null: they are all 0.5. */
  readonly seed: number | null;
  readonly options: Options;
  readonly issuer: Issuer;
  readonly resources: readonly Resource[];
  readonly steps: readonly (readonly [after: number, act: Action])[];
  readonly reactions: readonly Reaction[];
}
