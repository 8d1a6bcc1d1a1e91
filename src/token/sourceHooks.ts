/** What a token source may carry besides fetching: a proof of possession, and what it does at the end of a session. */
import { GIVEN_BY, PROOF, type ON_CLOSE, type ON_SIGN_OUT } from '../internal/hiddenMembers.js';
import { permanentError } from '../answers/permanentError.js';
import type { AccessToken } from './types.js';

/** A request that is about to be sent with a token. */
export interface ProvenRequest {
  readonly method: string;
  /** Absolute. Its query and fragment are not signed (RFC 9449 section 4.2). */
  readonly url: string;
  readonly token: AccessToken;
}

/** Proves possession of the key to which a source's tokens are bound (RFC 9449). */
export interface TokenProof {
  /**
   * The headers to add to one sending of one request, in lower case: `{ dpop: '…' }`. Each sending needs new ones, the
   * repeat of a request too, since a server accepts a proof once. A token of another type than DPoP needs none: `{}`.
   */
  sign(request: ProvenRequest): Promise<Readonly<Record<string, string>>>;
  /**
   * Called with every answer to a signed request: it keeps the server's nonce. True: the server rejected the request
   * only for want of that nonce (RFC 9449 section 9), so sign again and repeat, once; the token is not rejected.
   */
  learn(request: ProvenRequest, response: Pick<Response, 'status' | 'headers'>): Promise<boolean>;
  /**
   * Called when a stream with a store is created. Absent in older copies of the package.
   *
   * @throws TypeError if the tokens are bound to a key that nobody else has: no other stream could use a stored one
   */
  readonly checkStore?: () => void;
}

/**
 * What a token source may carry besides fetching tokens, each as a non-enumerable property. A function around the
 * source hides them; `respondingSource` finds them.
 *
 * The functions get the stream's last token, and the signal of the request under way, if there is one. The stream does
 * not wait for what they start, and reports what they throw.
 */
export interface SourceHooks {
  readonly [PROOF]?: TokenProof;
  /**
   * Called once when the stream closes, unless it has a store, whose token others use. The signal aborts right after,
   * and a late answer is ignored.
   */
  readonly [ON_CLOSE]?: (token: AccessToken | null, pending?: AbortSignal) => void;
  /**
   * Called when the session ends (`signOut()`); the stream stays open. The source forgets its refresh token and reads
   * it anew for the next request. It revokes the tokens that it has, and those of an answer that is still to come. It
   * does not store such an answer.
   */
  readonly [ON_SIGN_OUT]?: (token: AccessToken | null, pending?: AbortSignal) => void;
}

/**
 * The source that gave a response: the one that the stream was given, or one that this calls.
 *
 * @throws a permanent error if that one signs proofs: the clients that were made before do not know of it
 */
export function respondingSource(response: unknown, given: SourceHooks): SourceHooks {
  const source = (response as { readonly [GIVEN_BY]?: SourceHooks } | null | undefined)?.[GIVEN_BY] ?? given;
  if (source[PROOF] && !given[PROOF])
    throw permanentError('a source with "dpop" must be given to the stream as it is, not inside another function');
  return source;
}
