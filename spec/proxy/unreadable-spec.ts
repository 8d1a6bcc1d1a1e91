import { once } from 'node:events';
import { createServer, maxHeaderSize } from 'node:http';
import type { Socket } from 'node:net';
import { listen, send, setUp, until, Wire } from './support.js';

describe("what Node's parser refuses", () => {
  it.each([
    ['a large field', `GET / HTTP/1.1\r\nX: ${'x'.repeat(maxHeaderSize)}\r\n\r\n`, 431, /--max-http-header-size/],
    ['a long target', `GET /${'x'.repeat(maxHeaderSize)} HTTP/1.1\r\n\r\n`, 431, /--max-http-header-size/],
    ['a space in the target', 'GET /a b HTTP/1.1\r\n\r\n', 400, /not valid HTTP/],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, /not valid HTTP/],
    ['TLS', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', 400, /not valid HTTP/],
  ])('should be answered with a reason, counted and logged: %s', async (_what, bytes, status, reason) => {
    const { port, log, seen } = await setUp();
    const text = await new Wire(port).write(bytes).end();
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(text).toMatch(/\r\nproxy-status: rx-fresh-token; error=http_request_error\r\n/);
    expect(text.split('\r\n\r\nrx-fresh-token: ')[1]).toMatch(reason);
    await until(() => log.length > 0);
    expect(log).toEqual([expect.objectContaining({ method: '-', path: '*', status, sent: 0 })]);
    expect(log[0]?.error).toMatch(reason);
    const metrics = (await send(port, { path: '/-/metrics' })).body;
    expect(metrics).toContain(`requests_total{status="${status}"} 1\n`);
    expect(metrics).toContain('requests_in_flight 0\n');
    expect(seen).toEqual([]);
  });

  it('should be told of in the answer to its request if it is a part of the body', async () => {
    const { port, log } = await setUp();
    const wire = new Wire(port, 'POST /x HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked');
    wire.write('3\r\ntea\r\nwhat is no size\r\n');
    expect(await wire.end()).toMatch(/^HTTP\/1.1 400 [^]*not valid HTTP/);
    await until(() => log.length > 0);
    expect(log.map(({ path, status }) => [path, status])).toEqual([['/x', 400]]);
  });

  it('should be no second answer on a connection whose answer has begun', async () => {
    const early = createServer((_request, response) => {
      response.write('part');
    });
    const { port } = await setUp({ to: `http://127.0.0.1:${await listen(early)}` });
    const wire = new Wire(port, 'POST /x HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked');
    wire.write('3\r\ntea\r\n');
    await wire.until(/part/);
    wire.write('what is no size\r\n');
    expect((await wire.end()).match(/HTTP\/1/g)).toEqual(['HTTP/1']);
  });

  it.each([
    ['ERR_HTTP_REQUEST_TIMEOUT', 408],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ])('should have the status that Node gives it: %s', async (code, status) => {
    const { server, port } = await setUp();
    const wire = new Wire(port).write('GET');
    const [socket] = (await once(server, 'connection')) as [Socket];
    await until(() => socket.bytesRead > 0);
    server.emit('clientError', Object.assign(new Error('not read'), { code }), socket);
    expect(await wire.end()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('should be nothing to tell of if the client opens a connection ahead, and sends nothing', async () => {
    const { proxy, log } = await setUp();
    const server = createServer({ headersTimeout: 20, connectionsCheckingInterval: 10 });
    proxy.attach(server);
    const port = await listen(server);
    expect(await new Wire(port).end()).toBe('');
    expect(await new Wire(port).write('GET').end()).toMatch(/^HTTP\/1.1 408 /);
    await until(() => log.length > 0);
    expect(log.map(({ status }) => status)).toEqual([408]);
  });

  it('should be nothing to tell of if the client only leaves', async () => {
    const { port, log } = await setUp();
    const wire = new Wire(port);
    await send(port);
    wire.socket.resetAndDestroy();
    await send(port);
    await until(() => log.length === 2);
    expect(log.map(({ status }) => status)).toEqual([200, 200]);
  });

  it('should be no refusal if the client leaves in the middle of its body', async () => {
    const { port, log } = await setUp();
    new Wire(port, 'POST /x HTTP/1.1', 'Host: localhost', 'Content-Length: 9').write('tea').socket.end();
    await until(() => log.length > 0);
    expect(log).toMatchObject([{ path: '/x', status: 499, sent: 1 }]);
  });

  it.each(['before', 'after'])('should be left to a listener that is added %s the proxy', async (when) => {
    const { server, proxy, port } = await setUp();
    const mine = () =>
      server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 418 Mine\r\nConnection: close\r\n\r\n'));
    if (when === 'after') mine();
    else {
      server.removeAllListeners('clientError').removeAllListeners('request');
      mine();
      proxy.attach(server);
    }
    const answer = await new Wire(port, 'no request').end();
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 418']);
  });
});
