/** The public function `createFetch`: a fetch whose requests carry the token. */
import { TokenStreamClosedError } from '../errors.js';
import { refuseUnknown, requireFunctions } from '../internal/values/validate.js';
import { isRejection as isRejectionByDefault } from '../answers/isRejection.js';
import { managerOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import type { Authorize } from './authorization.js';
import { createDestinations, type DestinationOptions } from './destinations.js';
import { hasAuthorization } from './headerRecord.js';
import {
  initOf,
  isRequest,
  outgoingRequest,
  redirectModeOf,
  releaseUnsent,
  resourceKey,
  urlOf,
  type OutgoingRequest,
} from './outgoingRequest.js';
import { createRepeater, type IsRejection } from './repeater.js';
import { releaseBody } from './requestBody.js';
import { createRequestSender } from './requestSender.js';
import { platformFetch } from './transport.js';
import { uniformError } from './uniformError.js';

export interface FetchOptions extends DestinationOptions {
  /** Sends the requests. Default: `globalThis.fetch` at this call, or cross-fetch if there is none. */
  fetch?: typeof fetch | undefined;
  /** Puts the token into the request. Default: `Authorization: <type> <value>`. */
  authorize?: Authorize | undefined;
  /**
   * Returns true, or a promise of true, if the server rejected the token. To read the body, use `response.clone()`: the
   * caller reads the response itself. Default: 401 or 403, unless the answer says `insufficient_scope`, or is a 403
   * that limits the rate of requests.
   */
  isRejection?: IsRejection | undefined;
}

const KNOWN: Record<keyof FetchOptions, true> = {
  baseUrl: true,
  allowedOrigins: true,
  allowInsecureRequests: true,
  fetch: true,
  authorize: true,
  isRejection: true,
};

/** Told when a request begins to wait for its token, and when it has it. */
type OnWait = (isWaiting: boolean) => void;

/** @param replacingSignal ends the request in the place of the caller's signal */
export type FetchWithToken = (
  input: string | URL | Request,
  init?: RequestInit | null,
  replacingSignal?: AbortSignal,
  onWait?: OnWait,
) => Promise<Response>;

/**
 * What createFetch, createHttpClient and eventStream share.
 *
 * @param use the token for a request that leaves now, or null if it must wait
 */
export function fetchWithToken(
  token$: TokenStream,
  options: FetchOptions,
  destinations = createDestinations(options),
  use = managerOf(token$).use,
): FetchWithToken {
  const manager = managerOf(token$);
  refuseUnknown(options, KNOWN);
  const { authorize, isRejection = isRejectionByDefault, fetch = platformFetch() } = options;
  requireFunctions({ authorize, isRejection, fetch });
  const sender = createRequestSender(manager, { fetch, authorize });
  const { waitForToken, followAndRepeat } = createRepeater(manager, sender, isRejection);

  function begin(outgoing: OutgoingRequest, onError: (error: unknown) => never, onWait?: OnWait): Promise<Response> {
    const token = use();
    if (!token) {
      onWait?.(true);
      return waitForToken(outgoing)
        .then((next) => {
          onWait?.(false);
          return followAndRepeat(outgoing, next);
        })
        .catch(onError);
    }
    // Nearly every request goes this way, so it makes one promise and waits for nothing else.
    return sender.send(outgoing, token).then((response) => {
      // What `followAndRepeat` would do, too: below 300 the default sees no rejection. Browsers follow redirects.
      if (response.status >= 300 || response.redirected || isRejection !== isRejectionByDefault)
        return followAndRepeat(outgoing, token, response).catch(onError);
      manager.accepted(token, () => resourceKey(outgoing));
      return response;
    }, onError);
  }

  return (input, given, replacingSignal, onWait) => {
    const init = given ?? {};
    try {
      const request = isRequest(input) ? input : undefined;
      const url = urlOf(input);
      // A request of the source needs no token, so it may go to any origin, and the stream may have closed.
      const isOfSource = manager.isOfSource(init.signal);
      if (!isOfSource && manager.isClosed()) throw new TokenStreamClosedError();
      const target = isOfSource ? destinations.resolve(url) : destinations.check(url);
      const outgoing = outgoingRequest(target, request, init, replacingSignal);
      const onError = (error: unknown): never => {
        releaseUnsent(outgoing);
        throw uniformError(error, outgoing.signal, outgoing.wasAborted);
      };
      if (!isOfSource && !hasAuthorization(outgoing.headers)) return begin(outgoing, onError, onWait);
      const initWithoutToken = initOf(outgoing, outgoing.headers, redirectModeOf(outgoing));
      return fetch(outgoing.request ?? outgoing.url, initWithoutToken).catch(onError);
    } catch (error) {
      releaseBody(init.body);
      const failure = uniformError(error) as Error;
      return Promise.reject(failure);
    }
  };
}

/**
 * A fetch whose requests carry the latest token. While the token is fresh it costs one synchronous check and a header.
 *
 * After a 401 or 403 the token is refreshed once, for all rejected requests, and the request is repeated once. If the
 * repeat is rejected too, the caller gets the second answer. The request is copied at the call, for the repeat and for
 * redirects too. A body that can be read only once is never sent twice; if it is not sent, it is cancelled. The token
 * goes to `allowedOrigins` only, and does not follow a redirect to another origin. An Authorization header of the
 * caller is not changed.
 *
 * ```ts
 * const fetch = createFetch(token$, { baseUrl: 'https://api.example.com' });
 * const response = await fetch('/orders');
 * ```
 *
 * @throws TypeError that names an option out of range. The promise rejects with {@link OriginNotAllowedError},
 *   {@link TokenUnavailableError} when no usable token comes in time, {@link TokenStreamClosedError}, or as fetch does.
 */
export const createFetch = (token$: TokenStream, options: FetchOptions = {}): typeof globalThis.fetch => {
  const send = fetchWithToken(token$, options);
  return (input, init) => send(input, init);
};
