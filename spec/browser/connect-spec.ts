import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { firstValueFrom, from } from 'rxjs';
import { fakeTokenSource, type FakeTokenSource } from 'rx-fresh-token/testing';
import { WebSocketServer } from 'ws';
import { LIMIT, ProtectedServer, seeded, until, wait } from '../connect/protectedServer.js';
import { bundlePage } from './bundlePage.js';
import { launch } from './chromium.js';
import type { ConnectPage } from './pages/connect.js';

declare const connection: ConnectPage;

jest.setTimeout(LIMIT);

let browser: Browser;
let pages: Server;
let server: ProtectedServer;
beforeAll(async () => {
  browser = await launch();
}, 300_000);
afterAll(async () => {
  await browser.close();
  pages.close();
  await server.close();
});

/** The page, its script, and tokens of the source. */
async function servePage(source: FakeTokenSource): Promise<string> {
  const script = await bundlePage('connect.ts');
  pages = createServer((request, response) => {
    if (request.method === 'POST') {
      const asked = { signal: new AbortController().signal } as Parameters<FakeTokenSource>[0];
      void firstValueFrom(from(source(asked))).then((token) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token));
      });
      return;
    }
    const isScript = request.url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : '<!doctype html><title>live</title><script src="/page.js"></script>');
  });
  await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${String((pages.address() as AddressInfo).port)}`;
}

/**
 * Accepts every upgrade, since a page cannot read the status of one that is refused. Closes with 4401 when the token is
 * not accepted, and when it ends.
 */
function serveWebSocket() {
  const sockets = new WebSocketServer({ server: server.http });
  const seen = { ended: 0, mostAtOnce: 0, left: [] as number[] };
  sockets.on('connection', (client, request) => {
    seen.mostAtOnce = Math.max(seen.mostAtOnce, sockets.clients.size);
    const value = server.judge(/bearer\.([^,\s]+)/.exec(request.headers['sec-websocket-protocol'] ?? '')?.[1] ?? '');
    let isClosing = false;
    const reject = () => {
      isClosing = true;
      client.close(4401, 'the token is over');
    };
    client.on('close', (code) => {
      // 1006: the server was killed.
      if (!isClosing && code !== 1006) seen.left.push(code);
    });
    if (value === undefined) {
      reject();
      return;
    }
    client.on('message', () => server.received());
    const ticking = setInterval(() => {
      const fate = server.source.fateOf(value);
      if (fate === 'alive') {
        client.send('"tick"');
        return;
      }
      if (fate === 'expired') seen.ended++;
      clearInterval(ticking);
      reject();
    }, 20);
    client.on('close', () => clearInterval(ticking));
  });
  return { seen, clients: () => sockets.clients.size };
}

it("in Chromium, RxJS' webSocket should open no connection with a token that is over, reconnect for no renewal, and leave no socket", async () => {
  const source = fakeTokenSource({ lifetime: 5000, names: 'numbers', latency: 20 });
  server = new ProtectedServer(source);
  const { seen, clients } = serveWebSocket();
  const origin = await servePage(source);
  const page = await browser.newPage();
  await page.goto(`${origin}/?url=ws://127.0.0.1:${String(await server.listen())}/live`);
  const report = () => page.evaluate(() => connection.report());

  // The first token is renewed, and the connection stays until the server closes it at that token's end.
  await until(() => seen.ended === 1, 8000);
  expect((await report()).renewals).toBe(1);
  await until(() => server.handshakes === 2);

  await server.torment(seeded(5), 36, 300);
  const { messages } = await report();
  await wait(500);
  const after = await report();
  expect(after.messages).toBeGreaterThan(messages);
  expect(seen.left).toEqual([]);
  await page.evaluate(() => connection.leave());
  await until(() => clients() === 0 && server.sockets.size === 0);

  expect(await report()).toMatchObject({ errors: [], left: 0 });
  expect([server.expired, seen.mostAtOnce]).toEqual([0, 1]);
  expect(server.rejected).toBeLessThanOrEqual(server.revocations);
  expect([server.revocations > 2, server.handshakes > 8]).toEqual([true, true]);
  console.info(`in Chromium: ${server.summary()}`);
});
