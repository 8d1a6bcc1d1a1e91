/** The options of the proxy: their public types, their checks and their defaults. */
import type { Agent } from 'node:http';
import { isIPv6 } from 'node:net';
import { tokenUrlOption } from '../http/destinations.js';
import { parseUrl } from '../internal/values/urls.js';
import { numbersIn, requireBoolean, requireFunctions, requireObject, wrong } from '../internal/values/validate.js';
import { checkAgent } from './traffic/agent.js';

/** One request that has ended, for an access log. Its path has no query, since a query may be a secret. */
export interface ProxyLogEntry {
  readonly method: string;
  /** `*` if the target is not a path: a URL may have a password. */
  readonly path: string;
  /** The status that the client got; 499 if it closed the connection before. */
  readonly status: number;
  /** Milliseconds from the request's headers to the end of the response. */
  readonly took: number;
  /** How often the request was sent upstream: more than once after a rejected token or on a stale connection. */
  readonly sent: number;
  /** Why the proxy itself answered. */
  readonly error?: string;
}

/** All times in milliseconds. `undefined` means the default. A value out of range is a TypeError at creation. */
export interface TokenProxyOptions {
  /** Where the requests go. A request can only reach paths below this URL. `https:`, or `http:` on loopback. */
  to: string | URL;
  /** Allows plain `http:` to the host of `to`, in a network that is trusted. Default false. */
  allowInsecureRequests?: boolean | undefined;
  /**
   * Serves clients on other machines. All of them then have the rights of the token. Default false: loopback and unix
   * sockets only.
   */
  allowRemoteClients?: boolean | undefined;
  /**
   * Host names that clients may use for the proxy, besides `localhost`, 127.0.0.0/8 and `[::1]`. A name without a port.
   * Default none. With `allowRemoteClients`, `/-/health` and `/-/metrics` may be asked for by any IP address.
   */
  allowedHosts?: readonly string[] | undefined;
  /**
   * If a request has an Authorization header: `'refuse'` answers 400, `'replace'` removes the header. Default
   * `'refuse'`.
   */
  incomingAuthorization?: 'refuse' | 'replace' | undefined;
  /**
   * Bytes of a request body that are kept for the repeat after a rejected token. A longer body is not repeated. Default
   * 1 048 576.
   */
  repeatLimit?: number | undefined;
  /**
   * If the upstream server is silent for this long before its answer begins, the client gets 504. Time in which
   * the server waits for the rest of the client's body does not count. Default 300 000.
   */
  timeout?: number | undefined;
  /** Returns true if the server rejected the token. Default: 401, or a 403 as in `createFetch`. */
  isRejection?:
    ((response: { readonly status: number; readonly headers: Pick<Headers, 'get' | 'has'> }) => boolean) | undefined;
  /**
   * Node's agent for the connections to `to`: for a certificate authority, a client certificate, more sockets. Default:
   * one of the proxy's own, which goes by `HTTPS_PROXY` if Node does (`NODE_USE_ENV_PROXY=1`).
   */
  agent?: Agent | undefined;
  /** Is called at the end of each request. */
  log?: ((entry: ProxyLogEntry) => void) | undefined;
}

export type ProxySettings = ReturnType<typeof settingsOf>;

/** Checks every option. @throws TypeError that names an option out of range */
export function settingsOf(options: TokenProxyOptions) {
  requireObject(options);
  const {
    to: url,
    allowInsecureRequests = false,
    allowRemoteClients = false,
    allowedHosts = [],
    incomingAuthorization = 'refuse',
    isRejection,
    agent,
    log,
    ...numbers
  } = options;
  const checked = numbersIn(numbers, {
    repeatLimit: [0, Number.MAX_SAFE_INTEGER, 1_048_576],
    timeout: [1, 2 ** 31 - 1, 300_000],
  });
  requireBoolean('allowInsecureRequests', allowInsecureRequests);
  requireBoolean('allowRemoteClients', allowRemoteClients);
  if (!['refuse', 'replace'].includes(incomingAuthorization))
    throw wrong('incomingAuthorization', incomingAuthorization, '"refuse" or "replace"');
  if (!Array.isArray(allowedHosts)) throw wrong('allowedHosts', allowedHosts, 'an array of host names');
  requireFunctions({ log, isRejection });
  if (typeof url !== 'string' && !(url instanceof URL))
    throw wrong('to', url, 'an absolute URL such as https://api.example.com');
  const parsed = parseUrl(String(url));
  // What is no such URL is not shown: it may be a secret that was given in its place.
  const shown = parsed && /^https?:$/.test(parsed.protocol) ? parsed.href : '…';
  const to = tokenUrlOption('to', shown, allowInsecureRequests);
  checkAgent(agent, to);
  return {
    to,
    /** What stands before each path: empty, or `/v1`. */
    prefix: to.pathname.replace(/\/+$/, ''),
    allowInsecureRequests,
    allowRemoteClients,
    hosts: new Set(allowedHosts.map(hostName)),
    incomingAuthorization,
    isRejection,
    agent,
    log,
    ...checked,
  };
}

function hostName(given: unknown, index: number): string {
  const host = typeof given === 'string' && isIPv6(given) ? `[${given}]` : given;
  if (typeof host !== 'string' || !/^(\w[\w.-]*|\[[\da-f:.]+\])$/i.test(host))
    throw wrong(`allowedHosts[${String(index)}]`, given, 'a host name without a port, and without a dot before it');
  return host.toLowerCase();
}
