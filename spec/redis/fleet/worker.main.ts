// One process of a fleet, started by fleet.ts. Told by FLEET what to do; tells by IPC what it saw.
import { of, type Subscription } from 'rxjs';
import { createFetch, createTokenStream, TokenEndpointError, withToken, type TokenResponse } from 'rx-fresh-token';
import { redisTokenStore, type RedisClient } from 'rx-fresh-token/redis';
import { connect } from '../clients.js';
import { lateness } from '../lateness.js';
import type { Report, WorkerConfig } from './fleet.js';

const config = JSON.parse(process.env.FLEET ?? '') as WorkerConfig;
const report: Report = {
  pid: process.pid,
  calls: 0,
  failures: [],
  expired: 0,
  slowest: 0,
  late: { total: 0, worst: 0 },
  seen: [],
  lags: [],
  unhandled: [],
  storeErrors: 0,
  failed: 0,
};
process.on('unhandledRejection', (reason) => report.unhandled.push(String(reason)));
process.on('uncaughtException', (error) => report.unhandled.push(String(error)));

const { client, close } = await connect(config.kind, config.url);
// Without `duplicate` there is no subscription: as if every push were lost.
const deaf = (): RedisClient => {
  const {
    evalSha,
    evalsha,
    eval: run,
  } = client as unknown as Record<string, ((...args: unknown[]) => Promise<unknown>) | undefined>;
  return (evalSha
    ? { evalSha: evalSha.bind(client), eval: run?.bind(client) }
    : { evalsha: evalsha?.bind(client), eval: run?.bind(client) }) as unknown as RedisClient;
};
const source = async ({ signal }: { signal: AbortSignal }): Promise<TokenResponse> => {
  const response = await fetch(config.tokenUrl, { headers: { 'x-pid': String(process.pid) }, signal });
  if (!response.ok) throw new TokenEndpointError(`answered ${String(response.status)}`, { status: response.status });
  return (await response.json()) as TokenResponse;
};
const token$ = createTokenStream(source, {
  ...config.stream,
  store: redisTokenStore({ client: config.deaf ? deaf() : client, key: config.key, ...config.store }),
});
token$.events.subscribe((event) => {
  if (event.type === 'refreshFailed') {
    report.failed++;
    if ((event.error as { code?: string }).code === 'ERR_TOKEN_STORE') report.storeErrors++;
  }
  if (event.type !== 'tokenChanged') return;
  const [, number, issued] = event.token.value.split('.').map(Number);
  report.seen.push(number ?? NaN);
  if (event.origin === 'shared') report.lags.push(Date.now() - (issued ?? NaN));
});
let late = lateness();
let watching: Subscription | undefined;
const ridden = createFetch(token$, { baseUrl: config.apiUrl });

let stopped = false;
/** Who still waits when all is over has not failed. */
const note = (failure: unknown) => {
  if (!stopped) report.failures.push(String(failure));
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const take = () =>
  new Promise<void>((resolve) => {
    const from = performance.now();
    withToken(token$, (token) => {
      report.slowest = Math.max(report.slowest, performance.now() - from);
      if (Date.now() >= Number(token.value.split('.')[3])) report.expired++;
      return of(token.value);
    }).subscribe({
      error: (error: unknown) => {
        note(error);
        resolve();
      },
      complete: resolve,
    });
  });
const request = async () => {
  const { status } = await ridden(config.apiUrl);
  if (status !== 200) note(status);
};

async function caller(): Promise<void> {
  await pause(Math.random() * config.every);
  while (!stopped) {
    const from = performance.now();
    await (config.calls ? request() : take()).catch(note);
    report.calls++;
    // With jitter, or all would step in time.
    await pause(Math.max(1, config.every * (0.5 + Math.random()) - (performance.now() - from)));
  }
}

process.on('message', (message) => {
  if (message === 'go') {
    watching = token$.subscribe();
    for (let i = 0; i < config.callers; i++) void caller();
  }
  if (message === 'report') process.send?.(report);
  if (message === 'reset') {
    report.slowest = 0;
    late.stop();
    late = lateness();
  }
  if (message !== 'stop') return;
  stopped = true;
  report.late = late.stop();
  watching?.unsubscribe();
  token$.close();
  close();
  process.send?.(report, () => process.exit());
});
process.send?.('ready');
