import type { AccessToken, RefreshReason } from './types.js';

/** What happened, when. Tokens print redacted, so an event can be logged as it is. */
export type TokenEvent = { readonly at: number } & TokenIncident;

export type TokenIncident =
  /** A token is asked for. */
  | { readonly type: 'refreshStarted'; readonly reason: RefreshReason; readonly attempt: number }
  /** A token with a new value arrived. `took` is the fetch's duration in ms. */
  | {
      readonly type: 'tokenChanged';
      readonly token: AccessToken;
      readonly previous: AccessToken | null;
      readonly reason: RefreshReason;
      readonly took: number;
      readonly origin: 'fetched' | 'shared' | 'initial';
    }
  /** A fetch failed. `retryIn` is null when no further attempt is planned. */
  | {
      readonly type: 'refreshFailed';
      readonly error: unknown;
      readonly attempt: number;
      readonly retryIn: number | null;
      readonly permanent: boolean;
    }
  /** A server refused a token. */
  | { readonly type: 'tokenRejected'; readonly token: AccessToken; readonly outcome: RejectionOutcome }
  /** A token ended and has no successor. */
  | { readonly type: 'tokenExpired'; readonly token: AccessToken }
  /** Nobody needs the token: renewals stopped. The next use resumes them. */
  | { readonly type: 'idle' }
  /** The stream was closed. */
  | { readonly type: 'closed' };

/** `refreshing`: a refresh was started or joined. `alreadyReplaced`: there is a newer token. `suppressed`: the rejection is passed on. */
export type RejectionOutcome = 'refreshing' | 'alreadyReplaced' | 'suppressed';
