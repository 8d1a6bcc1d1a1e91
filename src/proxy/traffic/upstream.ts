/** Sends requests to the server behind the proxy, as a fetch for `createFetch`. */
import { request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { request as httpsRequest } from 'node:https';
import { codeOf } from '../../internal/platform/files.js';
import { ownAgent } from './agent.js';
import type { Exchange } from './exchange.js';
import { ProxyFailure } from '../rules/failures.js';
import { fieldsByName } from '../rules/headers.js';
import type { ProxySettings } from '../options.js';

/** An answer that nobody reads is read to its end, up to so many bytes, to keep the connection. */
const MOST_DISCARDED = 64 * 1024;

/** What `createFetch` reads of an answer, and what the proxy passes on. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null; has(name: string): boolean };
  readonly body: { cancel(): Promise<void> };
  readonly incoming: IncomingMessage;
  /** After `101 Switching Protocols`. */
  readonly upgraded?: Upgraded;
}

/** The connection to a server that has switched protocols, and what it has sent since. */
export interface Upgraded {
  readonly socket: Socket;
  readonly head: Buffer;
}

/**
 * Sends by Node's own client, and not by its fetch. Fetch would decompress what it receives, add fields of its own,
 * hide `100 Continue` and upgrades, and take longer.
 */
export function createUpstream({ to, timeout, agent: given }: ProxySettings) {
  const agent = given ?? ownAgent(to);
  const request = to.protocol === 'https:' ? httpsRequest : httpRequest;
  const place: RequestOptions = {
    // An IPv6 address has brackets in a URL only.
    host: to.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: to.port === '' ? undefined : Number(to.port),
    agent,
    timeout,
    setHost: false,
  };

  /** @param added what `createFetch` adds: the fields of the token */
  const sendUpstream = (exchange: Exchange, added: Record<string, string>): Promise<UpstreamAnswer> =>
    new Promise((resolve, reject) => {
      const { method, path, headers, onInformation } = exchange.init;
      if (exchange.signal.aborted) throw new Error('the client left');
      const sending = request({
        ...place,
        method,
        path,
        // Not as a list: for a proxy of the network, Node makes the URL of the field `Host`, and does not see it there.
        headers: fieldsByName([...headers, ...Object.entries(added)]),
      });
      exchange.sent += 1;
      let isAnswered = false;
      sending.on('response', (incoming) => {
        isAnswered = true;
        resolve(answerOf(sending, incoming));
      });
      sending.on('upgrade', (incoming, socket, head) =>
        resolve({ ...answerOf(sending, incoming), upgraded: { socket, head } }),
      );
      sending.once('socket', (socket) => {
        if (!sending.reusedSocket) ignoreFailedWrites(socket);
        endOnSilence(sending, socket, exchange);
      });
      if (onInformation) sending.on('information', onInformation);
      sending.on('error', (error) => {
        if (!isAnswered && isStale(sending, error, exchange)) resolve(sendUpstream(exchange, added));
        else reject(error);
      });
      exchange.sendBody(sending);
    });

  return {
    /**
     * Stands in the place of fetch: the `body` of the request is an {@link Exchange}. `headers` is a plain record,
     * since the proxy gives `createFetch` no `authorize`.
     */
    fetch: ((_url: unknown, { body, headers }: { body: Exchange; headers: Record<string, string> }) =>
      sendUpstream(body, headers)) as unknown as typeof globalThis.fetch,
    /** Closes the connections that are idle. */
    close: () => {
      if (!given) agent.destroy();
    },
  };
}

const TIMEOUT = { status: 504, error: 'http_response_timeout', text: 'the upstream server did not answer in time' };

/** Ends a request when the server is silent. By the socket, because the request tells the first silence only. */
function endOnSilence(sending: ClientRequest, socket: Socket, exchange: Exchange): void {
  const end = () => {
    if (!exchange.isWaitingForClient) sending.destroy(new ProxyFailure(TIMEOUT, 'the server is silent'));
  };
  socket.on('timeout', end);
  sending.once('close', () => socket.off('timeout', end));
}

/**
 * A server may answer and close before it has read the body. Node's client would drop such an answer, because a write
 * fails before the answer is read (nodejs/node#54366). So that failure is left out: a read meets the end as well.
 */
function ignoreFailedWrites(socket: Socket): void {
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  const unlessClosed = (done: (error?: Error | null) => void) => (error?: Error | null) =>
    done(isClosed(error) ? null : error);
  socket._write = (chunk, encoding, done) => write(chunk, encoding, unlessClosed(done));
  if (!writev) return;
  socket._writev = (chunks, done) => writev(chunks, unlessClosed(done));
}

const isClosed = (error: unknown): boolean => /^(ECONNRESET|EPIPE)$/.test(codeOf(error));

/**
 * Whether the server had closed the idle connection, and the request may be sent again, because it is idempotent (RFC
 * 9110 section 9.2.2). Each connection that the agent keeps may be stale.
 */
const isStale = (sending: ClientRequest, error: Error, exchange: Exchange): boolean =>
  sending.reusedSocket &&
  isClosed(error) &&
  IDEMPOTENT.has(exchange.init.method) &&
  exchange.isRepeatable &&
  exchange.sent <= MOST_STALE;

/** A request is sent again at most so often because the connection was stale. */
const MOST_STALE = 3;

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

function answerOf(sending: ClientRequest, incoming: IncomingMessage): UpstreamAnswer {
  // The server broke off in the middle of a body. `relay` learns of it by `close`.
  incoming.on('error', () => undefined);
  const valueOf = (name: string) => incoming.headers[name.toLowerCase()];
  return {
    status: incoming.statusCode ?? 0,
    headers: {
      get: (name) => {
        const value = valueOf(name);
        return value === undefined ? null : String(value);
      },
      has: (name) => valueOf(name) !== undefined,
    },
    body: {
      cancel: () => {
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MOST_DISCARDED) sending.destroy();
        });
        return Promise.resolve();
      },
    },
    incoming,
  };
}
