import Table from 'cli-table3';
import type { RejectedFile } from './rejected.js';
import { count } from './screen.js';

/** What a client achieved, and what it cost. */
export interface Figures {
  readonly title: string;
  /** Records that it was to deliver. */
  readonly records: number;
  readonly delivered: number;
  /** Sendings, repeats included. */
  readonly sent: number;
  /** Null when only the API knows. */
  readonly duplicates: number | null;
  /** 401 and 403 answers. */
  readonly refused: number;
  /** How many of those the API gave because the token had expired; null when only the API knows. */
  readonly expired: number | null;
  readonly errors: number;
  readonly waited: number;
  /** Milliseconds. */
  readonly longestWait: number;
  readonly tokens: number;
}

const ROWS: readonly (readonly [string, (figures: Figures) => string])[] = [
  ['records delivered', ({ delivered, records }) => `${count(delivered)} of ${count(records)}`],
  ['duplicates', ({ duplicates }) => (duplicates === null ? 'only the API knows' : count(duplicates))],
  ['requests on the wire', ({ sent }) => count(sent)],
  [
    '403s on the wire',
    ({ refused, expired }) =>
      expired === null || expired === 0 ? count(refused) : `${count(refused)} (${count(expired)} expired)`,
  ],
  ['errors the caller saw', ({ errors }) => count(errors)],
  ['requests that waited over 50 ms', ({ waited }) => count(waited)],
  ['longest wait', ({ longestWait }) => `${count(Math.round(longestWait))} ms`],
  ['tokens fetched', ({ tokens }) => count(tokens)],
];

/** The closing table: one column for each client. */
export function closingTable(columns: readonly Figures[]): string {
  const table = new Table({
    head: ['', ...columns.map(({ title }) => title)],
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    style: {
      head: [],
      border: process.stdout.isTTY && process.env.NO_COLOR === undefined ? ['gray'] : [],
      compact: true,
    },
  });
  for (const [label, cell] of ROWS) table.push([label, ...columns.map(cell)]);
  return `\n${table.toString().replace(/^/gm, '  ')}\n`;
}

/** The last line of a run, and its exit status. */
export function verdict(figures: Figures, rejected: RejectedFile, stopped: boolean): { line: string; status: number } {
  const { records, delivered, duplicates, expired, errors } = figures;
  const flaws = [
    [records - delivered - errors, 'records did not arrive'],
    [duplicates ?? 0, 'arrived twice'],
    [errors, 'errors reached the caller'],
    [expired ?? 0, 'expired tokens were sent'],
    [rejected.any ? 1 : 0, `rejected lines are in ${rejected.path}`],
  ] as const;
  const found = flaws
    .filter(([number]) => number !== 0)
    .map(([number, what]) => (what.startsWith('rejected') ? what : `${count(number)} ${what}`));
  const line =
    found.length > 0
      ? `✘ ${found.join('; ')}.`
      : stopped
        ? `Stopped: every record that was taken arrived.`
        : expired === null
          ? '✔ Every record was accepted.'
          : '✔ Every record arrived exactly once, and no expired token was sent.';
  return { line, status: found.length > 0 ? 1 : 0 };
}
