import * as oauth from 'oauth4webapi';
import { TokenEndpointError } from '../errors.js';
import { discard } from '../internal/discard.js';
import { onAbort } from '../internal/onAbort.js';
import { answeredBy } from './answer.js';
import { orAborted } from './abort.js';
import { redactedCause } from './redact.js';

/** No token response needs more: what follows is not read. Bytes, after decompression. */
export const LONGEST_BODY = 2 ** 20;

/** What oauth4webapi and we read of an answer's headers. */
const HEADERS = ['content-type', 'date', 'dpop-nonce', 'retry-after', 'www-authenticate'];

/** How oauth4webapi hands a request over: always with `redirect: 'manual'`. */
export type Transport = (
  url: string,
  init: oauth.CustomFetchOptions<string, oauth.ProtectedResourceRequestBody>,
) => Promise<Response>;

/**
 * oauth4webapi's options for one request. `http:` URLs have passed `objectionTo` by now: they are loopback, or allowed.
 */
export const requestBy = (transport: Transport, url: URL, signal?: AbortSignal) => ({
  signal,
  [oauth.customFetch]: transport,
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so in order to stand out
  [oauth.allowInsecureRequests]: url.protocol === 'http:',
});

/**
 * A fetch for a server that may be hostile or broken: it follows no redirect, reads at most {@link LONGEST_BODY},
 * settles when the signal aborts, whatever `send` does, and fails with errors that hold nothing of the exchange.
 *
 * @param place what the errors call the server: `the token endpoint https://id.example/token`, say
 */
export function boundedFetch(place: string, send: typeof globalThis.fetch | undefined): Transport {
  return async (url, init) => {
    const { signal } = init;
    let response: Response | undefined;
    try {
      response = responseOf(await orAborted((send ?? globalThis.fetch)(url, init as RequestInit), signal));
      refuseRedirect(place, response);
      const body = await orAborted(readText(response, signal), signal);
      return rebuilt(place, response, body);
    } catch (failure) {
      if (response) discard(response);
      throw failure instanceof TokenEndpointError ? failure : broken(place, failure, response, signal);
    }
  };
}

/** For a fetch of the user's that gives something else. */
function responseOf(value: Partial<Response> | null | undefined): Response {
  if (typeof value?.status !== 'number' || typeof value.headers?.get !== 'function')
    throw Object.assign(new TypeError(), { code: 'ERR_NO_RESPONSE' });
  return value as Response;
}

function refuseRedirect(place: string, { status, type, redirected }: Response): void {
  // Browsers hide the status of a redirect that they were told not to follow.
  if (type !== 'opaqueredirect' && !redirected && !(status >= 300 && status < 400 && status !== 304)) return;
  throw new TokenEndpointError(
    redirected
      ? `${place} was redirected and the given fetch followed, though it was told not to: credentials may have gone elsewhere`
      : `${place} answered with a redirect${status ? ` (${String(status)})` : ''}, which is never followed: credentials would go elsewhere`,
    status >= 300 ? { status } : {},
  );
}

/** The answer as oauth4webapi and we need it, whatever kind of Response `send` gave. */
function rebuilt(place: string, response: Response, body: string): Response {
  const { status } = response;
  const headers = new Headers();
  for (const name of HEADERS) {
    const value = response.headers.get(name);
    if (typeof value === 'string') headers.set(name, value); // undefined, where a Map stands for the headers
  }
  if (!(status >= 200 && status <= 599)) {
    throw new TokenEndpointError(`${place} answered with the status ${String(status)}, which HTTP does not know`, {
      status,
    });
  }
  // Bytes, since a string would get a content type that the server did not send.
  return new Response(body === '' ? null : new TextEncoder().encode(body), { status, headers });
}

function broken(
  place: string,
  failure: unknown,
  response: Response | undefined,
  signal: AbortSignal | undefined,
): TokenEndpointError {
  const cause = redactedCause(failure);
  if (!response) {
    const why = signal?.aborted
      ? 'did not answer before the request was aborted'
      : `could not be reached (${cause?.code ?? cause?.message ?? 'unknown'})`;
    return new TokenEndpointError(`${place} ${why}`, { cause });
  }
  const { status } = response;
  const answered = answeredBy(place, response);
  if (failure instanceof TooLong)
    return new TokenEndpointError(`${answered} and more than ${String(LONGEST_BODY)} bytes`, { status });
  const why = signal?.aborted
    ? 'its body did not end before the request was aborted'
    : `its body broke off (${cause?.code ?? 'no reason given'})`;
  return new TokenEndpointError(`${answered}, but ${why}`, { status, cause });
}

class TooLong extends Error {}

async function readText(response: Response, signal: AbortSignal | undefined): Promise<string> {
  if (response.bodyUsed) throw Object.assign(new TypeError(), { code: 'ERR_BODY_ALREADY_READ' });
  if (Number(response.headers.get('content-length')) > LONGEST_BODY) throw new TooLong();
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for await (const chunk of chunksOf(response, signal)) {
    length += chunk.byteLength;
    if (length > LONGEST_BODY) throw new TooLong();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The body's bytes: of a web stream, or of node-fetch's Node stream (cross-fetch). */
async function* chunksOf(response: Response, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const body = response.body as ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | null | undefined;
  if (body === null) return;
  if (body === undefined) {
    yield new TextEncoder().encode(await response.text()); // a runtime, or a test, whose responses have no stream
  } else if (!('getReader' in body)) {
    yield* body;
  } else {
    const reader = body.getReader(); // Safari's streams are not iterable
    const cancel = () => {
      reader.cancel().catch(() => undefined); // lets the connection close
    };
    const stop = signal && onAbort(signal, cancel); // the fetch may not have heeded it
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } finally {
      stop?.();
      cancel();
    }
  }
}
