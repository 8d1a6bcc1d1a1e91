import { appendFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { StubServers } from './demoStubs.js';
import {
  bundleDemo,
  cell,
  everyOrder,
  folder,
  orders,
  ownFlags,
  peakMemory,
  runDemo,
  SECRET,
  startDemo,
  stopAll,
  until,
  type Ended,
  type Running,
} from './demoSupport.js';

// Every test starts processes, and other specs keep the machine busy.
jest.setTimeout(60_000);

const place = folder();
const { main, remove } = bundleDemo();
const run = (args: readonly string[]): Promise<Ended> => runDemo(args, { main });
const start = (args: readonly string[], node: readonly string[] = []): Running => startDemo(args, { main, node });

/** What a token endpoint may do instead of its work, and what the one line must say about it. */
const answered =
  (status: string, type: string, body: string, more = '') =>
  (socket: Socket): unknown =>
    socket.end(
      `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\n${more}content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    );
const hostile: Record<string, [(socket: Socket) => unknown, RegExp]> = {
  'answers HTML': [
    answered('200 OK', 'text/html', '<h1>Sign in</h1>'),
    /answered 200 with text\/html, but a body that is not JSON/,
  ],
  'answers nothing': [
    answered('200 OK', 'application/json', ''),
    /answered 200 with application\/json, but an empty body/,
  ],
  'answers 200 with an error': [
    answered('200 OK', 'application/json', '{"error":"invalid_scope"}'),
    /answered 200 with application\/json: invalid_scope/,
  ],
  'knows no such secret': [
    answered('401 Unauthorized', 'application/json', '{"error":"invalid_client"}'),
    /answered 401 with application\/json: invalid_client/,
  ],
  redirects: [answered('302 Found', 'text/plain', '', 'location: https://login.example/\r\n'), /redirect \(302\)/],
  'hangs up in the middle': [
    (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"access'),
    /answered 200 with application\/json, but its body broke off/,
  ],
  'resets the connection': [(socket) => socket.resetAndDestroy(), /could not be reached \(ECONNRESET\)/],
  'never answers': [() => undefined, /no answer .* within 10000 ms/],
};
const servers: Server[] = [];
const runs = new Map<string, Promise<Ended>>();

let stub: StubServers;
beforeAll(async () => {
  const input = place.file(orders(1));
  // All at once, since one of them takes its time.
  for (const [name, [behave]] of Object.entries(hostile)) {
    const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => behave(socket)));
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    runs.set(name, run([...ownFlags(`${url}/token?tenant=not-to-be-printed`, `${url}/orders`), '--input', input]));
  }
});
beforeEach(async () => {
  stub = await new StubServers().start();
});
afterEach(() => stub.stop());
afterAll(() => {
  stopAll();
  for (const server of servers) server.close();
  place.remove();
  remove();
});

describe('faults of the network and of processes', () => {
  it('repeats a record after a network fault, a 503 and a 429 with the same key, and asks no more than Retry-After allows', async () => {
    const times = new Map<string, number[]>();
    stub.answer = ({ key, body, request }, response) => {
      const seen = [...(times.get(key) ?? []), Date.now()];
      times.set(key, seen);
      const { id } = JSON.parse(body) as { id: string };
      if (seen.length > 1) response.writeHead(201).end();
      else if (id === 'order-1') request.socket.resetAndDestroy();
      else if (id === 'order-2') response.writeHead(503).end();
      else if (id === 'order-3') response.writeHead(429, { 'retry-after': '1' }).end();
      else response.writeHead(201).end();
    };
    const { status, stdout } = await run([...stub.flags, '--input', place.file(orders(5))]);
    expect(status).toBe(0);
    expect(cell(stdout, 'records delivered')).toBe('5 of 5');
    expect(cell(stdout, 'requests on the wire')).toBe('8');
    expect([...times.values()].map(({ length }) => length).sort()).toEqual([1, 1, 2, 2, 2]);
    const retryAfter = [...times.values()].map(([first = 0, second = first]) => second - first);
    expect(Math.max(...retryAfter)).toBeGreaterThanOrEqual(995);
  });

  it('goes on with --resume where Ctrl-C stopped it, and sends no record twice', async () => {
    const input = place.file(`${orders(60)}bad\n`);
    const { child, ended } = start([...stub.flags, '--input', input, '--concurrency', '8']);
    // However late the signal arrives, no more than 8 are in flight.
    const stopping = new Promise<void>((resume) =>
      child.stderr.on('data', (text: string) => text.includes('finishing') && resume()),
    );
    let answered = 0;
    stub.answer = (_, response) => {
      const accept = () => void response.writeHead(201).end();
      if (++answered <= 20) accept();
      else void stopping.then(accept);
    };
    await until(() => stub.arrivals.length > 20);
    child.kill('SIGINT');
    const first = await ended;
    expect(first.status).toBe(130);
    expect(first.stdout).toContain('With --resume the next run goes on from here.');
    expect(cell(first.stdout, 'records delivered')).toBe(`${stub.arrivals.length} of ${stub.arrivals.length}`);
    expect(stub.arrivals.length).toBeLessThanOrEqual(28);

    const left = 60 - stub.arrivals.length;
    // More may be appended in the meantime.
    appendFileSync(input, '{"id":"order-61"}\n');
    const second = await run([...stub.flags, '--input', input, '--resume']);
    expect(cell(second.stdout, 'records delivered')).toBe(`${left + 1} of ${left + 1}`);
    expect(stub.counts()).toEqual(everyOrder(61));
    expect(place.rejects(input)).toHaveLength(1);
  });

  it('loses nothing when it is killed, and repeats with --resume only what was in flight, with the same keys', async () => {
    const input = place.file(orders(200));
    stub.answer = (_, response) => void setTimeout(() => response.writeHead(201).end(), 20);
    const { child, ended } = start([...stub.flags, '--input', input, '--concurrency', '8']);
    await until(() => stub.arrivals.length >= 100);
    child.kill('SIGKILL');
    await ended;
    const second = await run([...stub.flags, '--input', input, '--resume', '--concurrency', '8']);
    expect(second.status).toBe(0);
    expect([...stub.counts().keys()].sort()).toEqual([...everyOrder(200).keys()].sort());
    expect(stub.arrivals.length).toBeLessThanOrEqual(208);
    expect(new Set(stub.arrivals.map(({ key, body }) => `${key} ${body}`)).size).toBe(200);
  });

  it('ends the run when tokens are refused half way, and loses nothing: --resume delivers the rest', async () => {
    const input = place.file(orders(40));
    const accepted: string[] = [];
    stub.answer = ({ body, request }, response) => {
      if (accepted.length === 15) stub.known = false;
      const good = stub.known || request.headers.authorization !== 'Bearer token-1';
      if (good) accepted.push((JSON.parse(body) as { id: string }).id);
      response.writeHead(good ? 201 : 401).end();
    };
    const { status, stdout, stderr } = await run([...stub.flags, '--input', input, '--concurrency', '4']);
    expect(status).toBe(1);
    expect(stderr.split('\n').filter((line) => line.startsWith('error: '))).toHaveLength(1);
    expect(cell(stdout, 'records delivered')).toBe('15 of 15');
    expect(stdout).toContain('With --resume the next run goes on from here.');

    stub.known = true;
    expect((await run([...stub.flags, '--input', input, '--resume'])).status).toBe(0);
    expect(accepted.sort()).toEqual([...everyOrder(40).keys()].sort());
  });

  it('quits at once at a second Ctrl-C', async () => {
    stub.answer = () => undefined;
    const { child, ended } = start([...stub.flags, '--input', place.file(orders(5))]);
    await until(() => stub.arrivals.length === 5);
    child.kill('SIGINT');
    // As npm does: the same Ctrl-C, passed on a second time.
    await new Promise((resume) => setTimeout(resume, 100));
    child.kill('SIGINT');
    await new Promise((resume) => setTimeout(resume, 600));
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect((await ended).status).toBe(130);
  });
});

describe('a large input', () => {
  it('waits for a slow API in bounded memory: 200 MB with a heap of 64 MB', async () => {
    const records = `{"id":"order-1","pad":"${'x'.repeat(200_000)}"}\n`.repeat(50);
    const input = place.file(records);
    for (let part = 1; part < 20; part += 1) appendFileSync(input, records);
    stub.keep = false;
    let peak = 0;
    // Long enough to read everything, for who would read on while nothing is answered.
    const patience = new Promise((resume) => setTimeout(resume, 3_000));
    stub.answer = (_, response) => {
      peak = Math.max(peak, peakMemory(running.child.pid) ?? 0);
      void patience.then(() => response.writeHead(201).end());
    };
    const running = start(['--input', input, '--concurrency', '8', ...stub.flags], ['--max-old-space-size=64']);
    const { status, stdout } = await running.ended;
    expect(status).toBe(0);
    expect(cell(stdout, 'records delivered')).toBe('1,000 of 1,000');
    // The runtime alone takes 100 MB or so.
    expect(peak).toBeLessThan(200);
  });
});

describe('a token endpoint that', () => {
  it.each(Object.keys(hostile))('%s ends the run with one clear line and status 1', async (name) => {
    const { status, stdout, stderr } = (await runs.get(name)) as Ended;
    const [, line] = hostile[name] as [unknown, RegExp];
    const errors = stderr.split('\n').filter((text) => text.startsWith('error: '));
    expect(errors).toEqual([expect.stringMatching(line)]);
    expect(status).toBe(1);
    for (const secret of [SECRET, btoa(`me:${SECRET}`), 'not-to-be-printed', '    at '])
      expect(stdout + stderr).not.toContain(secret);
  });
});
