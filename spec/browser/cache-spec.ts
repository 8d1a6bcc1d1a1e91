import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { bundlePage } from './bundlePage.js';
import { launch } from './chromium.js';
import type { CachePage } from './pages/cache.js';

declare const cachePage: CachePage;

let browser: Browser;
let server: Server;
let origin: string;
/** The method and the token of each request. */
const seen: string[] = [];

beforeAll(async () => {
  const script = await bundlePage('cache.ts');
  server = createServer(({ url, method, headers }, response) => {
    if (url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script);
    else if (url === '/') response.setHeader('content-type', 'text/html').end('<script src="/page.js"></script>');
    else if (url === '/favicon.ico') response.end();
    else {
      const { authorization = 'none' } = headers;
      seen.push(`${String(method)} ${authorization}`);
      // The browser may keep this answer, also a rejection, for the next request with any token.
      response.writeHead(authorization.endsWith(' T1') ? 403 : 200, { 'cache-control': 'max-age=60' }).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  browser = await launch();
}, 300_000);
afterAll(async () => {
  await browser.close();
  server.close();
});
beforeEach(() => {
  seen.length = 0;
});

async function ask(path: string, init?: Pick<RequestInit, 'cache'>): Promise<number[]> {
  const page = await browser.newPage();
  try {
    await page.goto(origin);
    return await page.evaluate(([to, given]) => cachePage.ask(to, given), [path, init] as const);
  } finally {
    await page.close();
  }
}

it("should send the repeat to the server, when the browser's cache holds the rejection", async () => {
  expect(await ask('/a')).toEqual([200, 200]);
  // The second request is answered by what the repeat got, out of the cache.
  expect(seen).toEqual(['GET Bearer T1', 'GET Bearer T2']);
});

it("should keep the caller's own `cache`", async () => {
  expect(await ask('/b', { cache: 'no-store' })).toEqual([200, 200]);
  expect(seen).toEqual(['GET Bearer T1', 'GET Bearer T2', 'GET Bearer T2']);
});
