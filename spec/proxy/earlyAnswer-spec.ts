import { Agent } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { listen, send, setUp } from './support.js';

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
