import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { listen, setUp, until, Wire, type RigOptions } from './support.js';

/** The proxy before a WebSocket server that takes any token but the first, and sends everything back. */
async function setUpSockets(options: RigOptions = {}, refused = 'Bearer a') {
  const rig = await setUp(options);
  const sockets = new WebSocketServer({ noServer: true });
  const authorizations: (string | undefined)[] = [];
  rig.upstream.on('upgrade', (request, socket, head) => {
    authorizations.push(request.headers.authorization);
    if (request.headers.authorization === refused)
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
    else sockets.handleUpgrade(request, socket, head, (opened) => opened.on('message', (data) => opened.send(data)));
  });
  return { ...rig, sockets, authorizations };
}

const upgrade = [
  'Host: localhost',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Version: 13',
];

describe('a WebSocket', () => {
  it('should be opened with the token, once refused and repeated, and pass messages both ways', async () => {
    const { port, authorizations, log } = await setUpSockets();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live?key=secret`, ['v1', 'v2']);
    const messages: string[] = [];
    socket.on('message', (data: Buffer) => messages.push(data.toString()));
    await until(() => socket.readyState === WebSocket.OPEN);
    socket.send('tea');
    socket.send('x'.repeat(200_000));
    await until(() => messages.length === 2);
    expect([messages[0], messages[1]?.length, socket.protocol]).toEqual(['tea', 200_000, 'v1']);
    expect(authorizations).toEqual(['Bearer a', 'Bearer b']);
    socket.close(1000);
    await until(() => log.length === 1);
    expect(log[0]).toMatchObject({ method: 'GET', path: '/live', status: 101, sent: 2 });
  });

  it('should get the refusal of the server as an answer, and what it sends with the request go on', async () => {
    const { port } = await setUpSockets({ isRejection: () => false });
    const text = await new Wire(port, 'GET /live HTTP/1.1', 'Upgrade: websocket', ...upgrade).end();
    expect(text).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n[^]*\r\n\r\nno$/);
  });

  it.each([
    ['a foreign Host', { headers: { host: 'evil.example' } }, 421],
    ['a foreign page', { origin: 'https://evil.example' }, 403],
    ['an Authorization', { headers: { authorization: 'x' } }, 400],
  ])('should be refused for %s', async (_name, options, status) => {
    const { port, authorizations } = await setUpSockets();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`, options);
    const error = await new Promise<Error>((done) => socket.on('error', done));
    expect([error.message, authorizations]).toEqual([`Unexpected server response: ${status}`, []]);
  });

  it('should be refused without a token: 503, and nothing sent', async () => {
    const { port, authorizations } = await setUpSockets({
      source: () => Promise.reject(new Error('down')),
      stream: { maxWait: 0 },
    });
    const text = await new Wire(port, 'GET /live HTTP/1.1', 'Upgrade: websocket', ...upgrade).end();
    expect(text).toMatch(/^HTTP\/1.1 503 Service Unavailable/);
    expect(authorizations).toEqual([]);
  });

  it('should leave no connection to the server when the client leaves before it has answered', async () => {
    const { port, upstream, log } = await setUp();
    let asked = 0;
    let left = 0;
    upstream.on('upgrade', (_request, socket) => {
      asked++;
      for (const event of ['error', 'end']) socket.once(event, () => left++);
      socket.resume();
    });
    const wire = new Wire(port, 'GET /live HTTP/1.1', 'Upgrade: websocket', ...upgrade);
    await until(() => asked === 1);
    wire.write('early').socket.destroy();
    await until(() => left > 0);
    expect(log).toMatchObject([{ status: 499 }]);
  });

  it('should pass on what the client sends before the server has answered', async () => {
    const { port, upstream } = await setUp();
    let received = '';
    let answer = (): unknown => undefined;
    upstream.on('upgrade', (_request, socket) => {
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
      answer = () =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const wire = new Wire(port, 'GET /live HTTP/1.1', 'Upgrade: websocket', ...upgrade).write('first ');
    wire.write('second');
    await until(() => answer() !== undefined);
    await wire.until(/101/);
    wire.write(' third');
    await until(() => received === 'first second third');
  });

  it('should end where the server ends it, where the client does, and when the proxy drains', async () => {
    const { port, sockets, proxy } = await setUpSockets({}, '');
    const open = async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/live`);
      socket.on('error', () => undefined);
      await until(() => socket.readyState === WebSocket.OPEN);
      return socket;
    };
    const first = await open();
    for (const each of sockets.clients) each.terminate();
    await until(() => first.readyState === WebSocket.CLOSED);
    const second = await open();
    second.terminate();
    await until(() => sockets.clients.size === 0);
    const third = await open();
    await proxy.close();
    await until(() => third.readyState === WebSocket.CLOSED && sockets.clients.size === 0);
  });
});

describe('another upgrade', () => {
  it('should be ignored, and the request served: body, and the next request on the connection', async () => {
    const { port, seen } = await setUp({ answer: (_request, response, body) => response.end(`<${body}>`) });
    const h2c = [
      'Host: localhost',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    ];
    const wire = new Wire(port, 'POST /orders HTTP/1.1', ...h2c, 'Content-Length: 3').write('te');
    await until(() => wire.socket.bytesWritten > 0);
    await new Promise((done) => setTimeout(done, 10));
    expect(await wire.write('a').until(/<tea>/)).toContain('HTTP/1.1 200 OK');
    wire.write(`GET /next HTTP/1.1\r\n${h2c.join('\r\n')}\r\n\r\n`);
    await wire.until(/<>/);
    expect(seen.map(({ url, body, headers }) => [url, body, headers.upgrade, headers['http2-settings']])).toEqual([
      ['/orders', 'tea', undefined, undefined],
      ['/next', '', undefined, undefined],
    ]);
  });

  it('should be ignored over TLS too', async () => {
    const { proxy } = await setUp();
    // Without a certificate.
    const tls = { ciphers: 'AECDH-AES128-SHA@SECLEVEL=0', maxVersion: 'TLSv1.2' } as const;
    const server = createTlsServer(tls);
    proxy.attach(server);
    const socket = connect({ ...tls, port: await listen(server), host: '127.0.0.1', rejectUnauthorized: false });
    socket.write('GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*ok$/);
  });

  it('should be ignored without attach too', async () => {
    const { proxy, seen } = await setUp();
    const plain = createServer(proxy);
    const wire = new Wire(await listen(plain), 'GET /live HTTP/1.1', 'Upgrade: websocket', ...upgrade);
    expect(await wire.until(/ok/)).toContain('200 OK');
    expect(seen[0]?.headers.upgrade).toBeUndefined();
  });
});
