import express, { type RequestHandler } from 'express';
import { createServer, type ServerResponse } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { listen, send, setUp, until, Wire, type Answer, type RigOptions } from './support.js';

/** An application with the proxy at /api, behind the middlewares. */
async function setUpApp(options: RigOptions = {}, middlewares: RequestHandler[] = []) {
  const rig = await setUp({ path: '/v1', ...options });
  const app = express();
  for (const each of middlewares) app.use(each);
  app.use('/api', rig.proxy);
  app.get('/own', (_request, response) => void response.send('own page'));
  const server = createServer(app);
  return { ...rig, app, server, port: await listen(server) };
}

describe('the fields of the response', () => {
  const answer: Answer = (_request, response) => {
    response.writeHead(200, ['Set-Cookie', 'a=1', 'X-Powered-By', 'Up', 'Set-Cookie', 'b=2', 'Vary', 'Accept']);
    response.end('ok');
  };

  /** Old versions of on-headers read a list as pairs, and drop it. */
  const takingPairs: RequestHandler = (_request, response, next) => {
    const { writeHead } = response;
    response.writeHead = function (this: ServerResponse, status: number, message: string, fields?: unknown) {
      if (Array.isArray(fields))
        for (const [name, value] of fields as string[]) this.setHeader(name ?? '', value ?? '');
      return writeHead.call(this, status, message as never);
    } as typeof writeHead;
    next();
  };
  const setting =
    (name: string, value: string): RequestHandler =>
    (_request, response, next) => {
      response.setHeader(name, value);
      next();
    };

  it.each<[string, RequestHandler[], object?]>([
    ['plain Express', []],
    ['a middleware that sets another field', [setting('Cache-Control', 'no-store')]],
    ['a middleware that wraps writeHead', [takingPairs]],
    ['a middleware that sets a cookie', [setting('Set-Cookie', 'c=3')], { 'set-cookie': ['c=3', 'a=1', 'b=2'] }],
    ['a middleware that varies', [setting('vary', 'Origin')], { vary: ['Origin', 'Accept'] }],
  ])('should all arrive behind %s, and replace those of Express', async (_name, middlewares, added = {}) => {
    const { port } = await setUpApp({ answer }, middlewares);
    const { status, headersDistinct } = await send(port, { path: '/api/orders' });
    expect(status).toBe(200);
    expect(headersDistinct).toMatchObject({
      'set-cookie': ['a=1', 'b=2'],
      vary: ['Accept'],
      'x-powered-by': ['Up'],
      ...added,
    });
  });
});

describe('a mounted proxy', () => {
  it.each([
    ['/v1/orders/', '/api/orders/'],
    ['/v1?a=1', '/api/?a=1'],
    ['orders/', '/api/orders/'],
    ['https://login.example.com/v1', 'https://login.example.com/v1'],
  ])('should lead a redirect through its mount: %s', async (location, expected) => {
    const { port } = await setUpApp({ answer: (_request, response) => response.writeHead(302, { location }).end() });
    for (const path of ['/api/orders', '/api?to=/orders'])
      expect((await send(port, { path })).headers.location).toBe(expected);
  });

  it('should refuse with the reason phrase of its own status, not with that of a middleware', async () => {
    const praising: RequestHandler = (_request, response, next) => {
      response.statusMessage = 'Fine';
      next();
    };
    const { port } = await setUpApp({}, [praising]);
    const head = ['GET /api/orders HTTP/1.1', 'Host: localhost', 'Authorization: Bearer mine', 'Connection: close'];
    expect(await new Wire(port, ...head).end()).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
  });
});

describe('attached to the server of an application', () => {
  /** The proxy at /api, and another one at /more. */
  async function setUpAttached(middlewares: RequestHandler[] = []) {
    const rig = await setUpApp({}, middlewares);
    const more = await setUp();
    rig.app.use('/more', more.proxy);
    const sockets = new WebSocketServer({ noServer: true });
    const opened: (string | undefined)[] = [];
    for (const { upstream, proxy } of [rig, more]) {
      upstream.on('upgrade', (request, socket, head) => {
        opened.push(request.url, request.headers.authorization);
        sockets.handleUpgrade(request, socket, head, (each) => each.on('message', (data) => each.send(data)));
      });
      proxy.attach(rig.server);
    }
    const open = async (path: string) => {
      const socket = new WebSocket(`ws://127.0.0.1:${rig.port}${path}`);
      const echoed = new Promise<string>((resolve) => {
        socket.on('message', (data: Buffer) => resolve(data.toString()));
        socket.on('error', ({ message }) => resolve(message));
      });
      socket.on('open', () => socket.send('tea'));
      return { socket, echo: await echoed };
    };
    return { ...rig, more, opened, open };
  }

  it('should serve the requests that the application passes to it, each once', async () => {
    const { port, seen, more } = await setUpAttached();
    expect((await send(port, { path: '/own' })).body).toBe('own page');
    expect((await send(port, { path: '/api/orders', method: 'POST', body: 'tea' })).body).toBe('ok');
    expect(seen.map(({ method, url, body }) => [method, url, body])).toEqual([['POST', '/v1/orders', 'tea']]);
    expect(more.seen).toEqual([]);
  });

  it('should open WebSockets under its mount, and close them when it ends', async () => {
    const { opened, open, proxy } = await setUpAttached();
    const own = await open('/api/live');
    const other = await open('/more/live');
    expect([own.echo, other.echo, opened]).toEqual(['tea', 'tea', ['/v1/live', 'Bearer a', '/live', 'Bearer a']]);
    await proxy.close();
    await until(() => own.socket.readyState === WebSocket.CLOSED);
    expect((await open('/api/live')).echo).toBe('socket hang up');
    expect((await open('/more/live')).echo).toBe('tea');
    expect(other.socket.readyState).toBe(WebSocket.OPEN);
  });

  it('should leave it to the application who may open a WebSocket, and where', async () => {
    const guard: RequestHandler = ({ query: { key } }, response, next) => {
      if (key === 'right') next();
      else response.sendStatus(401);
    };
    const { opened, open } = await setUpAttached([guard]);
    expect((await open('/api/live')).echo).toBe('Unexpected server response: 401');
    expect((await open('/live?key=right')).echo).toBe('Unexpected server response: 404');
    expect((await open('/own?key=right')).echo).toBe('Unexpected server response: 200');
    expect(opened).toEqual([]);
    expect((await open('/api/live?key=right')).echo).toBe('tea');
  });

  it.each([
    ['h2c', ['Connection: Upgrade', 'Upgrade: h2c']],
    ['100 Continue', ['Expect: 100-continue']],
  ])('should let the application answer a request that asks for %s', async (_name, lines) => {
    const { port, seen } = await setUpAttached();
    const wire = new Wire(port, 'GET /own HTTP/1.1', 'Host: localhost', ...lines);
    await wire.until(/own page$/);
    new Wire(port, 'POST /api/orders HTTP/1.1', 'Host: localhost', 'Content-Length: 3', ...lines).write('tea');
    await until(() => seen.length === 1);
    expect(seen[0]).toMatchObject({ url: '/v1/orders', body: 'tea' });
  });
});
