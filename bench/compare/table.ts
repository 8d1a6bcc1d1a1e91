import type { Outcome } from './measure.js';

export interface Row extends Outcome {
  readonly scenario: string;
  readonly package: string;
}

const HEAD = ['scenario', 'package', 'refused', 'errors', 'tokens', 'longest wait'];

/** A Markdown table. A scenario is named in its first row. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row, index) => [
    row.scenario === rows[index - 1]?.scenario ? '' : row.scenario,
    row.package,
    String(row.refused),
    String(row.errors),
    String(row.tokens),
    `${Math.round(row.longestWait)} ms`,
  ]);
  const widths = HEAD.map((title, column) => Math.max(...[HEAD, ...lines].map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(HEAD), rule, ...lines.map(line)].join('\n');
}
