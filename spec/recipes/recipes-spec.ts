import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as library from 'rx-fresh-token';
import { runBlock } from '../runBlock.js';

const ROOT = join(__dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/recipes.md'), 'utf8');
/** Tokens live this long, those that Redis rejects an hour. Seconds. */
const LIFE = 2;

/** The code of the page below a heading. */
const recipe = (heading: string): string =>
  new RegExp(`^## ${heading}$.*?^\`\`\`ts\n(.*?)^\`\`\``, 'ms').exec(PAGE)?.[1] ?? '';

let server: Server;
let redis: TcpServer;
let folder: string;
let child: ChildProcess | undefined;
let issued: number;
/** The token endpoint refuses the client after this many tokens. */
let tokens: number;
/** What Redis was sent. */
let sent: string[];
/** The tokens that Redis rejects. */
let rejected: string[];

const addressOf = (listening: Server | TcpServer): string => `127.0.0.1:${(listening.address() as AddressInfo).port}`;
const listen = (listening: Server | TcpServer) => new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));

const tokenResponse = (value: string) => ({
  access_token: value,
  expires_in: rejected.includes(value) ? 3600 : LIFE,
});

beforeEach(async () => {
  [issued, tokens, sent, rejected] = [0, Infinity, [], []];
  // Inside of the repository, so that its packages are found.
  folder = mkdtempSync(join(ROOT, 'coverage-recipe-'));
  server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    if (issued === tokens) response.writeHead(401).end('{"error":"invalid_client"}');
    else response.end(JSON.stringify(tokenResponse(`T${++issued}`)));
  });
  redis = createTcpServer(answerRedis);
  await Promise.all([listen(server), listen(redis)]);
});

afterEach(async () => {
  child?.kill();
  rmSync(folder, { recursive: true, force: true });
  server.closeAllConnections();
  await Promise.all([server, redis].map((each) => new Promise((done) => each.close(done))));
});

/** What Redis says to a command; OK to any other. */
const ANSWERS: Readonly<Record<string, string>> = {
  PING: '+PONG\r\n',
  WRONGPASS: '-WRONGPASS invalid username-password pair or user is disabled.\r\n',
  INFO: '$0\r\n\r\n',
  HELLO: '%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n',
};

/** As much of Redis' protocol as the recipe needs: it notes what it is authenticated with, by AUTH or with HELLO. */
function answerRedis(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.on('data', (data: Buffer) => {
    for (const [, text = ''] of data.toString().matchAll(/\*\d+\r\n((?:\$\d+\r\n[^\r]*\r\n)+)/g)) {
      const words = [...text.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)].map(([, word]) => word ?? '');
      const auth = words.findIndex((word) => word.toUpperCase() === 'AUTH');
      if (auth >= 0) sent.push(words.slice(auth + 1, auth + 3).join(' '));
      const isRejected = auth >= 0 && rejected.includes(words[auth + 2] ?? '');
      socket.write(ANSWERS[isRejected ? 'WRONGPASS' : (words[0] ?? '').toUpperCase()] ?? '+OK\r\n');
    }
  });
}

/** Runs a recipe with its hosts replaced, until it ends or `isDone`. Resolves to what it printed. */
function run(heading: string, isDone: (output: string) => boolean = () => false): Promise<string> {
  const code = recipe(heading)
    .replaceAll('https://id.example.com', `http://${addressOf(server)}`)
    .replaceAll('cache.example.com:6379', addressOf(redis));
  const file = join(folder, 'recipe.mts');
  writeFileSync(file, code);
  const program = (child = spawn(process.execPath, ['--import', require.resolve('tsx'), file], {
    cwd: ROOT,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json') },
  }));
  let output = '';
  program.stdout.on('data', (text: Buffer) => (output += text.toString()));
  program.stderr.on('data', (text: Buffer) => (output += text.toString()));
  return new Promise((resolve) => {
    const looking = setInterval(() => {
      if (isDone(output)) program.kill();
    }, 20);
    program.once('close', () => {
      clearInterval(looking);
      resolve(output);
    });
  });
}

it('a client that asks a function should be given one token for as long as it lives', async () => {
  expect(await run('A client that asks a function')).toBe('T1 T1\n');
});

it('ioredis should be authenticated with each new token, on one connection', async () => {
  let connections = 0;
  redis.on('connection', () => connections++);
  expect(await run('ioredis', () => sent.length === 3)).toBe('PONG\n');
  expect([sent, connections]).toEqual([['orders T1', 'orders T2', 'orders T3'], 1]);
});

it.each([
  ['at a renewal', 'T2', /^PONG\nWRONGPASS [^\n]*\n$/],
  ['when it connects', 'T1', /^(WRONGPASS [^\n]*\n)+PONG\n$/],
])('ioredis should get another token if Redis rejects one %s, and print neither', async (_, token, printed) => {
  rejected = [token];
  const next = `orders T${Number(token.slice(1)) + 1}`;
  expect(await run('ioredis', (output) => sent.includes(next) && output.includes('PONG'))).toMatch(printed);
});

it('ioredis should report a token endpoint that refuses the client, and the program should go on', async () => {
  tokens = 1;
  const printed = await run('ioredis', (output) => output.includes('invalid_client'));
  expect(printed).toMatch(/^PONG\n.*invalid_client.*\n$/);
});

describe('recipes whose fetch is replaced', () => {
  const LINES = 'https://api.example.com/lines';
  let sent: string[];
  /** The tokens that the API rejects. */
  let revoked: string[];

  const answer: typeof fetch = (input, init) => {
    const { url, headers } = new Request(input, init);
    if (url.endsWith('/token'))
      return Promise.resolve(Response.json({ access_token: `T${++issued}`, expires_in: LIFE }));
    const authorization = headers.get('authorization') ?? '';
    sent.push(`${authorization} ${headers.get('x-client') ?? ''}`.trim());
    return Promise.resolve(new Response(null, { status: revoked.includes(authorization) ? 401 : 200 }));
  };

  /** What the recipe exports. Its code runs anew, as in a process that starts. */
  const start = <E>(heading: string, given: object = {}): E => {
    const exports = {} as E;
    runBlock(recipe(heading), { require: () => library, exports, fetch: answer, ...given });
    return exports;
  };

  const native = globalThis.fetch;
  beforeEach(() => {
    [sent, revoked] = [[], []];
    globalThis.fetch = answer;
  });
  afterEach(() => (globalThis.fetch = native));

  it.each([
    ['an init', (headers: HeadersInit) => [LINES, { headers }]],
    ['a Request', (headers: HeadersInit) => [new Request(LINES, { headers })]],
  ] as [string, (headers: HeadersInit) => Parameters<typeof fetch>][])(
    'the key of a client should be replaced by the token, also in the repeat: in %s',
    async (_what, args) => {
      revoked = ['Bearer T1'];
      const { replaceKey } = start<{ replaceKey: typeof fetch }>('A client that sends a key of its own');
      const response = await replaceKey(...args({ Authorization: 'Bearer unused', 'x-client': 'sdk' }));
      expect([response.status, sent]).toEqual([200, ['Bearer T1 sdk', 'Bearer T2 sdk']]);
    },
  );

  it('a worker that is started again should use the token of the last one, until a server rejects it', async () => {
    const items: { kept?: object } = {};
    const session = { get: () => Promise.resolve(items), set: (given: object) => Object.assign(items, given) };
    const request = () =>
      start<{ fetchWithToken: typeof fetch }>('The service worker of a browser extension', {
        chrome: { storage: { session } },
      }).fetchWithToken(LINES);
    await request();
    await request();
    revoked = ['Bearer T1'];
    await request();
    await request();
    expect(sent).toEqual(['Bearer T1', 'Bearer T1', 'Bearer T1', 'Bearer T2', 'Bearer T2']);
  });
});
