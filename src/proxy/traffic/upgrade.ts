/** Connections that leave HTTP: WebSockets, and what Node does for other upgrades. */
import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { fieldsIn, fieldsWithout, headOf, responseHeaders, UPGRADE_FIELDS } from '../rules/headers.js';
import type { Upgraded } from './upstream.js';

/** Only WebSocket: an upgrade to h2c would pass requests by the proxy that it never sees. */
export const isWebSocket = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';

/** The response that Node has yet to write to a connection. */
export const openResponseOn = (socket: Socket & { readonly _httpMessage?: ServerResponse | null }) =>
  socket._httpMessage ?? undefined;

/** A response on a connection that Node has handed over. The connection ends with it. */
export function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  // Node's server listens no more.
  socket.on('error', () => undefined);
  response.once('finish', () => socket.destroySoon());
  return response;
}

/** A connection that Node has handed over, read before the upstream server has answered. */
export type HandedOver = ReturnType<typeof readAhead>;

/** What a client may send before the upstream server has answered. Bytes. */
const MOST_AHEAD = 64 * 1024;

/** Reads what the client sends: a client that leaves is seen by that only. */
export function readAhead(socket: Socket, head: Buffer) {
  const chunks = [head];
  const read = (chunk: Buffer) => {
    chunks.push(chunk);
    if (socket.bytesRead > MOST_AHEAD) socket.pause();
  };
  const leave = () => socket.destroy();
  socket.on('data', read);
  socket.on('end', leave);
  return {
    socket,
    /** What the client has sent after its request. From then on the connection is the caller's. */
    takeHead: () => {
      socket.off('data', read);
      socket.off('end', leave);
      socket.pause();
      return Buffer.concat(chunks);
    },
  };
}

/** Connects a client with the upstream server that has switched protocols. */
export function joinSockets(incoming: IncomingMessage, upstream: Upgraded, client: Socket, head: Buffer): void {
  const fields = responseHeaders(incoming.rawHeaders, 101).concat(UPGRADE_FIELDS);
  client.write(headOf('HTTP/1.1 101 Switching Protocols', fields));
  if (upstream.head.length > 0) client.write(upstream.head);
  if (head.length > 0) upstream.socket.write(head);
  for (const [from, into] of [
    [upstream.socket, client],
    [client, upstream.socket],
  ] as const) {
    // A WebSocket may be silent as long as it likes.
    from.setTimeout(0);
    from.on('error', () => into.destroy());
    from.on('close', () => into.destroy());
    from.pipe(into);
  }
}

/**
 * Serves a request with another `Upgrade` as if it had none, which a server may do (RFC 9110 section 7.8). Java's
 * client asks for h2c in each request. Node has taken the connection from its server: it is given back, the request
 * anew.
 */
export function serveWithoutUpgrade(
  server: Server,
  { method, url, httpVersion, rawHeaders }: IncomingMessage,
  socket: Socket,
  head: Buffer,
): void {
  const fields = fieldsWithout(fieldsIn(rawHeaders), ['upgrade', 'http2-settings']);
  const line = `${String(method)} ${String(url)} HTTP/${httpVersion}`;
  socket.unshift(Buffer.concat([headOf(line, fields), head]));
  // By 'connection', a server of node:https would begin a handshake.
  server.emit(server.listenerCount('secureConnection') > 0 ? 'secureConnection' : 'connection', socket);
}
