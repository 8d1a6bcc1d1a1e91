import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Client, ClientSettings } from './client.js';
import { runColumn, type Tally } from './column.js';
import { explain } from './explain.js';
import { freshClient } from './freshClient.js';
import { findInput, type Input } from './input.js';
import { journalPath, noJournal, openJournal, type Journal } from './journal.js';
import { RejectedFile } from './rejected.js';
import { closingTable, verdict, type Figures } from './report.js';
import type { Screen } from './screen.js';
import { orUsageError, UsageError } from './usageError.js';

export interface OwnSettings {
  readonly mode: 'own';
  readonly input: string;
  readonly concurrency: number;
  readonly rate: number | undefined;
  readonly resume: boolean;
  readonly client: ClientSettings;
  /** Seconds that a token lives, whatever the token endpoint says. */
  readonly lifetime: number | undefined;
}

/** Delivers the user's records to the user's API. Resolves to the exit status. */
export async function runOnOwnServers(settings: OwnSettings, screen: Screen, stop: AbortSignal): Promise<number> {
  const { resume } = settings;
  const input = findInput(settings.input);
  if (resume && input.path === null)
    throw new UsageError(`--resume needs a file: ${input.name} cannot be read a second time`);
  const client = openClient(settings, screen);
  const tally: Tally = { delivered: 0, failed: 0, bad: 0 };
  try {
    await client.start(stop);
    const journal = await openJournalOf(input, resume, screen);
    const rejected = new RejectedFile(input.rejectedPath, input.path !== null && !resume);
    let ended = false;
    try {
      await runColumn({ ...settings, client, input, journal, rejected, screen, stop }, tally);
      ended = !stop.aborted;
    } finally {
      screen.settle();
      screen.print(closingTable([figuresOf(client, tally)]));
      // Stopped or broken off.
      if (input.path !== null && !ended) screen.print('  With --resume the next run goes on from here.\n');
    }
    const { line, status } = verdict(figuresOf(client, tally), rejected, stop.aborted);
    screen.print(`  ${line}\n`);
    return status;
  } finally {
    screen.settle();
    client.close();
  }
}

const openClient = ({ client, lifetime }: OwnSettings, screen: Screen): Client =>
  orUsageError(() =>
    freshClient(client, lifetime === undefined ? {} : { lifetime: () => lifetime * 1_000 }, (line) => screen.say(line)),
  );

export async function openJournalOf({ path }: Input, resume: boolean, screen: Screen): Promise<Journal> {
  // Random, because the same line piped in tomorrow is another order.
  if (path === null) return noJournal(randomUUID());
  if (!resume && existsSync(journalPath(path)))
    screen.say('starting over; with --resume it would go on from the earlier run');
  try {
    return await openJournal(path, resume);
  } catch (error) {
    throw error instanceof UsageError
      ? error
      : new UsageError(`progress cannot be kept beside the input: ${explain(error)}`);
  }
}

/** By the client's own count: the API of the user tells none. */
const figuresOf = (client: Client, { delivered, failed, bad }: Tally): Figures => ({
  title: client.title,
  records: delivered + failed,
  delivered,
  sent: client.wire.sent,
  duplicates: null,
  refused: client.wire.refused,
  expired: null,
  errors: failed,
  rejected: failed + bad,
  stalled: 0,
  expiredInTransit: 0,
  waited: client.wire.waited,
  longestWait: client.wire.longestWait,
  tokens: client.tokensFetched,
});
