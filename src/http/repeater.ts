/** Repeats a rejected request once with another token, for fetch. */
// `withToken` does the same for Observables. Here redirects are followed, `isRejection` may be async, and a repeat goes
// past the HTTP cache.
import { defaultIfEmpty } from 'rxjs';
import { discard } from '../internal/platform/discard.js';
import { orAborted } from '../internal/async/onAbort.js';
import { isAcceptance, kindOfRejection } from '../answers/isRejection.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import { isRepeatable, pastCache, resourceKey, type OutgoingRequest } from './outgoingRequest.js';
import type { RequestSender } from './requestSender.js';

export type IsRejection = (response: Response) => boolean | PromiseLike<boolean>;

export interface Repeater {
  /** Waits for a token to send the request with. Rejects as soon as the caller aborts. */
  readonly waitForToken: (outgoing: OutgoingRequest) => Promise<AccessToken>;
  /**
   * Sends with the token, or goes on from its first response: follows redirects; a rejection costs one refresh and one
   * repeat.
   */
  readonly followAndRepeat: (outgoing: OutgoingRequest, token: AccessToken, response?: Response) => Promise<Response>;
}

/** What happens to a request that waits for a token, is redirected or is rejected. */
export function createRepeater(manager: TokenManager, sender: RequestSender, isRejection: IsRejection): Repeater {
  /** A promise resolves a moment later, and by then the token may have been rejected. */
  async function waitForToken(outgoing: OutgoingRequest): Promise<AccessToken> {
    const token = await orAborted(manager.take(), outgoing.signal);
    return manager.newest(token) ?? waitForToken(outgoing);
  }

  /** Sends the request, or takes its first response; follows redirects; and says whether the token was rejected. */
  async function sendAndJudge(outgoing: OutgoingRequest, token: AccessToken, first?: Response) {
    const begun = first ?? (await sender.send(outgoing, token));
    const { response, hadToken, toRepeat } = await sender.endOf(begun, outgoing, token);
    // The resource is that of the request that would be repeated.
    const key = () => resourceKey(toRepeat ?? outgoing);
    try {
      // It may be a promise, which an abort does not wait for.
      const isRejected = hadToken && (await orAborted(Promise.resolve(isRejection(response)), outgoing.signal));
      if (hadToken && !isRejected && isAcceptance(response)) manager.accepted(token, key);
      return { response, isRejected, toRepeat, key };
    } catch (error) {
      discard(response);
      throw error;
    }
  }

  async function followAndRepeat(
    outgoing: OutgoingRequest,
    token: AccessToken,
    response?: Response,
  ): Promise<Response> {
    const { response: first, isRejected, toRepeat, key } = await sendAndJudge(outgoing, token, response);
    if (!isRejected) return first;
    const rejection = { token, kind: kindOfRejection(first), key: key() };
    if (!toRepeat || !isRepeatable(toRepeat)) {
      manager.reject(rejection);
      return first;
    }
    const next = await orAborted(manager.recover(rejection).pipe(defaultIfEmpty(null)), outgoing.signal).catch(
      (error: unknown) => {
        discard(first);
        throw error;
      },
    );
    // The body of a proxied request may have become too long to be kept meanwhile.
    if (!next || !isRepeatable(toRepeat)) return first;
    discard(first);
    const newest = manager.newest(next, token) ?? (await waitForToken(outgoing));
    return (await sendAndJudge(pastCache(toRepeat), newest)).response;
  }

  return { waitForToken, followAndRepeat };
}
