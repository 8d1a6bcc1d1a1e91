import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createFetch } from '../http/createFetch.js';
import { messageOf } from '../internal/messageOf.js';
import type { TokenStream } from '../token/types.js';
import { IsRejectionFailure } from './failures.js';
import { createMetrics } from './metrics.js';
import { settingsOf, type TokenProxyOptions } from './options.js';
import { createRecords } from './records.js';
import { serve, type ServingContext, type Expectations } from './serving.js';
import { tokenWatch } from './tokenWatch.js';
import { isAnswering, isWebSocket, readAhead, responseOn, serveWithoutUpgrade } from './upgrade.js';
import { createUpstream } from './upstream.js';

/** A listener for `request` events of node:http. By itself it leaves upgrades and `Expect: 100-continue` to Node. */
export interface TokenProxy {
  (request: IncomingMessage, response: ServerResponse): void;
  /** Makes a server serve requests, WebSockets and `Expect: 100-continue` through the proxy. */
  attach(server: Server): void;
  /**
   * Ends the proxy: WebSockets are closed, and each connection closes after its open request. Resolves when no request
   * is open. It closes neither servers nor the token stream.
   */
  close(): Promise<void>;
}

/**
 * A proxy that adds the token to the requests of programs in other languages.
 *
 * ```
 * client  --POST /orders-->  proxy  --POST /v1/orders, Authorization: Bearer T-->  to: https://api.example.com/v1
 * ```
 *
 * Bodies are streamed in both directions. If the server refuses the token, the token is replaced once, and the request
 * is repeated once, if its body is not longer than `repeatLimit`. Without a token nothing is sent: the client gets 503.
 * `/-/health` and `/-/metrics` are the proxy's own pages.
 *
 * ```ts
 * const proxy = createTokenProxy(token$, { to: 'https://api.example.com' });
 * const server = createServer();
 * proxy.attach(server);
 * server.listen(8080, '127.0.0.1');
 * ```
 *
 * @throws TypeError if `token$` was not made by `createTokenStream`, or names an option out of range.
 */
export function createTokenProxy(token$: TokenStream, options: TokenProxyOptions): TokenProxy {
  const settings = settingsOf(options);
  const { to: baseUrl, allowInsecureRequests, isRejection, log } = settings;
  const upstream = createUpstream(settings);
  const send = createFetch(token$, {
    baseUrl,
    allowInsecureRequests,
    fetch: upstream.fetch,
    isRejection: isRejection && named(isRejection),
  });
  const metrics = createMetrics();
  const records = createRecords(metrics, log);
  const watch = tokenWatch(token$, metrics.count);
  const sockets = new Set<Socket>();
  let drained: Promise<void> | undefined;
  const context: ServingContext = {
    settings,
    send,
    pseudonym: `rx-fresh-token-${randomBytes(4).toString('hex')}`,
    metrics,
    records,
    watch,
    sockets,
    isDraining: () => drained !== undefined,
  };

  async function drain(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await records.idle();
    watch.stop();
    upstream.close();
  }

  return Object.assign(handlerOf(context), {
    attach: (server: Server) => {
      attach(context, server);
    },
    close: () => (drained ??= drain()),
  });
}

/** What the option throws would be taken for a failure of the server. */
const named =
  (isRejection: (response: Response) => boolean | PromiseLike<boolean>) =>
  async (response: Response): Promise<boolean> => {
    try {
      return await isRejection(response);
    } catch (cause) {
      throw new IsRejectionFailure(messageOf(cause), { cause });
    }
  };

/**
 * A client may send a request before the one ahead of it is answered: it is served when the connection is free for its
 * answer.
 */
const handlerOf =
  (context: ServingContext, expectations: Expectations = {}) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const begin = () => {
      serve(context, request, response, expectations);
    };
    if (response.socket) begin();
    else response.once('socket', begin);
  };

function attach(context: ServingContext, server: Server): void {
  const handOver = (request: IncomingMessage, _socket: Duplex, head: Buffer): void => {
    const { socket } = request;
    // Node hands it over though it has not answered an earlier request there.
    if (context.isDraining() || isAnswering(socket, request)) socket.destroy();
    else if (request.method === 'CONNECT' || isWebSocket(request)) {
      context.sockets.add(socket);
      socket.once('close', () => context.sockets.delete(socket));
      serve(context, request, responseOn(socket, request), { upgrade: readAhead(socket, head) });
    } else serveWithoutUpgrade(server, request, socket, head);
  };
  server.on('request', handlerOf(context));
  server.on('checkContinue', handlerOf(context, { expectsContinue: true }));
  server.on('upgrade', handOver);
  server.on('connect', handOver);
}
