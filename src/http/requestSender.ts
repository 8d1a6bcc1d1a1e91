/** Sends a request once, with the token and its proof. */
import { discard } from '../internal/platform/discard.js';
import type { TokenProof } from '../token/sourceHooks.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import { withAuthorization, type Authorize } from './authorization.js';
import type { FollowedResponse } from './follow.js';
import { headerRecord } from './headerRecord.js';
import { initOf, inputOf, isRepeatable, methodOf, redirectModeOf, type OutgoingRequest } from './outgoingRequest.js';
import { redirectPolicy } from './transport.js';

export interface RequestSender {
  /** One sending with the token. It does not follow redirects where a script can see them. */
  readonly send: (outgoing: OutgoingRequest, token: AccessToken) => Promise<Response>;
  /** What is at the end of the redirects that begin with `response`. */
  readonly endOf: (
    response: Response,
    outgoing: OutgoingRequest,
    token: AccessToken,
  ) => FollowedResponse | Promise<FollowedResponse>;
}

export function createRequestSender(
  { proof }: Pick<TokenManager, 'proof'>,
  { fetch, authorize }: { readonly fetch: typeof globalThis.fetch; readonly authorize: Authorize | undefined },
): RequestSender {
  const platformMayFollow = !authorize && !proof;

  function sendOnce(outgoing: OutgoingRequest, headers: HeadersInit, method?: string): Promise<Response> {
    const mode = redirectModeOf(outgoing);
    const init = initOf(outgoing, headers, mode === 'follow' ? redirectPolicy.mode(platformMayFollow) : mode);
    if (method !== undefined) init.method = method;
    const input = inputOf(outgoing);
    outgoing.isSent = true;
    return fetch(input, init);
  }

  function send(outgoing: OutgoingRequest, token: AccessToken): Promise<Response> {
    const headers = withAuthorization(outgoing.headers, token, authorize);
    if (proof) return sendProven(proof, outgoing, token, headers);
    return headers instanceof Promise
      ? headers.then((loaded) => sendOnce(outgoing, loaded))
      : sendOnce(outgoing, headers);
  }

  /**
   * A request bound to the source's key (RFC 9449): signed anew for each sending, and sent again for a server that
   * wants a nonce in it.
   */
  async function sendProven(
    proof: TokenProof,
    outgoing: OutgoingRequest,
    token: AccessToken,
    headers: HeadersInit | Promise<HeadersInit>,
  ): Promise<Response> {
    const record = headerRecord(await headers);
    // The method that is signed: fetch leaves `patch` as it is written.
    const request = { method: methodOf(outgoing), url: outgoing.url, token };
    const sendSigned = async () => sendOnce(outgoing, { ...record, ...(await proof.sign(request)) }, request.method);
    const first = await sendSigned();
    if (!(await proof.learn(request, first)) || !isRepeatable(outgoing)) return first;
    discard(first);
    const second = await sendSigned();
    // A 401 that still asks for a nonce does not reject the token: `isRejection` knows its error.
    await proof.learn(request, second);
    return second;
  }

  return {
    send,
    endOf: (response, outgoing, token) =>
      redirectModeOf(outgoing) === 'follow'
        ? redirectPolicy.endOf(response, outgoing, { sendWithToken: (hop) => send(hop, token), fetch })
        : { response, hadToken: true, toRepeat: outgoing },
  };
}
