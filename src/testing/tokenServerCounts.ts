// Apart from the server, so that the public declarations need none of Node's types.

/** What the server has counted so far. */
export interface TokenServerCounts {
  /** Requests to the token endpoint, and the tokens that it gave. */
  readonly tokenRequests: number;
  readonly tokensIssued: number;
  /**
   * Requests to the API, and how they ended: accepted with 200, refused for their token, forbidden, failed as ordered.
   */
  readonly apiRequests: number;
  readonly accepted: number;
  readonly refused: number;
  readonly forbidden: number;
  readonly failed: number;
}
