import { createHash } from 'node:crypto';
import type { Journal } from './journal.js';
import type { RawLine } from './lines.js';

/** One record to be delivered. */
export interface OutgoingRecord {
  readonly line: number;
  readonly bytes: number;
  /** The line as it stands: parsed and printed again, a number beyond 2^53 would not survive. */
  readonly text: string;
  /** The same for every repeat of this record, in this run and in one that resumes it. */
  readonly key: string;
}

/** Told of the lines that are not delivered. */
export interface LineWatcher {
  /** Blank, or finished in an earlier run. */
  skipped(line: RawLine): void;
  bad(line: RawLine, reason: string): void;
}

/** Longest line that is taken for a record. */
export const LINE_BOUND = 1024 * 1024;

/** The records among the lines, one for each time the next is asked for. */
export async function* recordsOf(
  lines: AsyncIterable<RawLine>,
  journal: Journal,
  watcher: LineWatcher,
): AsyncGenerator<OutgoingRecord, void, undefined> {
  for await (const line of lines) {
    const { number, bytes } = line;
    if (journal.has(number)) {
      watcher.skipped(line);
      continue;
    }
    const parsed = parseLine(line);
    if ('text' in parsed) {
      yield { line: number, bytes, text: parsed.text, key: idempotencyKey(journal.salt, number, parsed.text) };
      continue;
    }
    if ('reason' in parsed) watcher.bad(line, parsed.reason);
    else watcher.skipped(line);
    // After the watcher has written a bad line down: a crash in between reports it twice rather than never.
    journal.add(number);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reasons never quote the line: it may hold what should not stand in a terminal. */
export function parseLine({ data, cut }: RawLine): { text: string } | { reason: string } | { blank: true } {
  if (cut) return { reason: `longer than ${LINE_BOUND} bytes` };
  let text: string;
  try {
    text = utf8.decode(data).trim();
  } catch {
    return { reason: 'not UTF-8' };
  }
  if (text === '') return { blank: true };
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { text }
      : { reason: 'not a JSON object' };
  } catch {
    return { reason: 'not JSON' };
  }
}

/**
 * The line number is in the key, because two equal lines are two orders; the salt stands for the input as a whole,
 * because the same line at the same place of another file is another order too.
 */
export const idempotencyKey = (salt: string, line: number, text: string): string =>
  createHash('sha256').update(`${salt}\n${line}\n`).update(text).digest('hex').slice(0, 32);
