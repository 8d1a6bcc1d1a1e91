import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { StubServers } from './demoStubs.js';
import {
  bundleDemo,
  cell,
  everyOrder,
  folder,
  orders,
  ownFlags,
  runDemo,
  SECRET,
  startDemo,
  stopAll,
} from './demoSupport.js';

// Every test starts processes, and other specs keep the machine busy.
jest.setTimeout(60_000);

const place = folder();
const { main, remove } = bundleDemo();
let stub: StubServers;
beforeEach(async () => {
  stub = await new StubServers().start();
});
afterEach(() => stub.stop());
afterAll(() => {
  stopAll();
  place.remove();
  remove();
});

const run = (args: readonly string[]): ReturnType<typeof runDemo> => runDemo(args, { main });

describe('npm start -- --url …', () => {
  it('sends each record once as it stands, with the token, the headers and a key of its own', async () => {
    const input = place.file('{"id":"order-1","big":12345678901234567890}\r\n{"id":"order-2"}\n{"id":"order-2"}');
    const { status, stdout } = await run([
      ...stub.flags,
      '--input',
      input,
      '--method',
      'PUT',
      '--header',
      'X-Shop: 7',
      '--header',
      'Content-Type: application/vnd.order+json',
    ]);
    expect(status).toBe(0);
    expect(cell(stdout, 'records delivered')).toBe('3 of 3');
    expect(stub.arrivals.map(({ body }) => body).sort()).toEqual([
      '{"id":"order-1","big":12345678901234567890}',
      '{"id":"order-2"}',
      '{"id":"order-2"}',
    ]);
    expect(new Set(stub.arrivals.map(({ key }) => key)).size).toBe(3);
    for (const { request } of stub.arrivals) {
      expect(request.method).toBe('PUT');
      expect(request.headers).toMatchObject({
        authorization: 'Bearer token-1',
        'x-shop': '7',
        'content-type': 'application/vnd.order+json',
      });
    }
    expect(existsSync(`${input}.rejected`)).toBe(false);
    expect(stdout).not.toContain(SECRET);
    expect(stdout).not.toContain('token-1');
  });

  it('writes lines that are no record to FILE.rejected, with number, reason and content, and delivers the rest', async () => {
    const input = place.file(
      Buffer.concat([
        Buffer.from('{"id":"order-1"}\n{"id":\n\n[1]\n"text"\n'),
        Buffer.from([0x7b, 0xff, 0x7d, 0x0a]),
        Buffer.from(`{"id":"${'x'.repeat(1024 * 1024)}"}\n{"id":"order-2"}\n`),
      ]),
    );
    const { status, stdout, stderr } = await run([...stub.flags, '--input', input]);
    expect(status).toBe(1);
    expect(stub.counts()).toEqual(everyOrder(2));
    const found = place.rejects(input);
    expect(found.map(({ line, reason }) => [line, reason])).toEqual([
      [2, 'not JSON'],
      [4, 'not a JSON object'],
      [5, 'not a JSON object'],
      [6, 'not UTF-8'],
      [7, 'longer than 1048576 bytes'],
    ]);
    expect(found[0]?.text).toBe('{"id":');
    expect(Buffer.from(found[3]?.base64 ?? '', 'base64')).toEqual(Buffer.from([0x7b, 0xff, 0x7d]));
    for (const { line, reason } of found) expect(stderr).toContain(`line ${line} rejected: ${reason}`);
    expect(stdout).toContain(`rejected lines are in ${input}.rejected`);
    expect(cell(stdout, 'rejected lines')).toBe('5');
  });

  it.each(['.rejected', '.progress', '.progress.new'])('writes through no symbolic link at %s', async (ending) => {
    const [input, precious] = [place.file(orders(2)), place.file('precious')];
    symlinkSync(precious, `${input}${ending}`);
    const { status, stderr } = await run([...stub.flags, '--input', input]);
    expect(status).toBe(2);
    expect(stderr).toContain(`error: ${input}${ending} is a symbolic link`);
    expect([readFileSync(precious, 'utf8'), stub.arrivals]).toEqual(['precious', []]);
  });

  it('names a flag as it is typed', async () => {
    const flags = ownFlags('http://auth.example/token', `${stub.origin}/orders`);
    const { status, stderr } = await run([...flags, '--input', place.file(orders(1))]);
    expect([status, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toMatch(/^error: --token-endpoint must /);
    expect(stderr).not.toContain('allowInsecureRequests');
  });

  it('reports a record that the API will not have, writes it down with the reason, and goes on', async () => {
    stub.answer = ({ body }, response) => void response.writeHead(body.includes('order-3"') ? 422 : 201).end();
    const input = place.file(orders(5));
    const { status, stdout, stderr } = await run([...stub.flags, '--input', input]);
    expect(status).toBe(1);
    expect(cell(stdout, 'records delivered')).toBe('4 of 5');
    expect(cell(stdout, 'errors the caller saw')).toBe('1');
    expect(stderr).toContain('line 3 rejected: the API answered 422');
    expect(place.rejects(input)).toEqual([
      {
        line: 3,
        reason: 'the API answered 422',
        text: '{"id":"order-3","cents":2}',
        key: stub.arrivals.find(({ body }) => body.includes('order-3'))?.key,
      },
    ]);
  });

  it('heals a refused token with one refresh', async () => {
    stub.answer = ({ request }, response) =>
      void response.writeHead(request.headers.authorization === 'Bearer token-1' ? 401 : 201).end();
    const { status, stdout } = await run([...stub.flags, '--input', place.file(orders(20)), '--concurrency', '4']);
    expect(status).toBe(0);
    expect(cell(stdout, 'tokens fetched')).toBe('2');
    expect(stub.tokens).toBe(2);
    expect(cell(stdout, 'records delivered')).toBe('20 of 20');
  });

  it('reads standard input with -', async () => {
    const { child, ended } = startDemo([...stub.flags, '--input', '-'], { cwd: place.path, main });
    child.stdin.end(`${orders(3)}oops\n`);
    const { status } = await ended;
    expect(status).toBe(1);
    expect(stub.counts()).toEqual(everyOrder(3));
    expect(place.rejects(join(place.path, 'stdin'))).toEqual([{ line: 4, reason: 'not JSON', text: 'oops' }]);
  });
});

describe('a mistake on the command line', () => {
  const mistakes: [string, string[], string][] = [
    ['an input that is not there', ['--input', 'absent.ndjson'], 'error: absent.ndjson: no such file'],
    ['an input that is a directory', ['--input', 'examples'], 'error: examples: is a directory, not a file of records'],
    [
      'http: to another machine',
      [...ownFlags('https://auth.example/token', 'http://api.example/orders'), '--input', 'package.json'],
      'must be https',
    ],
    ['an unknown flag', ['--frobnicate'], "error: unknown option '--frobnicate'"],
  ];
  it.each(mistakes)('is one line and exit status 2: %s', async (_, args, line) => {
    const { status, stdout, stderr } = await run(args);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(line)]);
    expect(stdout).toBe('');
    expect(status).toBe(2);
  });

  it('--help explains every flag and exits with 0', async () => {
    const { status, stdout, stderr } = await runDemo(['--help']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    for (const flag of [
      'token-endpoint',
      'client-id',
      'client-secret-env',
      'scope',
      'url',
      'method',
      'header',
      'input',
      'concurrency',
      'rate',
      'lifetime',
      'resume',
      'help',
    ]) {
      expect(stdout).toMatch(new RegExp(`--${flag}\\b`));
    }
  });
});
