import cluster, { type Worker } from 'node:cluster';
import { setTimeout as pause } from 'node:timers/promises';
import { runExample } from '../demo/runExample.js';
import { startIssuer } from './issuer.js';
import { requireRedis, startRedis } from './redisServer.js';
import { settingsOf, type Seen, type WorkerSettings } from './settings.js';
import { lineOf, tableOf, type Totals } from './table.js';

/** Between two looks of the table in a terminal, two lines in a log, two kills. Milliseconds. */
const REDRAW = 250;
const REPORT = 2_000;
const KILL = 5_000;

export const runPrimary = (): Promise<void> => runExample(run);

/** Starts everything, shows what happens, and ends it. */
async function run(): Promise<void> {
  const settings = settingsOf(process.argv.slice(2));
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());

  if (settings.redis !== undefined) await requireRedis(settings.redis);
  const redis = settings.redis === undefined ? await startRedis() : undefined;
  const issuer = await startIssuer();
  const seen = { failed: 0, lags: [] as number[] };
  const told: WorkerSettings = {
    redis: settings.redis ?? redis?.url ?? '',
    issuer: issuer.url,
    callers: settings.callers,
  };
  let ready = 0;
  const fork = (): void => {
    const worker = cluster.fork({ FLEET_WORKER: JSON.stringify(told) });
    worker.on('message', (message: Seen | 'ready') => {
      if (message === 'ready') {
        ready += 1;
        // The first ones begin together: processes that start leave little of the machine to those that work.
        if (ready > settings.workers) worker.send('go');
        return;
      }
      seen.failed += message.failed;
      seen.lags.push(...message.lags);
    });
  };
  let stopping = false;
  cluster.on('exit', () => {
    if (!stopping) fork();
  });
  process.stderr.write(`starting ${settings.workers} processes …\n`);
  for (let n = 0; n < settings.workers; n += 1) fork();
  while (ready < settings.workers && !stop.signal.aborted) await pause(20);
  const alive = (): Worker[] =>
    Object.values(cluster.workers ?? {}).filter((worker): worker is Worker => worker?.isConnected() === true);
  for (const worker of alive()) worker.send('go');

  const started = performance.now();
  let killed = settings.kill ? 0 : undefined;
  const totals = (): Totals => ({
    seconds: (performance.now() - started) / 1_000,
    workers: alive().length,
    tokens: issuer.tokens,
    calls: issuer.calls,
    refused: issuer.refused,
    failed: seen.failed,
    lags: seen.lags,
    leader: issuer.leader,
    killed,
  });
  const killer = setInterval(() => {
    if (killed === undefined) return;
    const leader = alive().find(({ process: { pid } }) => pid === issuer.leader);
    if (!leader) return;
    killed += 1;
    leader.process.kill('SIGKILL');
  }, KILL);
  const show = process.stdout.isTTY ? redrawn() : (text: Totals) => void process.stdout.write(`${lineOf(text)}\n`);
  const every = process.stdout.isTTY ? REDRAW : REPORT;
  // None at the very end, where the table follows.
  let looks = Math.ceil((settings.seconds * 1_000) / every) - 1;
  const shower = setInterval(() => {
    if (looks-- > 0) show(totals());
  }, every);

  await pause(settings.seconds * 1_000, undefined, { signal: stop.signal }).catch(() => undefined);
  clearInterval(killer);
  clearInterval(shower);
  const last = totals();
  stopping = true;
  for (const worker of alive()) worker.process.kill('SIGKILL');
  if (process.stdout.isTTY) show(last);
  else process.stdout.write(`${tableOf(last)}\n`);
  issuer.close();
  redis?.stop();
  if (last.failed > 0) process.exitCode = 1;
}

/** The table where it stood before. */
function redrawn(): (totals: Totals) => void {
  let height = 0;
  return (totals) => {
    const table = tableOf(totals);
    if (height > 0) process.stdout.write(`\u001b[${height}A\u001b[0J`);
    process.stdout.write(`${table}\n`);
    height = table.split('\n').length;
  };
}
