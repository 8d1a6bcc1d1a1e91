import express, { type RequestHandler } from 'express';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { listen, send, setUp, type Answer, type RigOptions } from './support.js';

/** An application with the proxy at /api, behind the middlewares. */
async function setUpApp(options: RigOptions = {}, middlewares: RequestHandler[] = []) {
  const rig = await setUp({ path: '/v1', ...options });
  const app = express();
  for (const each of middlewares) app.use(each);
  app.use('/api', rig.proxy);
  app.get('/own', (_request, response) => void response.send('own page'));
  const server = createServer(app as RequestListener);
  return { ...rig, server, port: await listen(server) };
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
    ['orders/', 'orders/'],
    ['https://login.example.com/v1', 'https://login.example.com/v1'],
  ])('should lead a redirect through its mount: %s', async (location, expected) => {
    const { port } = await setUpApp({ answer: (_request, response) => response.writeHead(302, { location }).end() });
    for (const path of ['/api/orders', '/api?to=/orders'])
      expect((await send(port, { path })).headers.location).toBe(expected);
  });
});
