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
  /** Milliseconds for which this process did not run. */
  readonly stalled: number;
  /** How many refused requests were on their way meanwhile: their tokens expired there. */
  readonly expiredInTransit: number;
  /**
   * Lines that were written down as rejected: those that are no record, and the errors. Null: another client wrote them
   * down.
   */
  readonly rejected: number | null;
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
  ['rejected lines', ({ rejected }) => (rejected === null ? '' : count(rejected))],
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
  for (const [label, cell] of ROWS) {
    const cells = columns.map(cell);
    if (cells.some((text) => text !== '')) table.push([label, ...cells]);
  }
  return `\n${table.toString().replace(/^/gm, '  ')}\n`;
}

/** A machine that others use too is late now and then. Milliseconds. */
const NOTICEABLE = 1_000;

/** What the machine did to the run, by the delay of the event loop. */
const stalledLine = ({ stalled, expiredInTransit }: Figures): string => {
  const when = `This process did not run for ${(stalled / 1_000).toFixed(1)} s: it was stopped, or the machine was busy`;
  return expiredInTransit === 0
    ? `${when}.`
    : `${when}.\n  ${count(expiredInTransit)} expired ${expiredInTransit === 1 ? 'token was' : 'tokens were'} on the way then, and valid when sent.`;
};

/** The last line of a run, and its exit status. */
export function verdict(figures: Figures, rejected: RejectedFile, stopped: boolean): { line: string; status: number } {
  const { records, delivered, duplicates, expired, errors, expiredInTransit, stalled } = figures;
  const sentExpired = Math.max(0, (expired ?? 0) - expiredInTransit);
  const flaws = [
    [records - delivered - errors, 'record did not arrive', 'records did not arrive'],
    [duplicates ?? 0, 'arrived twice', 'arrived twice'],
    [errors, 'error reached the caller', 'errors reached the caller'],
    [sentExpired, 'expired token was sent', 'expired tokens were sent'],
  ] as const;
  const found: string[] = flaws
    .filter(([number]) => number !== 0)
    .map(([number, one, many]) => `${count(number)} ${number === 1 ? one : many}`);
  if (rejected.any) found.push(`rejected lines are in ${rejected.path}`);
  const line =
    found.length > 0
      ? `✘ ${found.join('; ')}.`
      : stopped
        ? `Stopped: every record that was taken arrived.`
        : expired === null
          ? '✔ Every record was accepted.'
          : '✔ Every record arrived exactly once, and no expired token was sent.';
  return {
    line: stalled < NOTICEABLE && expiredInTransit === 0 ? line : `${line}\n  ${stalledLine(figures)}`,
    status: found.length > 0 ? 1 : 0,
  };
}
