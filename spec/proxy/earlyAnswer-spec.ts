import { once } from 'node:events';
import {
  Agent as HttpAgent,
  createServer as createHttpServer,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import { Agent } from 'node:https';
import { connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { atEnd, listen, send, setUp, until, Wire } from './support.js';

/** Bytes: more than the buffers of a connection hold, and less than is kept for a repeat. */
const LONG = 900_000;

/** It answers before it has read the body, and closes the connection, which resets it: a part of the body is unread. */
const refuseAndReset = (socket: Socket, answer: string) => {
  socket.pause().write(answer, () => socket.destroy());
};

/** Refuses the token "a" early. It takes any other token, reads the body, and answers with its length. */
function serveOne(socket: Socket, refuse: (socket: Socket) => void): void {
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    if (socket.isPaused()) return;
    text += chunk.toString('latin1');
    const body = text.split('\r\n\r\n')[1];
    if (body === undefined) return;
    if (text.includes('Bearer a')) refuse(socket);
    else if (body.length === LONG)
      socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\n${body.length}`);
  });
}

// Without a certificate.
const tls = { ciphers: 'AECDH-AES128-SHA@SECLEVEL=0', maxVersion: 'TLSv1.2' } as const;

/** Node's client gives up an answer that has arrived when it cannot write. It meets that with TLS each time. */
const CONNECTIONS = [
  ['TCP', 'http', createServer, undefined],
  [
    'TLS',
    'https',
    (serve: (socket: Socket) => void) => createTlsServer(tls, serve),
    { ...tls, rejectUnauthorized: false },
  ],
] as const;

const REFUSAL = 'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 3\r\n\r\nnot';

describe.each(CONNECTIONS)('a server that answers and closes before it has read the body, by %s', (...connection) => {
  const [, scheme, create, options] = connection;
  const before = async (refuse: (socket: Socket) => void, repeatLimit?: number) => {
    const port = await listen(create((socket) => serveOne(socket, refuse)));
    const agent = options && new Agent(options);
    return setUp({ to: `${scheme}://127.0.0.1:${port}`, agent, repeatLimit });
  };

  it.each(['POST', 'PUT'])('should have its refusal heard, and get the %s again with another token', async (method) => {
    const { port, fetched } = await before((socket) => refuseAndReset(socket, REFUSAL));
    const { status, body } = await send(port, { method, body: Buffer.alloc(LONG, 'x') });
    expect([status, body, fetched()]).toEqual([200, String(LONG), 2]);
  });

  it('should have its answer passed on if the body is too long to be kept', async () => {
    const { port } = await before((socket) => refuseAndReset(socket, REFUSAL), 3);
    const { status, body } = await send(port, { method: 'POST', body: Buffer.alloc(LONG, 'x') });
    expect([status, body]).toEqual([401, 'not']);
  });

  it('should be told as 502 if it closes without an answer, and get the POST once', async () => {
    let connections = 0;
    const { port } = await before((socket) => {
      connections += 1;
      socket.destroy();
    });
    expect((await send(port, { method: 'POST', body: Buffer.alloc(LONG, 'x') })).status).toBe(502);
    expect(connections).toBe(1);
  });
});

describe('a client that is answered before it has sent all of its body', () => {
  /** A server of Node that reads no body, and keeps its connections open. */
  const refusing = async (status = 413) => {
    const server = createHttpServer((request, response) => {
      response.writeHead(request.method === 'GET' ? 200 : status).end(request.method === 'GET' ? 'ok' : 'too long');
    });
    return `http://127.0.0.1:${await listen(server)}`;
  };
  const head = (length: number) => ['POST /1 HTTP/1.1', 'Host: localhost', `Content-Length: ${length}`] as const;

  it.each([
    ['413', 413, 1_048_576],
    ['401, which is repeated', 401, 1_048_576],
    ['401, which is too long for a repeat', 401, 3],
  ])('should not wait with its next request until it has sent the rest: %s', async (_what, status, repeatLimit) => {
    const { port, server } = await setUp({ to: await refusing(status), repeatLimit });
    server.keepAliveTimeout = 600_000;
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    atEnd(() => agent.destroy());
    const headers = { 'content-length': LONG };
    const upload = httpRequest({ host: '127.0.0.1', port, method: 'POST', headers, agent });
    upload.on('error', () => undefined);
    atEnd(() => upload.destroy());
    upload.write('x'.repeat(10_000));
    const got = await new Promise<number | undefined>((resolve) => {
      upload.on('response', (response) => resolve(response.resume().statusCode));
    });
    expect([got, (await send(port, { agent })).body]).toEqual([status, 'ok']);
  });

  it('should get the answer, although it reads it only when it has sent all', async () => {
    const { port, log } = await setUp({ to: await refusing() });
    const megabytes = 16;
    const wire = new Wire(port, ...head(megabytes << 20));
    wire.socket.pause();
    await until(() => log.length === 1);
    for (let i = 0; i < megabytes; i++) {
      wire.write('x'.repeat(1 << 20));
      await until(() => wire.socket.writableLength === 0);
    }
    wire.socket.resume();
    expect(await wire.end()).toMatch(/^HTTP\/1.1 413[^]*\r\nConnection: close\r\n[^]*too long/);
  });

  it('should not have a request served that it sends after that on the connection', async () => {
    const { port, server } = await setUp({ to: await refusing() });
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    atEnd(() => client.destroy());
    client.write(`${head(3).join('\r\n')}\r\n\r\nx`);
    await once(client.resume(), 'end');
    const served = once(server, 'request') as Promise<[unknown, ServerResponse]>;
    const closed = once(client, 'close');
    client.end('xxGET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect((await served)[1].headersSent).toBe(false);
    await closed;
  });

  it('should be disconnected when it goes on sending for long', async () => {
    const { port } = await setUp({ to: await refusing() });
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance', 'Date', 'setInterval'] });
    try {
      const wire = new Wire(port, ...head(1 << 30)).write('x');
      while (!wire.text.includes('too long')) await new Promise(setImmediate);
      expect(wire.hasEnded).toBe(false);
      jest.advanceTimersByTime(30_000);
      for (let turn = 0; turn < 1000 && !wire.hasEnded; turn++) {
        wire.write('x');
        await new Promise(setImmediate);
      }
      expect(wire.hasEnded).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  it('should keep its connection when the proxy refuses it, and all had come with the head', async () => {
    const { port, seen } = await setUp();
    const agent = new HttpAgent({ keepAlive: true, maxSockets: 1 });
    atEnd(() => agent.destroy());
    const refused = { method: 'POST', headers: { authorization: 'x' }, body: 'small', agent };
    const replies = [await send(port, refused), await send(port, { agent })];
    expect(replies.map(({ status, headers }) => [status, headers.connection])).toEqual([
      [400, 'keep-alive'],
      [200, 'keep-alive'],
    ]);
    expect(seen).toHaveLength(1);
  });

  it.each([
    ['disconnected', (response: ServerResponse) => response.destroy(), 499],
    ['answered', (response: ServerResponse) => response.end('mine'), 200],
  ])(
    'should not be answered when another listener has %s it before the proxy refuses it',
    async (_how, act, status) => {
      const { port, server, log } = await setUp();
      server.on('request', (_request, response: ServerResponse) => act(response));
      const refused = { method: 'POST', headers: { authorization: 'x' }, body: 'small' };
      await send(port, refused).catch(() => undefined);
      await until(() => log.length > 0);
      expect(log).toEqual([expect.objectContaining({ status })]);
    },
  );

  it('should keep its connection when it had sent all', async () => {
    const { port } = await setUp({ to: await refusing() });
    const wire = new Wire(port, ...head(1)).write('x');
    await wire.until(/too long/);
    wire.write('GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await wire.until(/200 OK/)).not.toMatch(/close/);
  });
});
