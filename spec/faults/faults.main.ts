// Run by faults-spec.ts in a process of its own, where an unhandled rejection is the end: `… faults.main.ts <seconds>
// <seed>`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { filter, firstValueFrom } from 'rxjs';
import { createHttpClient, createTokenStream } from 'rx-fresh-token';
import { clientCredentials } from 'rx-fresh-token/oauth';
import { startFaultyProxy } from './faultyProxy.js';

const [seconds = 10, seed = 1] = process.argv.slice(2).map(Number);
const LIFE = 1000;
const STEP = 250;
const TIMEOUT = 2500;

/** Numbers from 0 up to 1, the same for the same seed. */
let state = seed;
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

const alive = new Map<string, number>();
/** How often the API did what a request asks for, by its request line. */
const effects = new Map<string, number>();
let refused = 0;
/** Nobody refuses what is good. */
let isFair = false;

/** With its length, or nobody could tell a body that was cut. */
function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': text.length, connection: 'close' })
    .end(text);
}

function token(response: ServerResponse): void {
  const access_token = `token-${String(alive.size + 1)}`;
  alive.set(access_token, Date.now() + LIFE);
  answer(response, 200, { access_token, token_type: 'Bearer', expires_in: LIFE / 1000 });
}

function order({ headers, method, url }: IncomingMessage, response: ServerResponse): void {
  const ends = alive.get(headers.authorization?.slice('Bearer '.length) ?? '') ?? 0;
  // A request may be on its way for long: what counts is the token, which is the proxy's to delay.
  const isGood = Date.now() < ends + 1000 && (isFair || random() > 0.02);
  if (isGood) {
    const line = `${method!} ${url!} HTTP/1.1`;
    effects.set(line, (effects.get(line) ?? 0) + 1);
  } else refused++;
  answer(response, isGood ? 200 : 401, { done: isGood });
}

async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ port: number; close(): void }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      handle(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function main(): Promise<void> {
  const servers = [
    await listen((_request, response) => {
      token(response);
    }),
    await listen(order),
  ] as const;
  const tokens = await startFaultyProxy(servers[0].port, random, 0.75);
  const api = await startFaultyProxy(servers[1].port, random);
  const token$ = createTokenStream(
    clientCredentials({ tokenEndpoint: `${tokens.origin}/token`, clientId: 'me', clientSecret: 'secret' }),
    {
      fetchTimeout: 700,
      maxWait: 2000,
      backoff: { initial: 50, max: STEP },
      // A call in three is refused at times, and not each is worth a refresh.
      rejectionBudget: { max: 1000 },
    },
  );
  const http = createHttpClient(token$, { baseUrl: api.origin, timeout: TIMEOUT });
  const counts = { calls: 0, delivered: 0, failed: 0, hung: 0, unexpected: 0 };
  const surprises = new Set<string>();
  let ids = 0;

  async function call(): Promise<boolean> {
    counts.calls++;
    const id = String(++ids);
    const isLate = new Promise<'hung'>((resolve) => setTimeout(resolve, TIMEOUT + 10_000, 'hung').unref());
    const outcome = await Promise.race([
      firstValueFrom(http.post<{ done: boolean }>(`/orders/${id}`, { id })).then(
        ({ done }) => done,
        (error: unknown) => error,
      ),
      isLate,
    ]);
    if (outcome === 'hung') counts.hung++;
    else if (outcome === true) counts.delivered++;
    else {
      counts.failed++;
      const { name, message } = outcome as Error;
      // The network's faults, and what the client promises to call them.
      if (
        !/^(TypeError|RequestTimeoutError|TokenUnavailableError|HttpStatusError|SyntaxError|AbortError)$/.test(name)
      ) {
        counts.unexpected++;
        surprises.add(`${name}: ${message}`);
      }
    }
    return outcome === true;
  }

  const end = performance.now() + seconds * 1000;
  /** Every fault happens once at least, on both servers. */
  const isOver = () =>
    performance.now() > end + 30_000 ||
    (performance.now() > end && [tokens, api].every(({ done }) => Object.values(done).every((times) => times > 0)));
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (!isOver()) await call();
    }),
  );

  // No token comes through any more, until the last one is over and the stream pauses before its next attempt.
  tokens.breakDown();
  const recovering = { isPausing: false };
  const pauses = firstValueFrom(
    token$.events.pipe(
      filter((event) => event.type === 'refreshFailed' && event.retryIn !== null && token$.current === null),
    ),
  );
  void pauses.then(() => (recovering.isPausing = true));
  let unserved = call();
  while (!recovering.isPausing) {
    if (await Promise.race([unserved.then(() => true), pauses.then(() => false)])) unserved = call();
  }

  // The weather clears.
  tokens.calm();
  api.calm();
  isFair = true;
  const calm = performance.now();
  let failures = 0;
  token$.events.subscribe(({ type }) => {
    if (type === 'refreshFailed') failures++;
  });
  let attempts = 1;
  while (!(await call()) && attempts < 20) attempts++;
  const recovery = Math.round(performance.now() - calm);
  await unserved;

  const own = [...effects].filter(([line, times]) => times > 1 + (api.duplicates.get(line) ?? 0)).map(([line]) => line);
  token$.close();
  for (const each of [tokens, api, ...servers]) each.close();
  process.stdout.write(
    JSON.stringify({
      counts,
      surprises: [...surprises],
      refused,
      duplicates: own,
      faults: { tokens: tokens.done, api: api.done },
      recovery: { ms: recovery, attempts, failures },
    }),
  );
}

void main();
