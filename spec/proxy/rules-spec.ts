import { requestHeaders, responseHeaders } from '../../src/proxy/rules/headers.js';
import { placeOf } from '../../src/proxy/rules/listenPlace.js';
import { locationFor, mountOf, objectionToTarget } from '../../src/proxy/rules/target.js';

describe('a request target', () => {
  it.each([
    '/',
    '/orders',
    '/orders?to=//x&a=..',
    '/a.b/c..d/...',
    '/%41/%2520',
    '/%25252541',
    '/a//b',
    '/orders?next=http://x/#'.slice(0, -1),
  ])('should pass: %s', (target) => {
    expect(objectionToTarget(target)).toBeUndefined();
  });

  it.each([
    'http://other.example/',
    'https://api.example.com/orders',
    'other.example:443',
    '*',
    '',
    '//other.example/',
    '/\\other.example/',
    '/../admin',
    '/a/../../admin',
    '/a/..',
    '/./a',
    '/%2e%2e/admin',
    '/%2E%2e%2fadmin',
    '/..%2fadmin',
    '/..%5cadmin',
    '/a\\..\\admin',
    '/..;a=1/admin',
    '/%2e%2e%3ba/admin',
    '/%252e%252e/admin',
    '/%25252525252e',
    '/%2525252541',
    '/a#b',
  ])('should be refused: %s', (target) => {
    expect(objectionToTarget(target)).toEqual(expect.any(String));
  });
});

describe('the Location of a redirect', () => {
  /** What a client is told that asked the proxy for `/a/b`. */
  const seenAt = (to: string, location: string) => {
    const prefix = new URL(to).pathname.replace(/\/+$/, '');
    return locationFor(location, { to: new URL(to), prefix }, `${prefix}/a/b?c=d`);
  };

  it.each([
    ['https://api.example.com', 'https://api.example.com/orders/1?a=b', '/orders/1?a=b'],
    ['https://api.example.com/v1', 'https://api.example.com/v1/orders', '/orders'],
    ['https://api.example.com/v1', 'https://api.example.com/v1', '/'],
    ['https://api.example.com/v1', 'https://api.example.com/v1?a', '/?a'],
    ['https://api.example.com/v1', '/v1/orders', '/orders'],
    ['https://api.example.com/v1', '/v1#a', '/#a'],
    ['https://api.example.com', 'https://api.example.com', '/'],
    ['https://api.example.com', 'https://api.example.com?a', '/?a'],
    ['https://api.example.com/v1', 'https://api.example.com:443/v1/%41', '/%41'],
    ['https://api.example.com/v1', 'HTTPS://API.Example.com/v1/orders', '/orders'],
    ['https://api.example.com/v1', 'orders/1', '/a/orders/1'],
    ['https://api.example.com/v1', '//api.example.com/v1/orders', '/orders'],
    ['https://api.example.com/v1', 'orders/..a/.../1?d=../..', '/a/orders/..a/.../1?d=../..'],
    ['https://api.example.com/v1', '?page=2', '/a/b?page=2'],
    ['https://api.example.com/v1', 'https://u:p@api.example.com/v1/orders', '/orders'],
    ['https://api.example.com/v1', '../orders', '/orders'],
    ['https://api.example.com/v1', './orders?d=/../', '/a/orders?d=/../'],
    ['https://api.example.com/v1', '../../v1/orders', '/orders'],
    ['https://api.example.com/v1', '/v1/x/../orders', '/orders'],
    ['https://api.example.com/v1', '/v2/../v1/orders#a', '/orders#a'],
    ['https://api.example.com/v1', '/v1/x/../\u00c3\u00a9', '/%C3%A9'],
    ['https://api.example.com', '../../../orders', '/orders'],
    ['https://api.example.com', 'https:\\\\api.example.com/orders', '/orders'],
    ['https://api.example.com/v1', '\\v1\\orders', '/orders'],
    ['https://api.example.com', '//API.example.com:443?a', '/?a'],
  ])('should lead through the proxy to %s: %s', (to, location, seen) => {
    expect(seenAt(to, location)).toBe(seen);
  });

  it.each<[string, string, string?]>([
    ['https://api.example.com', 'https://login.example.com/'],
    ['https://api.example.com', 'https://api.example.com.evil.example/'],
    ['https://api.example.com', '//other.example/', 'https://other.example/'],
    ['https://api.example.com', '//api.example.com@other.example/', 'https://api.example.com@other.example/'],
    ['https://api.example.com', '//api.example.com:80/', 'https://api.example.com:80/'],
    ['https://api.example.com', '//api.example.com//other.example/', 'https://api.example.com//other.example/'],
    ['https://api.example.com/v1', '//api.example.com/v2', 'https://api.example.com/v2'],
    ['https://api.example.com', 'https://api.example.com:8443/'],
    ['https://api.example.com', 'http://api.example.com/'],
    [
      'https://api.example.com',
      'https://api.example.com:443//other.example/',
      'https://api.example.com//other.example/',
    ],
    ['https://api.example.com', 'com.example.app:/callback?code=a'],
    ['https://api.example.com', "https://login.example.com/?a='|"],
    ['https://api.example.com', 'https://'],
    ['https://api.example.com', 'blob:https://api.example.com/1'],
    ['https://api.example.com/v1', 'https://api.example.com/v2/orders'],
    ['https://api.example.com/v1', 'https://api.example.com/v10'],
  ])('should stay as it is elsewhere, with the scheme of the server: %s, %s', (to, location, seen = location) => {
    expect(seenAt(to, location)).toBe(seen);
  });

  it.each([
    ['/v2/orders', 'https://api.example.com/v2/orders'],
    ['/v10', 'https://api.example.com/v10'],
    ['/', 'https://api.example.com/'],
    ['/v1//other.example', 'https://api.example.com/v1//other.example'],
    ['../../v2/orders', 'https://api.example.com/v2/orders'],
    ['../../../orders?a=b', 'https://api.example.com/orders?a=b'],
    ['../..', 'https://api.example.com/'],
    ['..\\..\\v2', 'https://api.example.com/v2'],
    ['\\v2', 'https://api.example.com/v2'],
    ['/\\other.example/x', 'https://other.example/x'],
    ['%2e%2e/.%2E/v2', 'https://api.example.com/v2'],
    ['/v1/../v2', 'https://api.example.com/v2'],
    ['/v1/x/../../v2', 'https://api.example.com/v2'],
    ['//api.example.com/v1/../v2', 'https://api.example.com/v2'],
    ['https://api.example.com/v1/../v2', 'https://api.example.com/v2'],
    ['/v1/x/..//other.example', 'https://api.example.com/v1//other.example'],
  ])('should lead past the proxy to a path that is not behind it: %s', (location, seen) => {
    expect(seenAt('https://api.example.com/v1', location)).toBe(seen);
  });
});

describe('the path at which a framework has mounted the proxy', () => {
  it.each([
    ['a path', { originalUrl: '/api/orders?a=/orders', url: '/orders?a=/orders' }, '/api'],
    ['a query', { originalUrl: '/api?a=1', url: '/?a=1' }, '/api'],
    ['a slash', { originalUrl: '/api/', url: '/' }, '/api'],
    ['what was rewritten', { originalUrl: '/old/orders', url: '/rewritten' }, ''],
    ['what is not mounted', { originalUrl: '/orders', url: '/orders' }, ''],
    ['what no framework had', { url: '/' }, ''],
    ['a mount that names another server', { originalUrl: '//other.example/', url: '/' }, ''],
  ])('should be known from the target of %s', (_name, request, mount) => {
    expect(mountOf(request)).toBe(mount);
  });
});

describe('header fields', () => {
  const framing = { body: undefined, method: 'GET', expectsContinue: false, isUpgrade: false };
  const sent = (raw: string[], changed: object = {}) =>
    requestHeaders(raw, { host: 'api', via: '1.1 p', ...framing, ...changed }).flat();
  const answered = (raw: string[], status: number) => responseHeaders(raw, status).flat();

  it('should go on in their order and spelling, each as often as it came', () => {
    const raw = ['X-A', '1', 'cookie', 'a=1', 'x-a', '2', 'Cookie', 'b=2'];
    expect(sent(raw)).toEqual(['Host', 'api', ...raw, 'Via', '1.1 p']);
    expect(answered(['Set-Cookie', 'a', 'set-cookie', 'b'], 200)).toEqual(['Set-Cookie', 'a', 'set-cookie', 'b']);
  });

  it.each([
    ['Connection', 'close'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['Proxy-Authorization', 'Basic eDp5'],
    ['Proxy-Authenticate', 'Basic'],
    ['Proxy-Authentication-Info', 'x'],
    ['TE', 'trailers'],
    ['Trailer', 'X-Sum'],
    ['Transfer-Encoding', 'chunked'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAMA'],
    ['Host', 'localhost'],
    ['Authorization', 'Bearer x'],
    ['DPoP', 'proof'],
    ['Expect', '100-continue'],
  ])('should not go on: %s', (name, value) => {
    expect(sent([name, value])).toEqual(['Host', 'api', 'Via', '1.1 p']);
  });

  it('should not go on if Connection names them, but for those that frame the message', () => {
    const raw = [
      'Connection',
      'close, X-Secret',
      'X-Secret',
      '1',
      'CONNECTION',
      'content-length',
      'Content-Length',
      '3',
    ];
    expect(sent(raw, { body: 3, method: 'POST' })).toEqual(['Host', 'api', 'Content-Length', '3', 'Via', '1.1 p']);
    expect(answered(['Connection', 'X-Hop', 'X-Hop', '1', 'X-End', '2'], 200)).toEqual(['X-End', '2']);
    // Only Connection names fields.
    expect(answered(['Vary', 'X-A', 'X-A', '1'], 200)).toEqual(['Vary', 'X-A', 'X-A', '1']);
  });

  it('should tell no length of a response that has no body', () => {
    const raw = ['Content-Length', '0', 'X-A', '1'];
    expect([100, 101, 204].map((status) => answered(raw, status))).toEqual(Array(3).fill(['X-A', '1']));
    expect([200, 205, 304].map((status) => answered(raw, status))).toEqual(Array(3).fill(raw));
  });

  it.each([
    ['chunked as it came', { body: 'chunked', method: 'GET' }, ['Transfer-Encoding', 'chunked']],
    ['an empty body of a POST', { method: 'POST' }, ['Content-Length', '0']],
    ['no body of a DELETE', { method: 'DELETE' }, []],
    ['a question', { body: 3, method: 'POST', expectsContinue: true }, ['Expect', '100-continue']],
    ['a WebSocket', { isUpgrade: true }, ['Connection', 'Upgrade', 'Upgrade', 'websocket']],
  ])('should frame %s', (_name, changed, fields) => {
    expect(sent([], changed)).toEqual(['Host', 'api', 'Via', '1.1 p', ...fields]);
  });
});

describe('a request without a body', () => {
  it.each(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE'])('should have no framing: %s', (method) => {
    const sent = { host: 'api', via: '1.1 p', body: undefined, method, expectsContinue: false, isUpgrade: false };
    expect(requestHeaders([], sent).flat()).toEqual(['Host', 'api', 'Via', '1.1 p']);
  });
});

describe('the place to listen at', () => {
  it.each([
    [8080, { host: '127.0.0.1', port: 8080 }],
    ['8080', { host: '127.0.0.1', port: 8080 }],
    ['127.0.0.1:65535', { host: '127.0.0.1', port: 65_535 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['unix:/run/orders.sock', { path: '/run/orders.sock' }],
  ])('should be read from %j', (listen, place) => {
    expect(placeOf(listen, false)).toEqual(place);
  });

  it.each([
    '',
    ':8080',
    'localhost',
    'unix:',
    'x-unix:/a',
    '8080x',
    '127.0.0.1:65536',
    '127.0.0.1:99999',
    'http://127.0.0.1:8080',
    null,
    {},
  ])('should not be read from %j', (listen) => {
    expect(() => placeOf(listen, false)).toThrow(/option "listen" must be a port, "host:port" or "unix:\/path"/);
  });

  it('should not be a path that the system cuts off', () => {
    const most = process.platform === 'linux' ? 107 : 103;
    const path = `/${'é'.repeat((most - 1) / 2)}`;
    expect(placeOf(`unix:${path}`, false)).toEqual({ path });
    expect(() => placeOf(`unix:${path}a`, false)).toThrow(
      `option "listen" must be the path of a unix socket, at most ${String(most)} bytes`,
    );
  });

  it.each(['0.0.0.0:80', '[::]:80', '10.0.0.1:80', 'example.com:80', '127.0.0.1.example.com:80'])(
    'should be loopback unless told otherwise: %s',
    (listen) => {
      expect(() => placeOf(listen, false)).toThrow(/option "listen".*allowRemoteClients/);
      expect(placeOf(listen, true)).toMatchObject({ port: 80 });
    },
  );
});
