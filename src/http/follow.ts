/** Follows redirects by hand, so that the token does not leave its origin. */
import { discard } from '../internal/platform/discard.js';
import type { RequestRedirect } from '../internal/platform/platformTypes.js';
import { withoutHeaders } from './headerRecord.js';
import { initOf, isRepeatable, methodOf, redirectedRequest, type OutgoingRequest } from './outgoingRequest.js';
import {
  BODY_HEADERS,
  CREDENTIAL_HEADERS,
  dropsBody,
  isRedirect,
  isGetOrHead,
  MAX_REDIRECTS,
  redirectTarget,
} from './redirect.js';

/** What came at the end of a chain of redirects. */
export interface FollowedResponse {
  readonly response: Response;
  /** Whether the request that got it carried the token. */
  readonly hadToken: boolean;
  /**
   * The request to repeat. GET and HEAD: the first one, since a server may send a request without a valid token to its
   * sign-in page. Other methods: the last one, since the server has accepted those before it. Null where only the
   * platform knows it.
   */
  readonly toRepeat: OutgoingRequest | null;
}

/** Who follows redirects. */
export interface RedirectPolicy {
  /**
   * What fetch is told where the caller wants them to be followed.
   *
   * @param platformMayFollow false if a custom header has the token, or a proof goes with it
   */
  readonly mode: (platformMayFollow: boolean) => RequestRedirect;
  readonly endOf: (
    first: Response,
    outgoing: OutgoingRequest,
    sender: HopSender,
  ) => FollowedResponse | Promise<FollowedResponse>;
}

/** How each hop is sent: with the token, or by the plain fetch. */
export interface HopSender {
  readonly sendWithToken: (hop: OutgoingRequest) => Promise<Response>;
  readonly fetch: typeof fetch;
}

export const byHand: RedirectPolicy = { mode: () => 'manual', endOf: followByHand };

/**
 * Follows redirects by hand, since the platforms disagree about what they strip: once a redirect leaves the origin, no
 * hop carries the token any more, whatever header it was in.
 */
async function followByHand(
  first: Response,
  outgoing: OutgoingRequest,
  { sendWithToken, fetch }: HopSender,
): Promise<FollowedResponse> {
  const { origin } = new URL(outgoing.url);
  let hop = outgoing;
  let response = first;
  let hadToken = true;
  for (let hops = 0; isRedirect(response); hops++) {
    discard(response);
    if (hops === MAX_REDIRECTS) throw new TypeError(`the server redirected more than ${String(MAX_REDIRECTS)} times`);
    const target = redirectTarget(response, hop.url);
    hadToken &&= target.origin === origin;
    if (!hadToken && (hop.init.mode ?? hop.request?.mode) === 'same-origin')
      throw new TypeError('the server redirected to another origin, and the mode of the request is "same-origin"');
    hop = await nextHop(hop, response.status, target.href, hadToken);
    response = await (hadToken ? sendWithToken(hop) : fetch(hop.url, initOf(hop, hop.headers, 'manual')));
  }
  return {
    response: hop.isRedirected ? markRedirected(response) : response,
    hadToken,
    toRepeat: isGetOrHead(methodOf(outgoing)) ? outgoing : hop,
  };
}

function nextHop(hop: OutgoingRequest, status: number, url: string, withToken: boolean): Promise<OutgoingRequest> {
  const withBody = !dropsBody(status, methodOf(hop));
  if (withBody && !isRepeatable(hop))
    throw new TypeError('the server redirected a request whose body can be sent only once');
  const dropped = [...(withBody ? [] : BODY_HEADERS), ...(withToken ? [] : CREDENTIAL_HEADERS)];
  return redirectedRequest(hop, url, withoutHeaders(hop.headers, dropped), withBody);
}

/** The response and its clones say that they were redirected. */
function markRedirected(response: Response): Response {
  const { clone } = response as Partial<Response>;
  return Object.defineProperties(response, {
    redirected: { value: true },
    // A mock need not have it, or may give the same response twice.
    ...(clone && { clone: { value: () => markRedirected(clone.call(response)), writable: true } }),
  });
}
