/** Writes answers to the client: those of the upstream server, and those of the proxy. */
import { STATUS_CODES, validateHeaderValue, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ProxyAnswer } from '../rules/admission.js';
import { flushHead, responseHeaders, type Field } from '../rules/headers.js';
import type { ProxySettings } from '../options.js';
import { locationFor, mountOf } from '../rules/target.js';

/**
 * Passes an answer on to the client. A body that breaks off breaks off there too.
 *
 * @param requested the path of the request at the server
 */
export function relay(
  incoming: IncomingMessage,
  response: ServerResponse,
  settings: Pick<ProxySettings, 'to' | 'prefix'>,
  requested: string,
): void {
  const { statusCode: status = 0, statusMessage = '', rawHeaders } = incoming;
  // It may throw, so it comes before the response has fields of the server.
  validateHeaderValue('reason phrase', statusMessage);
  if (status < 100) throw Object.assign(new RangeError('status below 100'), { code: 'HPE_INVALID_STATUS' });
  setFields(response, responseHeaders(rawHeaders, status), (location) => {
    const place = locationFor(location, settings, requested);
    return place.startsWith('/') ? mountOf(response.req) + place : place;
  });
  response.writeHead(status, statusMessage);
  incoming.once('close', () => {
    if (!incoming.complete) response.destroy();
  });
  // Server-sent events, or the watch of Kubernetes, may be silent as long as they like.
  incoming.setTimeout(0).pipe(response);
  flushHead(response);
}

/**
 * One by one. Of a list for `writeHead` Node 20 keeps one `Set-Cookie`, if a middleware has set any field, and
 * functions that middlewares put in the place of `writeHead` take it for pairs.
 */
function setFields(response: ServerResponse, fields: readonly Field[], relocate: (location: string) => string): void {
  // The server's fields replace those of a middleware, but for these.
  const present = new Set(['set-cookie', 'vary']);
  for (const [name, given] of fields) {
    const key = name.toLowerCase();
    const value = key === 'location' ? relocate(given) : given;
    if (present.has(key)) response.appendHeader(name, value);
    else response.setHeader(name, value);
    present.add(key);
  }
}

/** An answer of the proxy's own. It quotes nothing of the request. */
export function answer(response: ServerResponse, { status, error, text, retryAfter }: ProxyAnswer): void {
  sendText(response, status, 'text/plain; charset=utf-8', `rx-fresh-token: ${text}\n`, {
    'proxy-status': `rx-fresh-token; error=${error}`,
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  });
}

export function sendText(response: ServerResponse, status: number, type: string, body: string, fields = {}): void {
  const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' };
  // A middleware may have set a reason phrase for its own status.
  response.writeHead(status, STATUS_CODES[status], { ...headers, ...fields }).end(body);
}
