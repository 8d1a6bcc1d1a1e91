import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { createTokenProxy, startTokenProxy } from 'rx-fresh-token/proxy';
import { objectionToClient, objectionToRequest } from '../../src/proxy/rules/admission.js';
import { atEnd, listen, send, setUp, until, Wire } from './support.js';

describe('a client', () => {
  const objection = (
    remoteAddress: string | undefined,
    host: string,
    headers: object = {},
    options: object = {},
    server?: { address: () => AddressInfo | string | null; listening: boolean },
    url = '/',
  ) =>
    objectionToClient(
      {
        url,
        method: 'GET',
        headers: { host, ...headers },
        headersDistinct: { host: [host] },
        socket: { remoteAddress, ...(server && { server }) },
      },
      { allowRemoteClients: false, hosts: new Set(['token-proxy']), ...options },
    )?.status;

  it.each(['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1', undefined])(
    'should be on this machine: %s',
    (address) => {
      expect(objection(address, 'localhost')).toBeUndefined();
    },
  );

  it.each(['10.0.0.1', '::ffff:10.0.0.1', 'fe80::1', '::1:2', '1127.0.0.1'])(
    'should not be on another machine: %s',
    (address) => {
      expect(objection(address, 'localhost')).toBe(403);
      expect(objection(address, 'localhost', {}, { allowRemoteClients: true })).toBeUndefined();
    },
  );

  it.each(['localhost', 'LOCALHOST:8080', '127.0.0.1:80', '[::1]:8080', 'token-proxy:8080'])(
    'may call the proxy %s',
    (host) => {
      expect(objection('127.0.0.1', host)).toBeUndefined();
    },
  );

  it.each([
    'evil.example',
    'localhost.evil.example:8080',
    '127.0.0.1.evil.example',
    'evil.example@localhost',
    '',
    'localhost:1:2',
  ])('may not call the proxy %s', (host) => {
    expect(objection('127.0.0.1', host)).toBe(421);
  });

  it.each(['10.1.2.3:8080', '0.0.0.0:8080', '[fd00:10:244::5]:8080', '[::]', '[::ffff:10.1.2.3]'])(
    "may call the proxy's own pages by any address, %s, if it serves other machines",
    (host) => {
      const byAddress = (url: string, options: object) => objection('127.0.0.1', host, {}, options, undefined, url);
      for (const url of ['/-/health', '/-/metrics?a=b']) {
        expect(byAddress(url, { allowRemoteClients: true })).toBeUndefined();
        expect(byAddress(url, {})).toBe(421);
      }
      // A page may send a GET there without a word of where it comes from.
      expect(byAddress('/orders', { allowRemoteClients: true })).toBe(421);
    },
  );

  it('may call the proxy by an allowed address of IPv6, with brackets or without', async () => {
    const { port } = await setUp({ allowedHosts: ['fd00::5', '[FD00::6]'] });
    const hosts = ['[fd00::5]', '[fd00::6]:8080', '[fd00::7]'];
    const replies = await Promise.all(hosts.map((host) => send(port, { headers: { host } })));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 421]);
  });

  it.each(['10.1.2', '10.1.2.3.evil.example', '[10.1.2.3]', '[fd00]', 'fd00::5', '999.1.1.1'])(
    'may not call the proxy by what is no address: %s',
    (host) => {
      expect(objection('127.0.0.1', host, {}, { allowRemoteClients: true }, undefined, '/-/health')).toBe(421);
    },
  );

  it.each<[string, AddressInfo | string | null, number | undefined]>([
    ['a unix socket', '/run/proxy.sock', undefined],
    ['a unix socket that was opened by another process', null, undefined],
    ['an address', { address: '127.0.0.1', family: 'IPv4', port: 80 }, 421],
  ])('may write any name for a unix socket only: %s', (_what, address, status) => {
    const server = { address: () => address, listening: true };
    expect(objection(undefined, 'orders-api', {}, {}, server)).toBe(status);
  });

  it('may write any name for a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-proxy-'));
    atEnd(() => rmSync(folder, { recursive: true }));
    const { upstream } = await setUp();
    const token$ = createTokenStream(() => Promise.resolve({ access_token: 'a', expires_in: 3600 }));
    atEnd(() => token$.close());
    const socketPath = join(folder, 'sock');
    const { close } = await startTokenProxy(token$, {
      to: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
      listen: `unix:${socketPath}`,
    });
    atEnd(close);
    const statusFor = (headers: Record<string, string>) =>
      new Promise<unknown>((resolve, reject) => {
        const sending = request({ socketPath, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sending.on('error', reject).end();
      });
    expect(await statusFor({ host: 'orders-api' })).toBe(200);
    expect(await statusFor({ host: 'orders-api', origin: 'https://evil.example' })).toBe(403);
  });

  it.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://localhost:81' }, 403],
    [{ origin: 'http://localhost:80', 'sec-fetch-site': 'same-origin' }, undefined],
    [{ 'sec-fetch-site': 'none' }, undefined],
  ])('may be no page of another site: %j', (headers, status) => {
    expect(objection('127.0.0.1', 'localhost:80', headers)).toBe(status);
  });
});

it('should name the option that allows what it refuses', () => {
  const arrival = { url: '/', method: 'GET', headersDistinct: { host: ['x'] }, socket: { remoteAddress: '10.0.0.1' } };
  const settings = { allowRemoteClients: false, hosts: new Set<string>(), incomingAuthorization: 'refuse' } as const;
  const texts = [
    objectionToClient({ ...arrival, headers: { host: 'localhost' } }, settings),
    objectionToClient({ ...arrival, headers: { host: 'api.test' } }, { ...settings, allowRemoteClients: true }),
    objectionToRequest({ ...arrival, headers: { authorization: 'Basic eDp5' } }, settings, 'p'),
  ].map((answer) => answer?.text);
  expect(texts).toEqual([
    'the proxy serves this machine only; to serve others: --allow-remote-clients (allowRemoteClients)',
    'the Host is not a name of this proxy; to add a name: --allowed-host (allowedHosts)',
    'the request has an Authorization header; to replace it: --replace-authorization (incomingAuthorization)',
  ]);
});

it.each([
  ['an absolute target', 'GET http://api.example/x HTTP/1.1', 'api.example', '421 Misdirected Request'],
  ['an absolute target with the name of the proxy', 'GET http://localhost/x HTTP/1.1', 'localhost', '400 Bad Request'],
  ['a tunnel', 'CONNECT api.example:443 HTTP/1.1', 'api.example:443', '421 Misdirected Request'],
  ['a tunnel to the proxy', 'CONNECT localhost:443 HTTP/1.1', 'localhost:443', '405 Method Not Allowed'],
])('should say to a client that uses it as http_proxy what to do: %s', async (_what, line, host, status) => {
  const { port } = await setUp();
  const text = await new Wire(port, line, `Host: ${host}`).until(/instead\n/);
  expect(text).toContain(`HTTP/1.1 ${status}\r\n`);
  expect(text).toMatch(
    /\n\r\nrx-fresh-token: this is no http_proxy; put the address of the proxy into the URL instead\n$/,
  );
});

it('should write no target of another form than a path into the log, since it may have a password', async () => {
  const { port, log } = await setUp();
  for (const line of ['GET ftp://bob:secret@files.example/x', 'GET http://bob:secret@localhost/x', 'OPTIONS *'])
    await new Wire(port, `${line} HTTP/1.1`, 'Host: localhost').until(/HTTP\/1.1 4/);
  await until(() => log.length === 3);
  expect(log.map(({ path }) => path)).toEqual(['*', '*', '*']);
});

it('should write no query and no fragment into the log, since they may have a token', async () => {
  const { port, log } = await setUp();
  for (const line of ['GET /orders?access_token=secret', 'GET /orders#access_token=secret'])
    await new Wire(port, `${line} HTTP/1.1`, 'Host: localhost').until(/HTTP\/1.1 [24]/);
  await until(() => log.length === 2);
  expect(log.map(({ path }) => path)).toEqual(['/orders', '/orders']);
});

describe('a request', () => {
  it.each([
    ['an absolute target', ['GET http://other.example/ HTTP/1.1', 'Host: localhost'], 400],
    ['two slashes', ['GET //other.example/ HTTP/1.1', 'Host: localhost'], 400],
    ['a path out of the prefix', ['GET /%2e%2e/admin HTTP/1.1', 'Host: localhost'], 400],
    ['an asterisk', ['OPTIONS * HTTP/1.1', 'Host: localhost'], 400],
    ['CONNECT', ['CONNECT other.example:443 HTTP/1.1', 'Host: localhost'], 405],
    ['TRACE', ['TRACE / HTTP/1.1', 'Host: localhost'], 405],
    ['a foreign Host', ['GET / HTTP/1.1', 'Host: evil.example'], 421],
    ['a foreign Host for metrics', ['GET /-/metrics HTTP/1.1', 'Host: evil.example'], 421],
    ['no Host', ['GET / HTTP/1.0'], 400],
    ['two Hosts', ['GET / HTTP/1.1', 'Host: localhost', 'Host: evil.example'], 400],
    ['Authorization', ['GET / HTTP/1.1', 'Host: localhost', 'Authorization: Basic eDp5'], 400],
    ['another coding', ['POST / HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: gzip, chunked', '', '0'], 501],
    [
      'two lengths',
      ['POST / HTTP/1.1', 'Host: localhost', 'Content-Length: 1', 'Transfer-Encoding: chunked', '', '0'],
      400,
    ],
  ])('should be refused for %s, and nothing sent upstream', async (_name, lines, status) => {
    const { port, seen, fetched } = await setUp({ path: '/v1' });
    expect(await new Wire(port, ...lines).until(/^HTTP\/1.1 \d+/)).toContain(`HTTP/1.1 ${status}`);
    expect([seen, fetched()]).toEqual([[], 0]);
  });

  it('should lose its own Authorization by choice', async () => {
    const { port, seen } = await setUp({ incomingAuthorization: 'replace' });
    await send(port, { headers: { authorization: 'Basic eDp5' } });
    expect(seen[0]?.headers.authorization).toBe('Bearer a');
  });

  it('should go to the path under the prefix, with its query, the Host of the server and a Via', async () => {
    const { port, seen } = await setUp({ path: '/v1/' });
    await send(port, { path: '/orders?a=%2F..%2F', headers: { 'x-forwarded-for': '1.2.3.4', cookie: 'a=1' } });
    expect(seen[0]?.url).toBe('/v1/orders?a=%2F..%2F');
    expect(seen[0]?.headers).toMatchObject({
      host: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
      via: expect.stringMatching(/^1\.1 rx-fresh-token-[\da-f]{8}$/) as string,
      'x-forwarded-for': '1.2.3.4',
      cookie: 'a=1',
    });
    expect(seen[0]?.headers.host).not.toContain(String(port));
  });

  it('should be sent chunked as it came, and without a length that it had not', async () => {
    const { port, seen } = await setUp();
    const chunked = ['GET / HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked', '', '3', 'tea', '0'];
    await new Wire(port, ...chunked).until(/ok/);
    await send(port, { method: 'DELETE' });
    await new Wire(port, 'POST / HTTP/1.1', 'Host: localhost').until(/ok/);
    expect(seen.map(({ body, headers }) => [body, headers['transfer-encoding'], headers['content-length']])).toEqual([
      ['tea', 'chunked', undefined],
      ['', undefined, undefined],
      ['', undefined, '0'],
    ]);
  });

  it('should be refused when it comes from the proxy itself', async () => {
    const server = createServer();
    const to = `http://127.0.0.1:${await listen(server)}`;
    const token$ = createTokenStream(() => Promise.resolve({ access_token: 'a' }));
    atEnd(() => token$.close());
    createTokenProxy(token$, { to, incomingAuthorization: 'replace' }).attach(server);
    expect((await send(Number(new URL(to).port))).status).toBe(508);
  });

  it('should be followed by the next on the same connection', async () => {
    const { port, seen } = await setUp();
    const wire = new Wire(port, 'POST /1 HTTP/1.1', 'Host: localhost', 'Content-Length: 3');
    wire.write('teaGET //x HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await wire.until(/200 OK[^]*400 Bad[^]*200 OK/);
    expect(seen.map(({ url }) => url)).toEqual(['/1', '/2']);
  });
});

describe("the proxy's own pages", () => {
  it('should tell metrics, without a query or a token', async () => {
    const { port, log, fetched } = await setUp({ answer: (_request, response) => response.writeHead(201).end() });
    await send(port, { method: 'POST', path: '/orders?key=secret', body: 'x' });
    await until(() => log.length === 1);
    const { status, headers, body } = await send(port, { path: '/-/metrics' });
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(body).toMatch(/^rx_fresh_token_requests_total\{status="201"\} 1$/m);
    expect(body).toMatch(/^rx_fresh_token_token_fetches_total 1$/m);
    expect(body).toMatch(/^rx_fresh_token_requests_in_flight 0$/m);
    expect(body).toMatch(/^rx_fresh_token_token_expires_seconds \d+(\.\d+)?$/m);
    for (const line of body.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="\w+"\})? [\d.e+-]+)$/);
    expect([body.includes('secret'), log[0]?.path, fetched()]).toEqual([false, '/orders', 1]);
  });

  it('should count and log no probes', async () => {
    const { port, log } = await setUp();
    for (const path of ['/-/health', '/-/metrics', '/orders']) await send(port, { path });
    await until(() => log.length > 0);
    const { body } = await send(port, { path: '/-/metrics' });
    expect([log.map(({ path }) => path), body.match(/requests_total.*$/gm)]).toEqual([
      ['/orders'],
      [expect.anything(), expect.anything(), 'requests_total{status="200"} 1'],
    ]);
  });

  it('should tell its health, and ask for a token that is missing', async () => {
    let fail = true;
    const source = () => (fail ? Promise.reject(new Error('down')) : Promise.resolve({ access_token: 'a' }));
    const { port } = await setUp({ source, stream: { maxWait: 0, backoff: { initial: 0, max: 0 } } });
    const health = async () => {
      const { status, body } = await send(port, { path: '/-/health' });
      return [status, JSON.parse(body) as unknown];
    };
    expect(await health()).toEqual([200, { status: 'ok' }]);
    await send(port);
    expect(await health()).toEqual([503, { status: 'no token' }]);
    fail = false;
    await until(async () => (await health())[0] === 200);
  });

  it('should leave other paths of that folder to the server', async () => {
    const { port, seen } = await setUp();
    await send(port, { path: '/-/package/x' });
    await send(port, { path: '/-/health', method: 'POST' });
    expect(seen.map(({ url }) => url)).toEqual(['/-/package/x', '/-/health']);
  });
});

it('should drain: finish what is under way, close idle connections, and end', async () => {
  const finish = new Subject<void>();
  const { port, proxy, server } = await setUp({
    answer: (_request, response) => finish.subscribe(() => response.end('late')),
  });
  const wire = new Wire(port, 'GET /slow HTTP/1.1', 'Host: localhost');
  await until(() => finish.observed);
  let isClosed = false;
  const closing = proxy.close().then(() => (isClosed = true));
  const health = await send(port, { path: '/-/health' });
  expect([health.status, health.headers.connection, isClosed]).toEqual([503, 'close', false]);
  finish.next();
  server.close();
  await closing;
  expect(await wire.until(/late/)).toContain('200 OK');
});
