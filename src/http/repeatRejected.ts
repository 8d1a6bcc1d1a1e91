/** Repeats a rejected request once with another token, for fetch. `withToken` does the same for Observables. */
import { defaultIfEmpty } from 'rxjs';
import { discard } from '../internal/discard.js';
import { orAborted } from '../internal/onAbort.js';
import { isAcceptance, kindOfRejection } from '../token/isRejection.js';
import type { TokenManager } from '../token/tokenManager.js';
import type { AccessToken } from '../token/types.js';
import type { FollowedResponse } from './follow.js';
import { isRepeatable, resourceKey, type OutgoingRequest } from './outgoingRequest.js';
import type { RequestSender } from './requestSender.js';

export type IsRejection = (response: Response) => boolean | PromiseLike<boolean>;

export interface RepeatableRequests {
  /** Waits for a token to send the request with. Rejects as soon as the caller aborts. */
  readonly takeToken: (outgoing: OutgoingRequest) => Promise<AccessToken>;
  /**
   * Sends with the token, or goes on from its first response: follows redirects; a rejection costs one refresh and one
   * repeat.
   */
  readonly sendAndRepeat: (outgoing: OutgoingRequest, token: AccessToken, response?: Response) => Promise<Response>;
}

/** What happens to a request that waits for a token, is redirected or is rejected. */
export function repeatRejected(
  manager: TokenManager,
  sender: RequestSender,
  isRejection: IsRejection,
): RepeatableRequests {
  /** A promise resolves a moment later, and by then the token may have been rejected. */
  async function takeToken(outgoing: OutgoingRequest): Promise<AccessToken> {
    const token = await orAborted(manager.take(), outgoing.signal);
    return manager.newest(token) ?? takeToken(outgoing);
  }

  const sendAndFollow = async (
    outgoing: OutgoingRequest,
    token: AccessToken,
    response?: Response,
  ): Promise<FollowedResponse> => sender.follow(response ?? (await sender.send(outgoing, token)), outgoing, token);

  async function isRejected({ response, hadToken }: FollowedResponse, { signal }: OutgoingRequest): Promise<boolean> {
    if (!hadToken) return false;
    try {
      // It may be a promise, which an abort does not wait for.
      return await orAborted(Promise.resolve(isRejection(response)), signal);
    } catch (error) {
      discard(response);
      throw error;
    }
  }

  /** The resource is that of the last redirect, where it is known. */
  const keyOf = ({ toRepeat }: FollowedResponse, sent: OutgoingRequest): string => resourceKey(toRepeat ?? sent);

  function noteAcceptance(followed: FollowedResponse, sent: OutgoingRequest, token: AccessToken): void {
    if (followed.hadToken && isAcceptance(followed.response)) manager.accepted(token, () => keyOf(followed, sent));
  }

  async function sendAndRepeat(outgoing: OutgoingRequest, token: AccessToken, response?: Response): Promise<Response> {
    const first = await sendAndFollow(outgoing, token, response);
    if (!(await isRejected(first, outgoing))) {
      noteAcceptance(first, outgoing, token);
      return first.response;
    }
    const rejection = { token, kind: kindOfRejection(first.response), key: keyOf(first, outgoing) };
    const { toRepeat } = first;
    if (!toRepeat || !isRepeatable(toRepeat)) {
      manager.reject(rejection);
      return first.response;
    }
    const next = await orAborted(manager.recover(rejection).pipe(defaultIfEmpty(null)), outgoing.signal).catch(
      (error: unknown) => {
        discard(first.response);
        throw error;
      },
    );
    // The body of a proxied request may have become too long to be kept meanwhile.
    if (!next || !isRepeatable(toRepeat)) return first.response;
    discard(first.response);
    const newest = manager.newest(next, token) ?? (await takeToken(outgoing));
    const second = await sendAndFollow(toRepeat, newest);
    if (!(await isRejected(second, outgoing))) noteAcceptance(second, toRepeat, newest);
    return second.response;
  }

  return { takeToken, sendAndRepeat };
}
