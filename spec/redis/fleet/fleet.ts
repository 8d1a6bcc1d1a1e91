import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { TokenStreamOptions } from 'rx-fresh-token';
import type { RedisTokenStoreOptions } from 'rx-fresh-token/redis';
import type { Kind } from '../clients.js';
import type { Lateness } from '../lateness.js';

export { until } from '../../until.js';

export interface WorkerConfig {
  readonly kind: Kind;
  readonly url: string;
  readonly key: string;
  readonly tokenUrl: string;
  readonly apiUrl: string;
  readonly callers: number;
  /** Milliseconds between two calls of one caller, on average. */
  readonly every: number;
  /** Whether callers call the API, or only take a token. */
  readonly calls?: boolean;
  /** Whether every push is lost. */
  readonly deaf?: boolean;
  readonly stream?: TokenStreamOptions;
  readonly store?: Partial<RedisTokenStoreOptions>;
}

/** What one process saw. */
export interface Report {
  readonly pid: number;
  calls: number;
  readonly failures: string[];
  /** Tokens that had ended when they were handed out. */
  expired: number;
  /** The longest that a caller waited for a token since the start or the last reset, in ms. */
  slowest: number;
  /** How late its timers were since then. */
  late: Lateness;
  /** The numbers of the tokens, as they came. */
  readonly seen: number[];
  /** Milliseconds from the issue of a token until it was here, for those that others fetched. */
  readonly lags: number[];
  readonly unhandled: string[];
  storeErrors: number;
  failed: number;
}

export interface Worker {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly report: () => Promise<Report>;
  readonly reset: () => void;
  readonly stop: () => Promise<Report>;
  readonly kill: (signal: NodeJS.Signals) => void;
}

async function startWorker(file: string, config: WorkerConfig): Promise<Worker> {
  const child = fork(file, { execArgv: [], env: { ...process.env, NODE_OPTIONS: '', FLEET: JSON.stringify(config) } });
  const answer = async (say: string): Promise<Report> => {
    child.send(say);
    const [report] = (await once(child, 'message')) as [Report];
    return report;
  };
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('a worker ended at its start'))),
  ]);
  return {
    pid: child.pid ?? NaN,
    child,
    report: () => answer('report'),
    reset: () => child.send('reset'),
    stop: () => answer('stop'),
    kill: (signal) => child.kill(signal),
  };
}

export interface Fleet {
  readonly workers: readonly Worker[];
  /** What those that live have seen so far. */
  readonly reports: () => Promise<Report[]>;
  /** Ends those that still live; tells what they saw. */
  readonly stop: () => Promise<Report[]>;
}

export async function startFleet(file: string, size: number, config: WorkerConfig): Promise<Fleet> {
  const workers = await Promise.all(Array.from({ length: size }, () => startWorker(file, config)));
  // Together, once all are there: eight that start leave the machine no time for those that work.
  for (const { child } of workers) child.send('go');
  const alive = () => workers.filter(({ child }) => child.exitCode === null && child.signalCode === null);
  return {
    workers,
    reports: () => Promise.all(alive().map((worker) => worker.report())),
    stop: () => Promise.all(alive().map((worker) => worker.stop())),
  };
}

export const sum = (reports: readonly Report[], of: (report: Report) => number): number =>
  reports.reduce((total, report) => total + of(report), 0);

/** The share `p` of these is at most this. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? NaN;
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
