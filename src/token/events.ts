/** The types of what `token$.events` emits. */
import type { AccessToken, RefreshReason } from './tokenSource.js';

/** An attempt to get a token begins. */
export interface RefreshStarted {
  readonly type: 'refreshStarted';
  /**
   * `initial`: there was no token. `scheduled`: it was about to expire. `expired`: it had. `rejected`: a server
   * rejected it. `manual`: `refresh()` was called.
   */
  readonly reason: RefreshReason;
  /** 1 for the first attempt of a refresh; each attempt after a failure adds one. */
  readonly attempt: number;
}

/** A token with a new value arrived. */
export interface TokenChanged {
  readonly type: 'tokenChanged';
  /** The token that is used from now on, or once, if it has expired on arrival. */
  readonly token: AccessToken;
  /** The token before, expired or not. */
  readonly previous: AccessToken | null;
  /** Why it was asked for, as in `refreshStarted`. A token that others put into the store: `scheduled`. */
  readonly reason: RefreshReason;
  /** How long the fetch took, in milliseconds. */
  readonly took: number;
  /** `fetched` by this stream's source, `shared` by the store, or the option `initial`. */
  readonly origin: 'fetched' | 'shared' | 'initial';
}

/**
 * An attempt failed; or the source, the store or `wake` reported an error that does not end the token; or, once per
 * stream, the lifetime of the source's tokens is unknown, or over when they come.
 */
export interface RefreshFailed {
  readonly type: 'refreshFailed';
  /**
   * What the source or the store failed with, as it is. The event does not print it: an error of axios has the request,
   * with its secrets.
   */
  readonly error: unknown;
  /** The error's message on one line, without the query of a URL: a logger that prints JSON drops that of an Error. */
  readonly message: string;
  /** Which attempt failed, as in `refreshStarted`. */
  readonly attempt: number;
  /** Milliseconds until the next attempt; null when none is planned until somebody needs a token. */
  readonly retryIn: number | null;
  /** A retry does not help. Requests without a token fail at once. */
  readonly permanent: boolean;
}

/** A server rejected a token. */
export interface TokenRejected {
  readonly type: 'tokenRejected';
  /** The token that the rejected request carried; it may be an older one. */
  readonly token: AccessToken;
  /** What follows: a refresh, a repeat with the token that is already there, or nothing. */
  readonly outcome: RejectionOutcome;
}

/** A token expired and has no successor yet. */
export interface TokenExpired {
  readonly type: 'tokenExpired';
  /** The token that expired. */
  readonly token: AccessToken;
}

/** The token is not used: renewals stopped. The next use resumes them. */
export interface Idle {
  readonly type: 'idle';
}

/** The session ended: the token is forgotten. The next use asks the source for a new one. */
export interface SignedOut {
  readonly type: 'signedOut';
}

/** The stream was closed. */
export interface Closed {
  readonly type: 'closed';
}

export type UntimedTokenEvent =
  RefreshStarted | TokenChanged | RefreshFailed | TokenRejected | TokenExpired | Idle | SignedOut | Closed;

/**
 * What happened, and when, in milliseconds on the stream's clock. Tokens print redacted, and `error` is not printed, so
 * an event can be logged as it is. The type of one kind is `Extract<TokenEvent, { type: 'refreshFailed' }>`.
 */
export type TokenEvent = { readonly at: number } & UntimedTokenEvent;

/**
 * `refreshing`: a refresh was started or joined. `alreadyReplaced`: there is a newer token, or none any more.
 * `suppressed`: the rejection is passed on.
 */
export type RejectionOutcome = 'refreshing' | 'alreadyReplaced' | 'suppressed';
