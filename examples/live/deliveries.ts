import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { runColumn, type Column, type Tally } from '../demo/column.js';
import { explain } from '../demo/explain.js';
import { noJournal } from '../demo/journal.js';
import { openJournalOf, type OwnSettings } from '../demo/ownServers.js';
import { RejectedFile } from '../demo/rejected.js';

/** A column that has not been told where to write down what it did. */
export type UnwrittenColumn = Omit<Column, 'journal' | 'rejected'>;

const REST = 1_000;

/** Again and again, until it is stopped: for the servers of the demo, which do not mind. */
export async function deliverForEver(column: UnwrittenColumn): Promise<void> {
  const { client, screen, stop } = column;
  const stopped = (): boolean => stop.aborted;
  while (!stopped()) {
    try {
      await deliverUnwritten(column);
    } catch (error) {
      if (!stopped()) screen.warn(`${client.title}: ${explain(error)}`);
    }
    await pause(REST, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Once, and nothing is written down. */
export const deliverUnwritten = (column: UnwrittenColumn): Promise<void> =>
  runColumn({ ...column, journal: noJournal(randomUUID()), rejected: null }, emptyTally());

/** Each record once, as `npm start` does: progress is kept beside the input, and so is what was rejected. */
export async function deliverOnce(column: UnwrittenColumn, { resume }: OwnSettings): Promise<void> {
  const { input, screen, stop } = column;
  const journal = await openJournalOf(input, resume, screen);
  const rejected = new RejectedFile(input.rejectedPath, input.path !== null && !resume);
  const tally = emptyTally();
  await runColumn({ ...column, journal, rejected }, tally);
  const unsent = tally.failed + tally.bad;
  if (stop.aborted) screen.print('  Stopped. With --resume the rest is sent.\n');
  else if (unsent > 0) screen.print(`  ${String(unsent)} lines were not sent: see ${input.rejectedPath}.\n`);
  else screen.print('  Every record of the input was sent.\n');
}

const emptyTally = (): Tally => ({ delivered: 0, failed: 0, bad: 0 });
