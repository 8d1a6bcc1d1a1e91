/** Writes answers to the client: those of the upstream server, and those of the proxy. */
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { ProxyAnswer } from './admission.js';
import { responseHeaders } from './headers.js';
import type { ProxySettings } from './options.js';
import { locationFor } from './target.js';
import type { UpstreamAnswer } from './upstream.js';

/**
 * Passes an answer on to the client. A body that breaks off breaks off there too.
 *
 * @param requested the path of the request at the server
 */
export function relay(
  { incoming, status }: UpstreamAnswer,
  response: ServerResponse,
  settings: Pick<ProxySettings, 'to' | 'prefix'>,
  requested: string,
): void {
  const headers = responseHeaders(incoming.rawHeaders, (location) => locationFor(location, settings, requested));
  response.writeHead(status, incoming.statusMessage, headers);
  incoming.once('close', () => {
    if (!incoming.complete) response.destroy();
  });
  // Server-sent events, or the watch of Kubernetes, may be silent as long as they like.
  incoming.setTimeout(0).pipe(response);
  // The head leaves at once, even if the server takes its time with the body.
  setImmediate(() => {
    if (!response.destroyed && !response.writableEnded) response.flushHeaders();
  });
}

/** An answer of the proxy's own. It quotes nothing of the request. */
export function answer(response: ServerResponse, { status, error, text, retryAfter }: ProxyAnswer): void {
  const body = `rx-fresh-token: ${text}\n`;
  response
    // The response may have a reason phrase of the server already, which Node did not take.
    .writeHead(status, STATUS_CODES[status], {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'proxy-status': `rx-fresh-token; error=${error}`,
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    })
    .end(body);
}
