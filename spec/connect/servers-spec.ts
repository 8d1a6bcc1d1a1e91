import { merge, Observable, Subject, switchMap, throwError } from 'rxjs';
import { webSocket } from 'rxjs/webSocket';
import { buildSchema, type FormattedExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { Server as SocketServer } from 'socket.io';
import { io } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';
import { createTokenStream, type AccessToken, type TokenStream } from 'rx-fresh-token';
import { connectWithToken, eventStream } from 'rx-fresh-token/connect';
import { fakeTokenSource } from 'rx-fresh-token/testing';
import { LIFETIME, LIMIT, ProtectedServer, SOAK, seeded, until, wait } from './protectedServer.js';

jest.setTimeout(LIMIT);

let server: ProtectedServer;
let token$: TokenStream;

beforeEach(() => {
  const source = fakeTokenSource({ lifetime: LIFETIME, names: 'numbers', latency: 20 });
  server = new ProtectedServer(source);
  // The budget is for a server gone mad: here tokens are revoked all the time.
  token$ = createTokenStream(source, { rejectionBudget: { max: 1000 } });
});

afterEach(async () => {
  if (SOAK && server.revocations > 0)
    process.stdout.write(`${expect.getState().currentTestName}: ${server.summary()}\n`);
  jest.restoreAllMocks();
  token$.close();
  await server.close();
});

/** Sends `tick` all the time, and closes with 4401 when the token is over. */
function serveWebSocket(): { clients: () => number } {
  const sockets = new WebSocketServer({ noServer: true });
  server.http.on('upgrade', (request, socket, head) => {
    const value = server.admit(request);
    if (value === undefined) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      const ticking = setInterval(() => {
        if (server.source.fateOf(value) === 'alive') client.send('"tick"');
        else client.close(4401, 'the token is over');
      }, 20);
      client.on('close', () => clearInterval(ticking));
    });
  });
  return { clients: () => sockets.clients.size };
}

const headersOf = ({ type, value }: AccessToken) => ({ authorization: `${type} ${value}` });

const openWebSocket = (url: string, token: AccessToken, opened: () => void) =>
  new Observable<string>((subscriber) => {
    const socket = new WebSocket(url, { headers: headersOf(token) });
    socket.on('open', opened);
    socket.on('message', (data: Buffer) => subscriber.next(data.toString()));
    socket.on('error', (error) => subscriber.error(error));
    socket.on('close', (code) => subscriber.error(Object.assign(new Error(`close ${code}`), { code })));
    return () => socket.close();
  });

it('41 and 42: ws: no handshake with a token that is over, at most one rejected handshake for a revocation, no socket left', async () => {
  const { clients } = serveWebSocket();
  const url = `ws://127.0.0.1:${await server.listen()}`;
  let messages = 0;
  const errors: unknown[] = [];
  const running = connectWithToken(token$, (token, opened) => openWebSocket(url, token, opened), {
    reconnect: { initial: 20, max: 100 },
  }).subscribe({
    next: () => {
      messages++;
      server.received();
    },
    error: (error: unknown) => errors.push(error),
  });
  await until(() => messages > 0);
  await server.torment(seeded(1), 15);
  const before = messages;
  await until(() => messages > before + 5);
  running.unsubscribe();
  await until(() => clients() === 0 && server.sockets.size === 0);
  expect(errors).toEqual([]);
  expect(server.expired).toBe(0);
  expect(server.rejected).toBeLessThanOrEqual(server.revocations);
  expect([server.revocations > 2, server.handshakes > 5]).toEqual([true, true]);
});

it('41: RxJS webSocket: a renewal reconnects nothing, and a close code reaches the stream by closeObserver', async () => {
  const { clients } = serveWebSocket();
  const url = `ws://127.0.0.1:${await server.listen()}`;
  const open = (token: AccessToken) => {
    const closed$ = new Subject<CloseEvent>();
    const messages$ = webSocket<string>({
      url,
      closeObserver: closed$,
      WebSocketCtor: class extends WebSocket {
        constructor(to: string) {
          super(to, { headers: headersOf(token) });
        }
      } as never,
    });
    // Else a clean close, whatever its code, is a completion.
    const failed$ = closed$.pipe(switchMap((end) => throwError(() => end as unknown)));
    return merge(failed$, messages$);
  };
  let messages = 0;
  let renewals = 0;
  token$.subscribe(() => renewals++);
  const errors: unknown[] = [];
  const running = connectWithToken(token$, open).subscribe({
    next: () => messages++,
    error: (error: unknown) => errors.push(error),
  });
  await until(() => renewals === 2 && messages > 0);
  expect(server.handshakes).toBe(1);
  // The server closes with 4401 at the end of the first token.
  await until(() => server.handshakes === 2);
  const before = messages;
  await until(() => messages > before);
  running.unsubscribe();
  await until(() => clients() === 0);
  expect([errors, server.rejected]).toEqual([[], 0]);
});

it('45: SSE: no event is lost or comes twice while the server dies and tokens are revoked', async () => {
  const log: number[] = [];
  const producing = setInterval(() => log.push(log.length + 1), 10);
  let streams = 0;
  server.onRequest = (request, response) => {
    const value = server.admit(request);
    if (value === undefined) {
      response.writeHead(401).end();
      return;
    }
    streams++;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 20\n\n');
    let sent = Number(request.headers['last-event-id'] ?? 0);
    const sending = setInterval(() => {
      while (sent < log.length) response.write(`id: ${++sent}\ndata: ${sent}\n\n`);
      if (server.source.fateOf(value) !== 'alive') response.end();
    }, 15);
    response.on('close', () => {
      streams--;
      clearInterval(sending);
    });
  };
  const baseUrl = `http://127.0.0.1:${await server.listen()}`;
  const received: string[] = [];
  const errors: unknown[] = [];
  const running = eventStream(token$, '/events', { baseUrl, reconnect: { initial: 20, max: 100 } }).subscribe({
    next: ({ id, event, data }) => {
      received.push(`${event} ${id} ${data}`);
      server.received();
    },
    error: (error: unknown) => errors.push(error),
  });
  try {
    await until(() => received.length > 0);
    await server.torment(seeded(2), 15);
    const before = received.length;
    await until(() => received.length > before + 5);
  } finally {
    clearInterval(producing);
    running.unsubscribe();
  }
  // A connection without a request is the runtime's: it keeps it for 4 s, for the next one.
  await until(() => streams === 0);
  expect(errors).toEqual([]);
  expect(received).toEqual(log.slice(0, received.length).map((n) => `message ${n} ${n}`));
  expect(server.expired).toBe(0);
  expect(server.rejected).toBeLessThanOrEqual(server.revocations);
  expect([server.revocations > 2, server.handshakes > 5]).toEqual([true, true]);
});

it('42: graphql-ws: the token goes into the first message, and a rejection is replaced once', async () => {
  // The server of graphql-ws writes there when a connection is killed under it.
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const sockets = new WebSocketServer({ server: server.http });
  const schema = buildSchema('type Query { now: Int } type Subscription { ticks: Int }');
  const served = useServer(
    {
      schema,
      onConnect: ({ connectionParams }) => {
        const value = server.judge(String(connectionParams?.token));
        return value !== undefined;
      },
      roots: {
        subscription: {
          ticks: async function* () {
            for (let ticks = 0; ; ticks++) {
              await wait(20);
              yield { ticks };
            }
          },
        },
      },
    },
    sockets,
  );
  const url = `ws://127.0.0.1:${await server.listen()}`;
  const open = (token: AccessToken) =>
    new Observable<FormattedExecutionResult<Record<string, unknown>, unknown>>((subscriber) => {
      const client = createClient({
        url,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: { token: token.value },
      });
      const leave = client.subscribe(
        { query: 'subscription { ticks }' },
        {
          next: (result) => subscriber.next(result),
          error: (error) => subscriber.error(error),
          complete: () => subscriber.complete(),
        },
      );
      return () => {
        leave();
        Promise.resolve(client.dispose()).catch(() => undefined);
      };
    });
  let messages = 0;
  const errors: unknown[] = [];
  const running = connectWithToken(token$, open, { reconnect: { initial: 20, max: 100 } }).subscribe({
    next: () => {
      messages++;
      server.received();
    },
    error: (error: unknown) => errors.push(error),
  });
  await until(() => messages > 0);
  await server.torment(seeded(3), 10);
  const before = messages;
  await until(() => messages > before + 5);
  running.unsubscribe();
  await until(() => sockets.clients.size === 0);
  await served.dispose();
  expect([errors, server.expired]).toEqual([[], 0]);
  expect(server.rejected).toBeLessThanOrEqual(server.revocations);
  expect([server.revocations > 1, server.handshakes > 3]).toEqual([true, true]);
});

it('42: socket.io: a middleware rejects the token, and the next connection has another one', async () => {
  const sockets = new SocketServer(server.http, { transports: ['websocket'] });
  sockets.use((socket, next) => {
    const value = server.judge(String(socket.handshake.auth.token));
    next(value === undefined ? Object.assign(new Error('unauthorized'), { data: { status: 401 } }) : undefined);
  });
  sockets.on('connection', (socket) => {
    const sending = setInterval(() => socket.emit('news', 'tick'), 20);
    socket.on('disconnect', () => clearInterval(sending));
  });
  const url = `http://127.0.0.1:${await server.listen()}`;
  const open = (token: AccessToken, opened: () => void) =>
    new Observable<string>((subscriber) => {
      const auth = { token: token.value };
      const socket = io(url, { auth, transports: ['websocket'], reconnection: false, forceNew: true });
      socket.on('connect', opened);
      socket.on('news', (text: string) => subscriber.next(text));
      socket.on('connect_error', (error) => subscriber.error(Object.assign(error, (error as { data?: object }).data)));
      socket.on('disconnect', (reason) => subscriber.error(new Error(reason)));
      return () => socket.close();
    });
  let messages = 0;
  const errors: unknown[] = [];
  const running = connectWithToken(token$, open, { reconnect: { initial: 20, max: 100 } }).subscribe({
    next: () => {
      messages++;
      server.received();
    },
    error: (error: unknown) => errors.push(error),
  });
  await until(() => messages > 0);
  await server.torment(seeded(4), 10);
  const before = messages;
  await until(() => messages > before + 5);
  running.unsubscribe();
  await until(() => sockets.sockets.sockets.size === 0);
  await sockets.close();
  expect([errors, server.expired]).toEqual([[], 0]);
  expect(server.rejected).toBeLessThanOrEqual(server.revocations);
  expect([server.revocations > 1, server.handshakes > 3]).toEqual([true, true]);
});
