import { LogLevel } from '@microsoft/signalr';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { Server } from 'socket.io';
import { WebSocketServer } from 'ws';
import { clientWithToken } from './graphqlws.recipe.js';
import { hubWithToken } from './signalr.recipe.js';
import { socketWithToken } from './socketio.recipe.js';
import { Api, tokenIn, until, wait } from './support.js';
import { messages } from './ws.recipe.js';

let api: Api;
beforeEach(() => {
  api = new Api();
});
afterEach(() => api.close());

it('ws: the server closes with 4401 at the end of a token, and the next connection has another one', async () => {
  const sockets = new WebSocketServer({
    server: api.http,
    verifyClient: ({ req }: { req: { headers: { authorization?: string } } }) =>
      api.admit(req.headers.authorization?.replace('Bearer ', '')),
  });
  sockets.on('connection', (socket, request) => {
    const value = tokenIn(request.headers.authorization);
    socket.on(
      'close',
      api.whenEnded(value, () => socket.close(4401)),
    );
    socket.send('hello');
  });
  const url = (await api.listen()).replace('http', 'ws');
  let received = 0;
  const errors: unknown[] = [];
  const running = messages(api.token$, url).subscribe({
    next: () => received++,
    error: (error: unknown) => errors.push(error),
  });
  await until(() => api.accepted.size >= 3 && received >= 3);
  running.unsubscribe();
  await until(() => sockets.clients.size === 0);
  expect([errors, api.rejected]).toEqual([[], 0]);
});

it('socket.io: the function is asked at each connection', async () => {
  const server = new Server(api.http);
  const tokenOf = ({ token }: { token?: string }) => token;
  server.use((socket, next) => next(api.admit(tokenOf(socket.handshake.auth)) ? undefined : new Error('unauthorized')));
  server.on('connection', (socket) => {
    // Only the transport is closed: then the client connects again by itself, which it does not after disconnect().
    const stop = api.whenEnded(String(tokenOf(socket.handshake.auth)), () => socket.conn.close());
    socket.on('disconnect', stop);
  });
  const socket = socketWithToken(api.token$, await api.listen());
  try {
    await until(() => api.accepted.size >= 3);
    expect(api.rejected).toBe(0);
  } finally {
    socket.close();
    await server.close();
  }
});

/** As much of a hub as the client needs: a negotiation, and the handshake of each connection. */
function serveHub(hub: Api): WebSocketServer {
  const availableTransports = [{ transport: 'WebSockets', transferFormats: ['Text'] }];
  hub.respond = (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ connectionToken: '1', negotiateVersion: 1, availableTransports }));
  };
  const sockets = new WebSocketServer({ server: hub.http });
  sockets.on('connection', (socket, request) => {
    if (!hub.admit(tokenIn(request.headers.authorization))) socket.terminate();
    else socket.once('message', () => socket.send('{}\x1e'));
  });
  return sockets;
}

it('SignalR: the function is asked at each connection, and a token that is rejected is replaced', async () => {
  const long = new Api({ lifetime: 60_000 }); // no renewal brings the other token
  const sockets = serveHub(long);
  const hub = hubWithToken(long.token$, await long.listen())
    .configureLogging(LogLevel.None)
    .build();
  let reconnected = 0;
  hub.onreconnected(() => reconnected++);
  try {
    await hub.start();
    long.revoke();
    for (const times of [1, 2]) {
      sockets.clients.forEach((socket) => socket.terminate());
      await until(() => reconnected === times);
    }
    expect([long.rejected, long.accepted.size]).toEqual([1, 2]);
  } finally {
    await hub.stop();
    await long.close();
  }
});

it('graphql-ws: connectionParams is asked at each connection, and the subscription goes on', async () => {
  const sockets = new WebSocketServer({ server: api.http });
  const schema = buildSchema('type Query { now: Int } type Subscription { ticks: Int }');
  const ticks = async function* () {
    for (let n = 0; ; n++) {
      await wait(50);
      yield { ticks: n };
    }
  };
  const served = useServer(
    {
      schema,
      roots: { subscription: { ticks } },
      onConnect: ({ connectionParams, extra }) => {
        const value = String(connectionParams?.token);
        if (!api.admit(value)) return false;
        extra.socket.on(
          'close',
          api.whenEnded(value, () => extra.socket.close(4403)),
        );
        return true;
      },
    },
    sockets,
  );
  const client = clientWithToken(api.token$, (await api.listen()).replace('http', 'ws'));
  let received = 0;
  const errors: unknown[] = [];
  const leave = client.subscribe(
    { query: 'subscription { ticks }' },
    { next: () => received++, error: (error) => errors.push(error), complete: () => undefined },
  );
  await until(() => api.accepted.size >= 3);
  const before = received;
  await until(() => received > before + 2);
  expect([errors, api.rejected]).toEqual([[], 0]);
  const beforeRevocation = api.accepted.size;
  api.revoke();
  await until(() => api.accepted.size > beforeRevocation);
  leave();
  await client.dispose();
  await served.dispose();
  // Its lifetime had not ended: without the rejection the revoked token would be presented again and again.
  expect([errors, api.expired]).toEqual([[], 0]);
  expect(api.rejected).toBeLessThanOrEqual(1);
});
