/** Decides which requests the proxy refuses before anything is sent. */
import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6, type Server, type Socket } from 'node:net';
import { isLoopback } from '../../internal/values/loopback.js';
import { framingOf, hasKnownRequestCoding } from './headers.js';
import type { ProxySettings } from '../options.js';
import { hasScheme, HEALTH, METRICS, objectionToTarget, pathOf } from './target.js';

/** An answer of the proxy's own. */
export interface ProxyAnswer {
  readonly status: number;
  /** For `Proxy-Status` (RFC 9209 section 2.3), which tells the proxy's answers from the server's. */
  readonly error: string;
  readonly text: string;
  readonly retryAfter?: number;
}

const denied = (status: number, text: string): ProxyAnswer => ({ status, error: 'http_request_denied', text });
const malformed = (status: number, text: string): ProxyAnswer => ({ status, error: 'http_request_error', text });

/** The advice to a client that takes the proxy for one of the network. */
const NO_FORWARDING = 'this is no http_proxy; put the address of the proxy into the URL instead';

/** What of a request decides whether it may pass. */
export type Arrival = Pick<IncomingMessage, 'url' | 'method' | 'headers' | 'headersDistinct'> & {
  /** Node sets `server` for what a server has accepted. */
  readonly socket: Pick<Socket, 'remoteAddress'> & { readonly server?: Pick<Server, 'address' | 'listening'> };
  readonly readableDidRead?: boolean;
};

/** Why the client may not use the proxy at all, or undefined. It guards `/-/metrics` and `/-/health` too. */
export function objectionToClient(
  arrival: Arrival,
  settings: Pick<ProxySettings, 'allowRemoteClients' | 'hosts'>,
): ProxyAnswer | undefined {
  const { headers, headersDistinct, socket } = arrival;
  const { remoteAddress, server } = socket;
  // A unix socket has no address.
  if (remoteAddress !== undefined && !settings.allowRemoteClients && !isLoopbackAddress(remoteAddress))
    return denied(
      403,
      'the proxy serves this machine only; to serve others: --allow-remote-clients (allowRemoteClients)',
    );
  const [host, another] = headersDistinct.host ?? [];
  // Node would refuse it without a text, and not at all from a client of HTTP/1.0 (`requireHostHeader`).
  if (host === undefined) return malformed(400, 'the request has no Host');
  if (another !== undefined) return malformed(400, 'the request has more than one Host');
  // A page may give its own name the address of this machine (DNS rebinding), but not that of a unix socket, which is a
  // path. Clients may write any name for it.
  const address = server?.address();
  // That of a unix socket which systemd has opened is null.
  const isUnixSocket = typeof address === 'string' || (address === null && server?.listening === true);
  if (!isUnixSocket && !isOwnHost(host, arrival.url ?? '', settings)) {
    const text = 'the Host is not a name of this proxy; to add a name: --allowed-host (allowedHosts)';
    return denied(421, wantsForwarding(arrival) ? NO_FORWARDING : text);
  }
  return isForeignPage(headers, host) ? denied(403, 'pages of other sites may not use the proxy') : undefined;
}

/** Why the request may not be sent upstream, or undefined. */
export function objectionToRequest(
  arrival: Arrival,
  { incomingAuthorization }: Pick<ProxySettings, 'incomingAuthorization'>,
  pseudonym: string,
): ProxyAnswer | undefined {
  const { url = '', method, headers, readableDidRead } = arrival;
  if (method === 'CONNECT') return denied(405, NO_FORWARDING);
  // It would send the token back to whoever asks (RFC 9110 section 9.3.8).
  if (method === 'TRACE') return denied(405, 'TRACE is not passed on');
  const objection = wantsForwarding(arrival) ? NO_FORWARDING : objectionToTarget(url);
  if (objection !== undefined) return malformed(400, objection);
  if (!hasKnownRequestCoding(headers)) return malformed(501, 'the only transfer coding is chunked');
  // The server that it was sent to is this proxy.
  if (headers.via?.includes(pseudonym))
    return { status: 508, error: 'proxy_loop_detected', text: 'the request came from this proxy' };
  if (headers.authorization !== undefined && incomingAuthorization === 'refuse')
    return denied(
      400,
      'the request has an Authorization header; to replace it: --replace-authorization (incomingAuthorization)',
    );
  if (readableDidRead && framingOf(headers)) {
    // What was read comes no more: the proxy would wait for it for ever.
    const text = 'the body was read before the proxy was called: let it come before a body parser';
    return { status: 500, error: 'proxy_internal_error', text };
  }
  return undefined;
}

const isLoopbackAddress = (address: string): boolean => /^(::ffff:)?127\.|^::1$/.test(address);

/** A URL, or a tunnel, is what clients ask a proxy of the network for (RFC 9112 section 3.2). */
const wantsForwarding = ({ method, url = '' }: Arrival): boolean => method === 'CONNECT' || hasScheme(url);

/**
 * For the proxy's own pages any address will do if it serves other machines: probes write that of the pod. Not for
 * requests: to an address over http a browser sends a GET without saying which page it is of.
 */
function isOwnHost(
  host: string,
  url: string,
  { allowRemoteClients, hosts }: Pick<ProxySettings, 'allowRemoteClients' | 'hosts'>,
): boolean {
  const name = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.exec(host)?.[1]?.toLowerCase();
  if (name === undefined) return false;
  if (isLoopback({ hostname: name }) || hosts.has(name)) return true;
  const isAddress = name.startsWith('[') ? isIPv6(name.slice(1, -1)) : isIPv4(name);
  return allowRemoteClients && isAddress && [HEALTH, METRICS].includes(pathOf(url));
}

/** Browsers tell where a request comes from. Programs that are no browsers say nothing. */
function isForeignPage(headers: IncomingMessage['headers'], host: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  return headers.origin !== undefined && headers.origin.replace(/^https?:\/\//, '') !== host;
}
