import { Agent as HttpAgent, createServer, maxHeaderSize } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { NEVER } from 'rxjs';
import { createTokenStream, type TokenResponse } from 'rx-fresh-token';
import { createTokenProxy, type TokenProxyOptions } from 'rx-fresh-token/proxy';
import { listen, send, setUp, textOf, until, Wire, type Answer } from './support.js';

describe('the token', () => {
  it('should be added to each request, fetched once for all', async () => {
    const { port, seen, fetched } = await setUp();
    const replies = await Promise.all([send(port), send(port, { method: 'POST', body: '{}' }), send(port)]);
    expect(replies.map(({ status, body }) => [status, body])).toEqual(Array(3).fill([200, 'ok']));
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer a'));
    expect(fetched()).toBe(1);
  });

  const refuseA: Answer = ({ headers }, response) => {
    response.statusCode = headers.authorization === 'Bearer a' ? 401 : 201;
    response.end(headers.authorization);
  };

  it('should be replaced when it is refused, and the request repeated once with the same body', async () => {
    const { port, seen, log } = await setUp({ answer: refuseA });
    const reply = await send(port, { method: 'POST', body: 'tea' });
    expect([reply.status, reply.body]).toEqual([201, 'Bearer b']);
    expect(seen.map(({ body }) => body)).toEqual(['tea', 'tea']);
    await until(() => log.length > 0);
    expect(log).toEqual([
      { method: 'POST', path: '/orders', status: 201, sent: 2, took: expect.any(Number) as number },
    ]);
  });

  it('should be replaced for the next request when the body is too long to be kept, and the refusal is the answer', async () => {
    const { port, seen } = await setUp({ answer: refuseA, repeatLimit: 3 });
    const long = await send(port, { method: 'POST', body: 'four' });
    expect([long.status, seen.length]).toEqual([401, 1]);
    const short = await send(port, { method: 'POST', body: 'tea' });
    expect([short.status, short.body, seen.length]).toEqual([201, 'Bearer b', 2]);
  });

  it('should be replaced for the next request when the body becomes too long to be kept in the meantime', async () => {
    const bodies: string[] = [];
    const early = createServer((request, response) => {
      const isFirst = request.headers.authorization === 'Bearer a';
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        if (!isFirst) bodies.push(body);
        if (!isFirst) response.end(body);
      });
      request.on('error', () => undefined);
      if (isFirst) response.writeHead(401).end();
    });
    const to = `http://127.0.0.1:${await listen(early)}`;
    const arrivals: ((token: TokenResponse) => void)[] = [];
    const source = () => new Promise<TokenResponse>((arrive) => arrivals.push(arrive));
    const { port } = await setUp({ to, source, repeatLimit: 3 });
    const wire = new Wire(port, 'POST /orders HTTP/1.1', 'Host: localhost', 'Content-Length: 6').write('one');
    await until(() => arrivals.length === 1);
    arrivals[0]?.({ access_token: 'a', expires_in: 60 });
    await until(() => arrivals.length === 2);
    wire.write('two');
    // The proxy has read it once it answers a request that came later.
    await new Promise((done) => setTimeout(done, 50));
    arrivals[1]?.({ access_token: 'b', expires_in: 60 });
    expect(await wire.until(/HTTP.*/)).toMatch(/^HTTP\/1.1 401/);
    expect((await send(port, { method: 'POST', body: 'tea' })).body).toBe('tea');
    expect(bodies).toEqual(['tea']);
  });

  it('should be replaced once, though the server breaks off its rejection on a connection that was used before', async () => {
    const seen: string[] = [];
    const breaking = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => {
        const [, method = '', token = ''] = /^(\w+) .*authorization: Bearer (\w)/is.exec(data.toString()) ?? [];
        seen.push(`${method} ${token}`);
        if (method === 'DELETE' && token === 'a') {
          socket.write('HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nbro');
          setTimeout(() => socket.resetAndDestroy(), 20);
        } else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const to = `http://127.0.0.1:${await listen(breaking)}`;
    let fetched = 0;
    const source = async () => {
      if (fetched > 0) await new Promise((done) => setTimeout(done, 100));
      return { access_token: 'ab'.charAt(fetched++), expires_in: 60 };
    };
    const { port } = await setUp({ to, source });
    await send(port);
    expect((await send(port, { method: 'DELETE' })).status).toBe(200);
    expect(seen).toEqual(['GET a', 'DELETE a', 'DELETE b']);
  });

  it('should be replaced when the server refuses before it has read the body, and the rest goes to the repeat', async () => {
    const bodies: string[] = [];
    const early = createServer((request, response) => {
      const isFirst = request.headers.authorization === 'Bearer a';
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
        if (isFirst && !response.headersSent) response.writeHead(401).end();
      });
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(201).end();
      });
      request.on('error', () => undefined);
    });
    const to = `http://127.0.0.1:${await listen(early)}`;
    const { port, fetched } = await setUp({ to });
    const wire = new Wire(port, 'POST /orders HTTP/1.1', 'Host: localhost', 'Content-Length: 6').write('one');
    await until(() => fetched() === 2);
    wire.write('two');
    expect(await wire.until(/HTTP/)).toContain('HTTP/1.1 201');
    expect(bodies).toEqual(['onetwo']);
  });

  const expired = ({ headers }: { headers: Pick<Headers, 'get' | 'has'> }) =>
    headers.has('X-Token-Expired') && headers.get('x-Token-EXPIRED') === '1';
  it.each([
    ['a default', undefined, 403, 2],
    ['an option', ({ status }: { status: number }) => status === 418, 418, 2],
    ['a header, whatever the case of its name', expired, 409, 2],
    ['an option that says no', () => false, 401, 1],
  ])('should be refused by %s', async (_name, isRejection, status, sent) => {
    const { port, seen } = await setUp({
      isRejection,
      answer: (_request, response) => response.writeHead(status, { 'x-token-expired': '1' }).end(),
    });
    expect((await send(port)).status).toBe(status);
    expect(seen.length).toBe(sent);
  });

  it('should tell a mistake in isRejection from a failure of the server', async () => {
    const isRejection = () => {
      throw new Error('a mistake');
    };
    const { port, log } = await setUp({ isRejection });
    const { status, headers, body } = await send(port);
    expect([status, body]).toEqual([500, 'rx-fresh-token: option "isRejection" threw an error\n']);
    expect(headers['proxy-status']).toBe('rx-fresh-token; error=proxy_internal_error');
    await until(() => log.length > 0);
    expect(log[0]?.error).toContain('a mistake');
  });
});

describe('without a token', () => {
  it('should answer 503 with Retry-After, and send nothing', async () => {
    const source = () => Promise.reject(new Error('down'));
    const { port, seen, log } = await setUp({ source, stream: { maxWait: 0 } });
    const { status, headers, body } = await send(port, { method: 'POST', body: 'x' });
    expect([status, body]).toEqual([503, 'rx-fresh-token: there is no usable token\n']);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(headers['proxy-status']).toBe('rx-fresh-token; error=proxy_configuration_error');
    await until(() => log.length > 0);
    expect([seen, log[0]?.sent, log[0]?.error]).toEqual([
      [],
      0,
      expect.stringMatching(/^there is no usable token: .*down/),
    ]);
  });

  it('should send nothing for a client that has left, when the token comes', async () => {
    let give: (token: object) => void = () => undefined;
    const { port, seen, log, token$ } = await setUp({ source: () => new Promise((done) => (give = done as never)) });
    const wire = new Wire(port, 'GET /orders HTTP/1.1', 'Host: localhost');
    await until(() => wire.socket.bytesWritten > 0);
    await new Promise((done) => setTimeout(done, 20));
    wire.socket.destroy();
    await until(() => log.length > 0);
    give({ access_token: 'a' });
    await until(() => token$.current !== null);
    await send(port);
    expect([seen.length, log[0]?.status]).toEqual([1, 499]);
  });

  it('should not go on asking the source for a client that has left', async () => {
    let asked = 0;
    const source = () => Promise.reject(new Error(`down ${String(++asked)}`));
    const stream = { idleTimeout: 0, backoff: { initial: 20, max: 20 } };
    const { port, log } = await setUp({ source, stream });
    const wire = new Wire(port, 'GET /orders HTTP/1.1', 'Host: localhost');
    await until(() => asked >= 2);
    wire.socket.destroy();
    await until(() => log.length > 0);
    const askedForIt = asked;
    await new Promise((done) => setTimeout(done, 300));
    expect(asked).toBeLessThanOrEqual(askedForIt + 1);
  });

  it('should answer 503 once the stream is closed', async () => {
    const { port, token$, seen } = await setUp();
    token$.close();
    expect([(await send(port)).status, seen]).toEqual([503, []]);
  });
});

describe('responses', () => {
  it('should redirect as the server means it, whose paths have the prefix of `to`', async () => {
    const answer: Answer = (_request, response) => response.writeHead(302, { location: '../../v2/jobs' }).end();
    const { port, upstream } = await setUp({ answer, path: '/v1' });
    const { status, headers } = await send(port, { path: '/orders/1?a=b' });
    const { port: upstreamPort } = upstream.address() as AddressInfo;
    expect([status, headers.location]).toEqual([302, `http://127.0.0.1:${String(upstreamPort)}/v2/jobs`]);
  });

  it('should change each of several Location fields alike', async () => {
    const answer: Answer = (_request, response) => {
      response.writeHead(302, [...['Location', '/v1/b'], ...['Location', '/v1/b']]).end();
    };
    const { port } = await setUp({ answer, path: '/v1' });
    const { headersDistinct } = await send(port, { path: '/a' });
    expect(headersDistinct.location).toEqual(['/b', '/b']);
  });

  it('should pass compressed bodies on as they are', async () => {
    const packed = gzipSync('hello');
    const answer: Answer = (_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    const { port, seen } = await setUp({ answer });
    const wire = new Wire(port, 'GET / HTTP/1.1', 'Host: localhost', 'Accept-Encoding: gzip', 'Connection: close');
    const text = await wire.end();
    expect(text.endsWith(packed.toString('latin1'))).toBe(true);
    expect(seen[0]?.headers['accept-encoding']).toBe('gzip');
  });

  it.each([
    ['HEAD', 200, { 'content-length': '1234' }],
    ['GET', 304, { etag: '"1"', 'content-length': '1234' }],
    ['GET', 204, {}],
  ])('should pass a response to %s with status %d on without a body', async (method, status, headers) => {
    const { port } = await setUp({ answer: (_request, response) => response.writeHead(status, headers).end() });
    const reply = await send(port, { method });
    expect([reply.status, reply.body]).toEqual([status, '']);
    expect(reply.headers).toMatchObject(headers);
    expect(reply.headers['transfer-encoding']).toBeUndefined();
  });

  it('should pass on what comes when it comes, the head before the body', async () => {
    let more: () => void = () => undefined;
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      more = () => void response.write('data: 1\n\n');
    };
    const { port } = await setUp({ answer });
    const wire = new Wire(port, 'GET / HTTP/1.1', 'Host: localhost');
    await wire.until(/event-stream/);
    more();
    await wire.until(/data: 1/);
  });

  it('should let a stream be silent for longer than the timeout, once it has begun', async () => {
    let more: () => void = () => undefined;
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      more = () => void response.end('data: 1\n\n');
    };
    const { port } = await setUp({ answer, timeout: 500 });
    const wire = new Wire(port, 'GET / HTTP/1.1', 'Host: localhost');
    await wire.until(/event-stream/);
    await new Promise((done) => setTimeout(done, 1_200));
    more();
    expect(await wire.until(/data: 1[^]*0\r\n/)).toMatch(/^HTTP\/1.1 200/);
  });

  it('should pass 103 Early Hints on', async () => {
    const answer: Answer = (_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      setTimeout(() => response.end('ok'), 5);
    };
    const wire = new Wire((await setUp({ answer })).port, 'GET / HTTP/1.1', 'Host: localhost', 'Connection: close');
    expect(await wire.end()).toMatch(/^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1.1 200/);
  });

  it.each([
    ['103 with several links', '103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel="preload next"'],
    ['103 with a Link that is none', '103 Early Hints\r\nLink: none'],
    ['102', '102 Processing'],
    ['a 1xx that Node does not know', '104 Upload Resumption Supported\r\nUpload-Offset: 7'],
  ])('should pass %s on as it is, without the fields of the connection', async (_name, information) => {
    const upstream = createTcpServer((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 ${information}\r\nKeep-Alive: timeout=5\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n`);
      });
    });
    const to = `http://127.0.0.1:${await listen(upstream)}`;
    const wire = new Wire((await setUp({ to })).port, 'GET / HTTP/1.1', 'Host: localhost', 'Connection: close');
    expect((await wire.end()).split('\r\n\r\nHTTP/1.1 204')[0]).toBe(`HTTP/1.1 ${information}`);
  });

  it('should break off where the server breaks off, and abort where the client leaves', async () => {
    let left = 0;
    const answer: Answer = (request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('some');
      if (request.url === '/break') setTimeout(() => response.destroy(), 10);
      response.on('close', () => (left += 1));
    };
    const { port } = await setUp({ answer });
    const broken = new Wire(port, 'GET /break HTTP/1.1', 'Host: localhost');
    expect(await broken.end()).toMatch(/some$/);
    const leaving = new Wire(port, 'GET /stay HTTP/1.1', 'Host: localhost');
    await leaving.until(/some/);
    leaving.socket.destroy();
    await until(() => left === 2);
  });

  it('should close the connection of a client that speaks HTTP/1.0, after a body of unknown length', async () => {
    const answer: Answer = (_request, response) => {
      response.write('one');
      response.end('two');
    };
    const wire = new Wire((await setUp({ answer })).port, 'GET / HTTP/1.0', 'Host: localhost');
    const text = await wire.end();
    expect(text).toMatch(/\r\n\r\nonetwo$/);
    expect(text).not.toMatch(/chunked/i);
  });
});

describe('Expect: 100-continue', () => {
  const head = (length: number) => [
    'POST /orders HTTP/1.1',
    'Host: localhost',
    'Expect: 100-continue',
    `Content-Length: ${String(length)}`,
  ];

  it('should ask for the body when the server does', async () => {
    const { port, seen } = await setUp();
    const wire = new Wire(port, ...head(3));
    await wire.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
    wire.write('tea');
    expect(await wire.until(/200 OK/)).toMatch(/ok$/);
    expect([seen[0]?.headers.expect, seen[0]?.body]).toEqual(['100-continue', 'tea']);
  });

  it('should repeat a request of any length whose token is refused before the body was asked for', async () => {
    const { upstream, port, seen } = await setUp({ repeatLimit: 0 });
    upstream.on('checkContinue', (request, response) => {
      if (request.headers.authorization === 'Bearer a') response.writeHead(401).end();
      else {
        response.writeContinue();
        upstream.emit('request', request, response);
      }
    });
    const wire = new Wire(port, ...head(3));
    await wire.until(/100 Continue/);
    expect(await wire.write('tea').until(/ok$/)).toContain('200 OK');
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer b']);
  });

  it('should answer without asking for the body when there is no token, and close the connection', async () => {
    const { port } = await setUp({ source: () => NEVER, stream: { maxWait: 0 } });
    const text = await new Wire(port, ...head(3)).end();
    expect(text).toMatch(/^HTTP\/1.1 503/);
    expect(text).toMatch(/connection: close/i);
  });

  it('should pass a final answer on that comes in the place of 100 Continue, and close the connection', async () => {
    const { upstream, port } = await setUp();
    upstream.on('checkContinue', (_request, response) => response.writeHead(413).end());
    const text = await new Wire(port, ...head(3)).end();
    expect(text).toMatch(/^HTTP\/1.1 413/);
  });

  it('should ask for the body after a second from a server that says nothing', async () => {
    const { upstream, port, seen } = await setUp();
    upstream.on('checkContinue', (request, response) => upstream.emit('request', request, response));
    const wire = new Wire(port, ...head(3));
    await wire.until(/100 Continue/);
    expect(await wire.write('tea').until(/ok$/)).toContain('200 OK');
    expect(seen[0]?.body).toBe('tea');
  });
});

/** It answers at once, keeps the connection, and reads no body. */
async function deafServer(): Promise<string> {
  const server = createTcpServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', () => {
        socket.pause().write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n');
      });
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

describe('an upstream server that fails', () => {
  it('should be told as 502 if it cannot be reached, and as 504 if it is silent', async () => {
    const closed = createServer();
    const to = `http://127.0.0.1:${await listen(closed)}`;
    closed.close();
    const { port } = await setUp({ to });
    const refused = await send(port);
    expect([refused.status, refused.headers['proxy-status']]).toEqual([
      502,
      'rx-fresh-token; error=connection_refused',
    ]);
    const silent = await setUp({ answer: () => undefined, timeout: 30 });
    expect((await send(silent.port)).status).toBe(504);
  });

  it.each([
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
      'the connection to the upstream server broke',
    ],
    ['no answer', '', 'the connection to the upstream server broke'],
    ['a part of its headers', 'HTTP/1.1 200 OK\r\nConte', 'the connection to the upstream server broke'],
    ['what is no HTTP', 'SSH-2.0-OpenSSH\r\n', 'the answer of the upstream server is not valid HTTP'],
    [
      'a body in a coding that the proxy has not asked for',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      'the upstream server sends a transfer coding that the proxy cannot decode',
    ],
    [
      'a status below 100',
      'HTTP/1.1 042 X\r\nContent-Encoding: gzip\r\n\r\n',
      'the answer of the upstream server is not valid HTTP',
    ],
    [
      'headers beyond the limit of Node',
      `HTTP/1.1 200 OK\r\nX-Groups: ${'x'.repeat(maxHeaderSize)}\r\n\r\n`,
      'the headers of the upstream server are too large',
    ],
  ])('should be told as 502 with the reason if it sends %s', async (_name, bytes, reason) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(bytes));
    });
    const { port, log } = await setUp({ to: `http://127.0.0.1:${await listen(server)}` });
    expect((await send(port, { method: 'POST' })).status).toBe(502);
    await until(() => log.length > 0);
    expect(log[0]?.error?.split(': ')[0]).toBe(reason);
  });

  it.each([
    ['identity', 'GET', '200 OK', 'Transfer-Encoding: identity\r\n\r\nok', 'ok'],
    [
      'chunked twice',
      'GET',
      '200 OK',
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      'ok',
    ],
    ['any coding in an answer to HEAD', 'HEAD', '200 OK', 'Transfer-Encoding: gzip, chunked\r\n\r\n', ''],
    ['any coding in a 304', 'GET', '304 Not Modified', 'Transfer-Encoding: gzip\r\n\r\n', ''],
  ])('should be passed on if its transfer coding is %s', async (_what, method, status, rest, text) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(`HTTP/1.1 ${status}\r\n${rest}`));
    });
    const { port } = await setUp({ to: `http://127.0.0.1:${await listen(server)}` });
    const reply = await send(port, { method });
    expect([reply.status, reply.body]).toEqual([parseInt(status), text]);
  });

  it('should be told as 502 if it speaks no TLS', async () => {
    const plain = createServer((_request, response) => response.end('ok'));
    const { port } = await setUp({ to: `https://127.0.0.1:${await listen(plain)}` });
    const { status, headers } = await send(port);
    expect([status, headers['proxy-status']]).toEqual([502, 'rx-fresh-token; error=tls_protocol_error']);
  });

  it('should not be blamed for a client that pauses in its upload, but for its own silence after that', async () => {
    const { port, log } = await setUp({
      timeout: 100,
      answer: (_request, response, body) => body === 'tea' && response.end('ok'),
    });
    const upload = (path: string) =>
      new Wire(port, `POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Length: 3').write('t');
    const [answered, unanswered] = [upload('/1'), upload('/2')];
    await new Promise((done) => setTimeout(done, 300));
    answered.write('ea');
    expect(await answered.until(/^HTTP.*/)).toMatch(/^HTTP\/1.1 200/);
    unanswered.write('--');
    expect(await unanswered.until(/^HTTP.*/)).toMatch(/^HTTP\/1.1 504/);
    expect(log.map(({ status }) => status)).toEqual([200, 504]);
  });

  it.each([
    ['stops reading the body', 'http', 16 << 20],
    ['takes no part in the TLS handshake', 'https', 1],
  ])('should be told as 504 if it %s, though the client has not sent all', async (_name, scheme, sent) => {
    const mute = createTcpServer((socket) => void socket.on('error', () => undefined).pause());
    const { port } = await setUp({ to: `${scheme}://127.0.0.1:${await listen(mute)}`, timeout: 100 });
    const wire = new Wire(port, 'POST /orders HTTP/1.1', 'Host: localhost', `Content-Length: ${sent + 1}`);
    expect(await wire.write('x'.repeat(sent)).until(/^HTTP.*/)).toMatch(/^HTTP\/1.1 504/);
  });

  it('should not hold up a client whose body it does not read', async () => {
    const { port, seen } = await setUp({ to: await deafServer() });
    const megabytes = 16;
    const wire = new Wire(port, 'POST /1 HTTP/1.1', 'Host: localhost', `Content-Length: ${megabytes << 20}`);
    for (let i = 0; i < megabytes; i++) wire.write('x'.repeat(1 << 20));
    expect(await wire.end()).toMatch(/^HTTP\/1.1 413/);
    expect([wire.socket.writableLength, seen]).toEqual([0, []]);
  });

  it.each([
    ...['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'].map((method) => [method, 200] as const),
    ...['POST', 'PATCH'].map((method) => [method, 502] as const),
  ])('should be asked again where an idle connection was closed, if that is safe: %s', async (method, status) => {
    const answered: string[] = [];
    // It answers one request on each connection, and closes the connection when it gets another.
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (request: Buffer) => {
        answered.push(request.toString().split(' ')[0] ?? '');
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        socket.once('data', () => socket.destroy());
      });
    });
    const { port } = await setUp({ to: `http://127.0.0.1:${await listen(server)}` });
    expect((await send(port)).status).toBe(200);
    expect((await send(port, { method })).status).toBe(status);
    expect(answered).toEqual(status === 200 ? ['GET', method] : ['GET']);
  });

  it('should be asked once more on three connections at most, if it has closed more of them', async () => {
    const answers: (() => void)[] = [];
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        answers.push(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
        socket.once('data', () => socket.destroy());
      });
    });
    const { port, log } = await setUp({ to: `http://127.0.0.1:${await listen(server)}` });
    const first = Array.from({ length: 6 }, () => send(port));
    await until(() => answers.length === 6);
    answers.forEach((answer) => answer());
    await Promise.all(first);
    expect((await send(port)).status).toBe(502);
    await until(() => log.length === 7);
    expect(log[6]?.sent).toBe(4);
  });

  it('should be left, with its connection, if its refusal has no end', async () => {
    let left = 0;
    const endless = createServer((request, response) => {
      if (request.headers.authorization !== 'Bearer a') {
        response.end('ok');
        return;
      }
      const writing = setInterval(() => response.write('no '.repeat(4096)), 1);
      response.writeHead(401).once('close', () => {
        clearInterval(writing);
        left += 1;
      });
    });
    const { port } = await setUp({ to: `http://127.0.0.1:${await listen(endless)}` });
    expect((await send(port)).body).toBe('ok');
    await until(() => left === 1);
  });

  it('should be left, with its connection, if it refuses early: the rest of the body goes elsewhere', async () => {
    let left = 0;
    const early = createTcpServer((socket) => {
      let text = '';
      socket
        .on('error', () => undefined)
        .on('data', (data: Buffer) => {
          text += data.toString();
          if (text.includes('Bearer b')) {
            if (text.endsWith('onetwo')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          } else if (text.endsWith('one')) {
            socket.once('close', () => (left += 1));
            socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
          }
        });
    });
    const { port, fetched } = await setUp({ to: `http://127.0.0.1:${await listen(early)}` });
    const wire = new Wire(port, 'POST /orders HTTP/1.1', 'Host: localhost', 'Content-Length: 6').write('one');
    await until(() => fetched() === 2);
    await wire.write('two').until(/ok$/);
    await until(() => left === 1);
  });
});

describe('a request that another listener had before', () => {
  it.each([
    ['a length', 'Content-Length: 2', 'hi'],
    ['chunks', 'Transfer-Encoding: chunked', '2\r\nhi\r\n0\r\n\r\n'],
  ])('should be refused at once if its body was read, and has %s', async (_name, framing, body) => {
    const { proxy, seen, log } = await setUp();
    const port = await listen(
      createServer((request, response) => void textOf(request).then(() => proxy(request, response))),
    );
    const wire = new Wire(port, 'POST /orders HTTP/1.1', 'Host: localhost', framing).write(body);
    expect(await wire.until(/parser/)).toMatch(/^HTTP\/1.1 500 [^]*error=proxy_internal_error[^]*before a body parser/);
    wire.write('GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await wire.until(/ok$/);
    expect([seen.map(({ url }) => url), log[0]?.sent]).toEqual([['/next'], 0]);
  });

  it('should be sent with its body if that was not read, however late', async () => {
    const { proxy, seen } = await setUp();
    const port = await listen(createServer((request, response) => void setTimeout(proxy, 30, request, response)));
    await send(port, { method: 'POST', body: 'hi' });
    expect(seen.map(({ body }) => body)).toEqual(['hi']);
  });

  it('should not be sent if that has answered or the client has left, and not hold up the drain', async () => {
    const { proxy, seen, log } = await setUp();
    let passed = 0;
    const server = createServer((request, response) => {
      if (request.url === '/answered') response.end('mine');
      else response.once('close', () => setImmediate(pass));
      const pass = () => {
        proxy(request, response);
        passed++;
      };
      if (request.url === '/answered') pass();
    });
    const port = await listen(server);
    expect((await send(port, { path: '/answered' })).body).toBe('mine');
    const leaving = new Wire(port, 'GET /left HTTP/1.1', 'Host: localhost');
    server.once('request', () => leaving.socket.destroy());
    await until(() => passed === 2);
    await proxy.close();
    expect([seen, log]).toEqual([[], []]);
  });
});

it.each([
  [{}, /option "to"/],
  [{ to: 'a secret' }, /^option "to" must be an absolute URL such as https:\/\/api.example.com, got "…"$/],
  [{ to: 'ftp://x' }, /option "to" must be an absolute URL such as https:\/\/api.example.com, got "…"$/],
  [{ to: 'http://api.example.com' }, /option "to".*allowInsecureRequests/],
  [
    { to: 'https://user:pass@api.example.com' },
    /option "to" must be a URL without credentials.*got "https:\/\/api.example.com\/"/,
  ],
  [{ to: 'https://api.example.com/?key=1' }, /without query and fragment, got "https:\/\/api.example.com\/"$/],
  [{ to: 'https://x', repeatLimit: -1 }, /option "repeatLimit"/],
  [{ to: 'https://x', timeout: 0 }, /option "timeout"/],
  [{ to: 'https://x', allowedHosts: ['a:80'] }, /option "allowedHosts\[0\]"/],
  [{ to: 'https://x', allowedHosts: ['.svc.cluster.local'] }, /option "allowedHosts\[0\]".*without a dot before/],
  [{ to: 'https://x', allowedHosts: 'a' }, /option "allowedHosts"/],
  [{ to: 'https://x', incomingAuthorization: 'keep' }, /option "incomingAuthorization"/],
  [{ to: 'https://x', allowRemoteClients: 1 }, /option "allowRemoteClients"/],
  [{ to: 'https://x', log: 1 }, /option "log"/],
  [{ to: 'https://x', agent: new HttpAgent() }, /^option "agent" must be an Agent of node:https, got object$/],
  [{ to: 'http://localhost', agent: new HttpsAgent() }, /^option "agent" must be an Agent of node:http, got object$/],
  [{ to: 'https://x', agent: { dispatch: () => true } }, /option "agent".*got object/],
  [{ to: 'https://x', agent: 'http://user:pass@proxy' }, /^option "agent" must be an Agent of node:https, got string$/],
  [{ to: 'https://x', agent: false }, /option "agent".*got boolean/],
])('should name what is wrong with %j', (options, message) => {
  const token$ = createTokenStream(() => NEVER);
  expect(() => createTokenProxy(token$, options as unknown as TokenProxyOptions)).toThrow(message);
});

it('should take an agent that finds out about the protocol in each request', () => {
  const agent = Object.create({ addRequest: () => undefined, protocol: 'http:' }) as HttpAgent;
  const token$ = createTokenStream(() => NEVER);
  expect(() => createTokenProxy(token$, { to: 'https://x', agent })).not.toThrow();
});
