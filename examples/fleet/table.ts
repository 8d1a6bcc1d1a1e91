import Table from 'cli-table3';
import { LEAD, LIFETIME } from './settings.js';

/** What the whole fleet has done so far. */
export interface Totals {
  readonly seconds: number;
  readonly workers: number;
  readonly tokens: number;
  readonly calls: number;
  readonly refused: number;
  readonly failed: number;
  readonly lags: readonly number[];
  readonly leader: number | undefined;
  readonly killed: number | undefined;
}

/** Seconds from one token to the next. */
const PERIOD = LIFETIME - LEAD / 1_000;

/**
 * One token at the start, and one whenever the last has become due. The one that falls due at the very end is not
 * awaited.
 */
const idealTokens = (seconds: number): number => Math.max(1, Math.ceil(Math.round(seconds) / PERIOD));

export function percentile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return value === undefined ? '-' : `${value} ms`;
}

const count = (value: number): string => value.toLocaleString('en-US');
const share = (part: number, whole: number): string =>
  whole === 0 ? '0' : `${count(part)} (${((100 * part) / whole).toFixed(2)} %)`;

function rowsOf({
  seconds,
  workers,
  tokens,
  calls,
  refused,
  failed,
  lags,
  leader,
  killed,
}: Totals): [string, string][] {
  return [
    ['seconds', seconds.toFixed(0)],
    ['processes', count(workers)],
    ['tokens fetched', `${count(tokens)}, ideal ${count(idealTokens(seconds))}: one every ${PERIOD} s`],
    ['API calls', count(calls)],
    ['answered 403, then repeated', share(refused, calls)],
    ['calls that failed', count(failed)],
    ['push lag p50', percentile(lags, 0.5)],
    ['push lag p99', percentile(lags, 0.99)],
    ['leader', leader === undefined ? '-' : `process ${leader}`],
    ...(killed === undefined ? [] : [['leaders killed', count(killed)] as [string, string]]),
  ];
}

export function tableOf(totals: Totals): string {
  const table = new Table({ style: { head: [], border: [] } });
  table.push(...rowsOf(totals));
  return table.toString();
}

/** For a log, where nothing can be redrawn. */
export const lineOf = ({ seconds, tokens, calls, refused, failed, lags }: Totals): string =>
  [
    `${seconds.toFixed(0).padStart(5)} s`,
    `tokens ${count(tokens)}, ideal ${count(idealTokens(seconds))}`,
    `403: ${share(refused, calls)}`,
    `failed: ${count(failed)}`,
    `push lag p99: ${percentile(lags, 0.99)}`,
  ].join('; ');
