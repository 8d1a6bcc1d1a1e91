export interface SessionConfig {
  readonly issuer: string;
  readonly url: string;
  readonly session: string;
  /** The refresh token of the sign-in. */
  readonly seed: string;
  readonly requests: number;
  /** How long the first token is used, in milliseconds. */
  readonly lives: number;
}

/** What one process saw. */
export interface SessionReport {
  /** The status of the request that fetched or found the first token. */
  readonly before: number;
  /** A status, or an error, for each request at the moment of expiry. */
  readonly outcomes: readonly (number | string)[];
  readonly signedOut: readonly string[];
  readonly first: string;
}
