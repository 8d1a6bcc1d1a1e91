/** The fetch for authorization servers: no redirects, no waiting after an abort, and no secret in its errors. */
import * as oauth from 'oauth4webapi';
import { TokenEndpointError } from '../../errors.js';
import { discard } from '../../internal/platform/discard.js';
import { onCloudflareWorkers } from '../../internal/platform/onCloudflareWorkers.js';
import { orAborted } from '../../internal/async/onAbort.js';
import { RATE_HEADERS } from '../../answers/retryAfter.js';
import { markPermanent, isMarkedPermanent, permanentError } from '../../answers/permanentError.js';
import { isFetchResponse } from '../../answers/tokenResponse.js';
import { answeredBy } from './answer.js';
import { redactedCause } from './redact.js';
import { toUrl } from './secureUrl.js';

/**
 * A fetch for a server that may be hostile or broken: it follows no redirect, settles when the signal aborts, whatever
 * `send` does, and fails with errors that hold nothing of the exchange.
 *
 * @param place what the errors call the server, for example `the token endpoint https://id.example/token`
 */
export function boundedFetch(place: string, send: typeof globalThis.fetch | undefined): OAuthFetch {
  return async (url, init) => {
    const { signal } = init;
    let response: Response | undefined;
    try {
      const answer: unknown = await orAborted(Promise.resolve((send ?? globalThis.fetch)(url, sentInit(init))), signal);
      if (!isFetchResponse(answer)) throw permanentError('option "fetch" gave no Response');
      response = answer as Response;
      refuseRedirect(place, response, url);
      if (response.bodyUsed) throw permanentError('option "fetch" gave a Response whose body has been read');
      return copyOf(response, await orAborted(response.text(), signal));
    } catch (failure) {
      discard(response);
      throw failure instanceof TokenEndpointError || isMarkedPermanent(failure)
        ? failure
        : connectionFailure(place, failure, response, signal);
    }
  };
}

/** How oauth4webapi hands a request over: always with `redirect: 'manual'`. */
export type OAuthFetch = (url: string, init: OAuthInit) => Promise<Response>;

type OAuthInit = oauth.CustomFetchOptions<string, oauth.ProtectedResourceRequestBody>;

function sentInit(init: OAuthInit): RequestInit {
  const { body, method } = init;
  return {
    ...init,
    // The fetch of Next.js 13 and 14 keeps answers in a file, also to a POST. Workers refused the field for years.
    ...(method === 'POST' && !onCloudflareWorkers() && { cache: 'no-store' }),
    // That of React Native sends no URLSearchParams: their body would be empty.
    ...(body instanceof URLSearchParams && { body: String(body) }),
  } as RequestInit;
}

/**
 * oauth4webapi's options for one request. `http:` URLs have passed `objectionTo` by now: they are loopback, or allowed.
 */
export const requestOptions = (fetch: OAuthFetch, url: URL, signal?: AbortSignal) => ({
  signal,
  [oauth.customFetch]: fetch,
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so in order to stand out
  [oauth.allowInsecureRequests]: url.protocol === 'http:',
});

function refuseRedirect(place: string, response: Response, asked: string): void {
  const { status, type, url } = response;
  // React Native follows redirects without `redirected`: only the URL tells, and in some versions not even that.
  const redirected = (response.redirected as boolean | undefined) ?? (toUrl(url)?.href ?? asked) !== asked;
  // Browsers hide the status of a redirect that they were told not to follow.
  if (type !== 'opaqueredirect' && !redirected && !(status >= 300 && status < 400 && status !== 304)) return;
  const what = redirected
    ? 'was redirected, and fetch followed although it was told not to'
    : `answered with a redirect${status ? ` (${String(status)})` : ''}, which is never followed`;
  const told = status >= 300 ? { status } : {};
  throw markPermanent(new TokenEndpointError(`${place} ${what}: credentials could go elsewhere`, told));
}

/** What oauth4webapi and we read of an answer's headers. */
const HEADERS = ['content-type', 'date', 'dpop-nonce', 'www-authenticate', ...RATE_HEADERS];

/** The answer as oauth4webapi and we need it, whatever kind of Response `send` gave. */
function copyOf(response: Response, body: string): Response {
  const { status } = response;
  const headers = new Headers();
  for (const name of HEADERS) {
    const value = response.headers.get(name);
    if (typeof value === 'string') headers.set(name, value); // undefined, where a Map stands for the headers
  }
  // Bytes, since a string would get a content type that the server did not send.
  return new Response(body === '' ? null : new TextEncoder().encode(body), { status, headers });
}

function connectionFailure(
  place: string,
  failure: unknown,
  response: Response | undefined,
  signal: AbortSignal | undefined,
): TokenEndpointError {
  const cause = redactedCause(failure);
  const reason = cause?.code ?? cause?.message ?? 'unknown';
  if (!response) {
    const why = signal?.aborted ? 'did not answer before the request was aborted' : `could not be reached (${reason})`;
    return new TokenEndpointError(`${place} ${why}`, { cause });
  }
  const why = signal?.aborted ? 'did not end before the request was aborted' : `broke off (${reason})`;
  const { status } = response;
  return new TokenEndpointError(`${answeredBy(place, response)}, but its body ${why}`, { status, cause });
}
