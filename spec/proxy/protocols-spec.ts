import { connect, createServer as createHttp2Server } from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import { atEnd, listen, send, setUp, until, Wire } from './support.js';

it('should pass a chunked body on without its trailers, in both directions', async () => {
  const trailers: unknown[] = [];
  const { port } = await setUp({
    answer: (request, response, body) => {
      trailers.push(request.headers.trailer, request.trailers);
      response.writeHead(200, { trailer: 'x-sum' });
      response.write(body);
      response.addTrailers({ 'x-sum': '7' });
      response.end();
    },
  });
  const head = ['POST /orders HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked', 'Trailer: X-Sum'];
  const wire = new Wire(port, ...head, 'Connection: close').write('3\r\ntea\r\n0\r\nX-Sum: 7\r\n\r\n');
  const answer = await wire.end();
  expect(answer).toMatch(/\r\n\r\n3\r\ntea\r\n0\r\n\r\n$/);
  expect(answer).not.toMatch(/x-sum/i);
  expect(trailers).toEqual([undefined, {}]);
});

it('should answer 502 for a server that speaks HTTP/2 only', async () => {
  const server = createHttp2Server();
  const { port, seen } = await setUp({ to: `http://127.0.0.1:${await listen(server)}` });
  expect([(await send(port)).status, seen.length]).toEqual([502, 0]);
});

it('should end the connection of a client that speaks HTTP/2 from the start, and send nothing', async () => {
  const { port, seen, fetched } = await setUp();
  const client = connect(`http://127.0.0.1:${port}`);
  atEnd(() => client.destroy());
  const ended = await new Promise((resolve) => {
    client.on('error', resolve);
    client.request({ ':path': '/orders' }).on('error', () => undefined);
  });
  expect(ended).toMatchObject({ code: expect.stringMatching(/^ERR_HTTP2/) as string });
  expect([seen.length, fetched()]).toEqual([0, 0]);
});

it('should answer 502 for a reason phrase with control characters', async () => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined).write('HTTP/1.1 200 O\x01K\r\nETag: "a"\r\nContent-Length: 2\r\n\r\nok');
  });
  const { port } = await setUp({ to: `http://127.0.0.1:${await listen(server)}` });
  const { status, headers } = await send(port);
  expect([status, headers.etag]).toEqual([502, undefined]);
});

describe('requests that a client sends before it has the answer to the first', () => {
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

  it('should be served one after the other, and not at all when the client leaves', async () => {
    const answers: (() => void)[] = [];
    const { port, proxy, seen, log } = await setUp({
      answer: (_request, response) => answers.push(() => response.end('ok')),
    });
    const wire = new Wire(port).write(get('/1') + get('/2') + get('/3'));
    await until(() => answers.length === 1);
    answers[0]?.();
    await until(() => answers.length === 2);
    wire.socket.destroy();
    await until(() => log.length === 2);
    await proxy.close();
    expect(seen.map(({ url }) => url)).toEqual(['/1', '/2']);
    expect(log.map(({ status }) => status)).toEqual([200, 499]);
  });

  it.each([
    ['a WebSocket', 'GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['an upgrade to h2c', 'GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n'],
    ['a tunnel', 'CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ])('should end the connection where one of them asks for %s', async (_name, request) => {
    const { port, proxy, log } = await setUp({ answer: () => undefined });
    expect(await new Wire(port).write(get('/orders') + request).end()).toBe('');
    await proxy.close();
    expect(log).toMatchObject([{ path: '/orders', status: 499 }]);
  });
});
