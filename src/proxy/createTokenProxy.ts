/** The public function `createTokenProxy`: the proxy as a listener for a server of the application. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createFetch } from '../http/createFetch.js';
import { messageOf } from '../answers/messageOf.js';
import type { TokenStream } from '../token/types.js';
import { ProxyFailure } from './rules/failures.js';
import { settingsOf, type TokenProxyOptions } from './options.js';
import { createRecords } from './watch/records.js';
import { serve, type ServingContext } from './serving.js';
import { tokenHealth } from './watch/tokenHealth.js';
import {
  isWebSocket,
  openResponseOn,
  readAhead,
  responseOn,
  serveWithoutUpgrade,
  type HandedOver,
} from './traffic/upgrade.js';
import { refuseUnreadable } from './traffic/unreadable.js';
import { createUpstream } from './traffic/upstream.js';

/** A listener for `request` events of node:http. By itself it leaves upgrades and `Expect: 100-continue` to Node. */
export interface TokenProxy {
  (request: IncomingMessage, response: ServerResponse): void;
  /**
   * Makes a server serve requests, WebSockets and `Expect: 100-continue` through the proxy. What Node's parser refuses
   * is answered too, unless the server has another listener for `clientError`.
   *
   * If the server has a listener for requests already, such as an application of Express, only WebSockets are added:
   * the listener gets them as requests, and the proxy opens those that reach it (`app.use('/api', proxy)`).
   */
  attach(server: Server): void;
  /**
   * Ends the proxy: WebSockets are closed, and each connection closes after its open request. Resolves when no request
   * is open. It closes neither servers nor the token stream: close your server first, since a request is still served.
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
    isRejection: isRejection && failingAsProxy(isRejection),
  });
  const records = createRecords(log);
  const health = tokenHealth(token$);
  const sockets = new Set<Socket>();
  let drained: Promise<void> | undefined;
  const context: ServingContext = {
    settings,
    send,
    pseudonym: `rx-fresh-token-${randomBytes(4).toString('hex')}`,
    records,
    health,
    sockets,
    isDraining: () => drained !== undefined,
  };

  async function drain(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await records.idle();
    health.stop();
    upstream.close();
  }

  return Object.assign(handlerOf(context), {
    attach: (server: Server) => attach(context, server),
    close: () => (drained ??= drain()),
  });
}

const MISTAKE = { status: 500, error: 'proxy_internal_error', text: 'option "isRejection" threw an error' };

/** What the option throws would be taken for a failure of the server. */
const failingAsProxy =
  (isRejection: (response: Response) => boolean | PromiseLike<boolean>) =>
  async (response: Response): Promise<boolean> => {
    try {
      return await isRejection(response);
    } catch (cause) {
      throw new ProxyFailure(MISTAKE, messageOf(cause));
    }
  };

/** The connections that Node has handed over, while their requests are on the way through the listeners of a server. */
const handedOver = new WeakMap<IncomingMessage, HandedOver>();

const handlerOf =
  (context: ServingContext, expectsContinue = false) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const upgrade = handedOver.get(request);
    const begin = () => {
      if (upgrade && !hold(context, upgrade.socket)) return;
      serve(context, { request, response, expectsContinue, upgrade });
    };
    // A client may send a request before the one ahead of it is answered: it is served when the connection is free for
    // its answer.
    if (response.socket) begin();
    else response.once('socket', begin);
  };

/** Keeps a connection until it closes, or the proxy. @returns false if the proxy is closing */
function hold({ sockets, isDraining }: ServingContext, socket: Socket): boolean {
  if (isDraining()) {
    socket.destroy();
    return false;
  }
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
  return true;
}

/** Servers that hand their upgrades over already: an application may mount several proxies. */
const attached = new WeakSet<Server>();

function attach(context: ServingContext, server: Server): void {
  const handOver = (request: IncomingMessage, _socket: Duplex, head: Buffer): void => {
    const { socket } = request;
    // Node hands it over though it has not answered an earlier request there.
    if (openResponseOn(socket)) socket.destroy();
    else if (request.method === 'CONNECT' || isWebSocket(request)) {
      handedOver.set(request, readAhead(socket, head));
      server.emit('request', request, responseOn(socket, request));
    } else serveWithoutUpgrade(server, request, socket, head);
  };
  if (!attached.has(server)) server.on('upgrade', handOver);
  attached.add(server);
  // The application's listener decides what reaches the proxy.
  if (server.listenerCount('request') > 0) return;
  server.on('request', handlerOf(context));
  server.on('checkContinue', handlerOf(context, true));
  server.on('connect', handOver);
  server.on('clientError', (error: Error, socket: Socket) => {
    // If the application listens too, it answers.
    if (server.listenerCount('clientError') === 1) refuseUnreadable(context.records, error, socket);
  });
}
