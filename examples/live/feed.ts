import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Faults } from './faults.js';
import type { LiveClock } from './liveClock.js';
import type { KnownToken } from './tokenRegistry.js';

/** What a client has to know of a token before the server lets it in. */
export type FindToken = (value: string) => KnownToken | undefined;

export interface Feed {
  readonly url: string;
  /** Ends every connection without a word, as a network that breaks does. */
  cut(): void;
  close(): void;
}

/** Between two messages, in ms. */
const MESSAGE_EVERY = 500;
/** The server's word for a token that has ended or was revoked. */
const UNAUTHORIZED = 4401;
const PATH = '/feed';

/**
 * A WebSocket server on loopback. The first message of a client is its token, and so is any later one; the server sends
 * a number every half second, and closes the connection when the last token has ended.
 */
export async function openFeed(find: FindToken, faults: Faults, clock: LiveClock): Promise<Feed> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 16_384, path: PATH });
  await once(server, 'listening');
  const tokens = new Map<WebSocket, KnownToken>();
  const isGood = (token: KnownToken | undefined): token is KnownToken =>
    token !== undefined && clock.now() < token.expiresAt && faults.refuses(token, PATH) === null;

  server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('close', () => tokens.delete(socket));
    socket.on('message', (data: Buffer) => {
      const token = find(data.toString());
      if (isGood(token)) tokens.set(socket, token);
      else socket.close(UNAUTHORIZED);
    });
  });

  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    for (const [socket, token] of tokens)
      // A revocation is for the requests to find: the page shows what it costs them.
      if (clock.now() < token.expiresAt) socket.send(String(count));
      else socket.close(UNAUTHORIZED);
  }, MESSAGE_EVERY);

  const cut = (): void => server.clients.forEach((socket) => socket.terminate());
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`,
    cut,
    close: () => {
      clearInterval(timer);
      cut();
      server.close();
    },
  };
}
