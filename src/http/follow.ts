import { discard } from '../internal/discard.js';
import { isRepeatable, methodOf, outgoingOf, signalOf, type Outgoing } from './outgoing.js';
import { BODY_HEADERS, CREDENTIAL_HEADERS, dropsBody, MAX_REDIRECTS, redirects, redirectTarget } from './redirect.js';

/** The end of a chain of redirects, and whether the request that got it carried the token. */
export interface Answer {
  readonly response: Response;
  readonly carried: boolean;
}

/** What following takes: a ride with the token, a plain sending without, and the platform's Headers. */
export interface Means {
  readonly ride: (hop: Outgoing) => Promise<Response>;
  readonly send: (url: string, init: RequestInit) => Promise<Response>;
  readonly headers: () => typeof Headers | Promise<typeof Headers>;
}

/**
 * Follows redirects by hand, since the platforms disagree about what they strip: once a redirect leaves the origin, no
 * hop carries the token any more, whatever header it was in.
 */
export async function follow(
  first: Response,
  outgoing: Outgoing,
  { ride, send, headers: loadHeaders }: Means,
): Promise<Answer> {
  const { init, request } = outgoing;
  const origin = new URL(outgoing.url).origin;
  let { url } = outgoing;
  let method = methodOf(outgoing);
  let response = first;
  let carried = true;
  let sendsBody = true;

  for (let hops = 0; ; hops++) {
    if (!redirects(response)) return { response: hops > 0 ? markRedirected(response) : response, carried };
    discard(response);
    if (hops === MAX_REDIRECTS) throw new TypeError(`the server redirected more than ${String(MAX_REDIRECTS)} times`);
    const target = redirectTarget(response, url);
    url = target.href;
    carried &&= target.origin === origin;
    if (dropsBody(response.status, method)) {
      method = 'GET';
      sendsBody = false;
    }
    if (sendsBody && !isRepeatable(outgoing))
      throw new TypeError('the server redirected a request whose body can be sent only once');

    const headers = new (await loadHeaders())(outgoing.headers);
    for (const name of [...(sendsBody ? [] : BODY_HEADERS), ...(carried ? [] : CREDENTIAL_HEADERS)])
      headers.delete(name);
    const body = !sendsBody ? null : (init.body ?? (request?.body ? await request.clone().arrayBuffer() : null));
    const hop: RequestInit = {
      ...init,
      ...(request && requestInit(request, init)),
      method,
      body,
      headers,
      redirect: 'manual',
    };
    response = await (carried ? ride(outgoingOf(url, undefined, hop)) : send(url, hop));
  }
}

const requestInit = (request: Request, init: RequestInit): RequestInit => ({
  credentials: init.credentials ?? request.credentials,
  integrity: init.integrity ?? request.integrity,
  keepalive: init.keepalive ?? request.keepalive,
  signal: signalOf({ init, request }) ?? null,
});

function markRedirected(response: Response): Response {
  return Object.defineProperty(response, 'redirected', { value: true, configurable: true });
}
