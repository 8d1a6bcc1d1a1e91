import { Command } from 'commander';
import { numberFrom } from '../demo/runExample.js';

export interface Settings {
  readonly seconds: number;
  readonly kill: boolean;
  /** The user's own Redis; without, one is started. */
  readonly redis: string | undefined;
  readonly workers: number;
  readonly callers: number;
}

/**
 * A token lives so long, in seconds, and is renewed so much before its end, in ms: short, so that there is something to
 * see.
 */
export const LIFETIME = 6;
export const LEAD = 2_000;
/**
 * A leader that was killed holds up the others this long at most: shorter than the lead, so that no caller notices.
 * Milliseconds.
 */
export const LEASE = 1_000;
/** Between two calls of one caller, on average. Milliseconds. */
export const EVERY = 2_000;

/** What a worker is told, in its environment. */
export interface WorkerSettings {
  readonly redis: string;
  readonly issuer: string;
  readonly callers: number;
}

/** What a worker saw since it told last. */
export interface Seen {
  readonly calls: number;
  readonly failed: number;
  /** Milliseconds from the issue of a token until it was here, for those that others fetched. */
  readonly lags: readonly number[];
}

const SUMMARY = `Starts processes that call an API with one shared token. The issuer revokes the old
token whenever it issues a new one. The processes share it through Redis: one of
them fetches, all have it.`;

export function settingsOf(args: readonly string[]): Settings {
  const flags = new Command('npm run fleet --')
    .description(SUMMARY)
    .option('--seconds <N>', 'how long', numberFrom(1, 86_400, true), 20)
    .option('--kill', 'kill the leader every few seconds')
    .option('--redis <URL>', 'a Redis of yours (default: a redis-server of its own, without a disk)')
    .option('--workers <N>', 'processes', numberFrom(2, 64, true), 8)
    .option('--callers <N>', 'callers in each of them', numberFrom(1, 2_000, true), 200)
    .allowExcessArguments(false)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<{ seconds: number; kill?: true; redis?: string; workers: number; callers: number }>();
  return { ...flags, kill: flags.kill ?? false, redis: flags.redis };
}
