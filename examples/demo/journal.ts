import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { DoneLines } from './doneLines.js';
import { splitLines } from './lines.js';
import { openOutput, requireRegularFile } from './outputFile.js';
import { UsageError } from './usageError.js';

/** Which lines of an input are finished, so that `--resume` can go on behind them. */
export interface Journal {
  /** Stands for the input in the idempotency keys: the same for each run that resumes. */
  readonly salt: string;
  has(line: number): boolean;
  /**
   * Finished: delivered, rejected or blank. On return it is with the operating system, so a killed process loses
   * nothing.
   */
  add(line: number): void;
  close(): void;
}

interface Header {
  readonly journal: 'rx-fresh-token demo';
  /** This many bytes at the beginning of the input have this digest. More lines may be appended to the input later. */
  readonly head: number;
  readonly sha256: string;
}

const HEAD = 64 * 1024;
/** Additions before the file is written anew in short, so that it stays small however long the input is. */
const ADDITIONS = 100_000;

export const journalPath = (input: string): string => `${input}.progress`;

/** Starts a journal for an input file, or with `resume` goes on with the one beside it. */
export async function openJournal(input: string, resume: boolean): Promise<Journal> {
  const path = journalPath(input);
  requireRegularFile(path);
  const done = new DoneLines();
  const earlier = resume ? await load(path, done) : undefined;
  const header = earlier ?? fingerprint(input, HEAD);
  if (fingerprint(input, header.head).sha256 !== header.sha256) {
    throw new UsageError(
      `${input} has changed since the run that ${path} tells of: run without --resume to start over`,
    );
  }

  const rewrite = (): number => {
    const lines = [JSON.stringify(header), `<=${done.upTo}`, ...done.above];
    // Renamed into place, so that at any moment there is one whole journal.
    const written = openOutput(`${path}.new`, 'overwrite');
    try {
      writeFileSync(written, `${lines.join('\n')}\n`);
    } finally {
      closeSync(written);
    }
    renameSync(`${path}.new`, path);
    return openOutput(path, 'append');
  };

  let file = rewrite();
  let additions = 0;
  return {
    salt: header.sha256,
    has: (line) => done.has(line),
    add: (line) => {
      done.add(line);
      writeSync(file, `${line}\n`);
      additions += 1;
      if (additions < ADDITIONS) return;
      closeSync(file);
      file = rewrite();
      additions = 0;
    },
    close: () => closeSync(file),
  };
}

/** For an input that cannot be read twice: nothing to resume, so nothing is kept. */
export const noJournal = (salt: string): Journal => ({
  salt,
  has: () => false,
  add: () => undefined,
  close: () => undefined,
});

async function load(path: string, done: DoneLines): Promise<Header | undefined> {
  let header: Header | undefined;
  try {
    for await (const { data, bytes } of splitLines(createReadStream(path), HEAD)) {
      // A last line without its line break was cut short by a crash: 12 could be the beginning of 123.
      if (bytes === data.length) break;
      const line = data.toString();
      if (header === undefined) header = parseHeader(line, path);
      else if (line.startsWith('<=')) done.addUpTo(Number(line.slice(2)));
      else done.add(Number(line));
    }
  } catch (error) {
    // No earlier run: then resuming is starting, and a job that always says --resume can be restarted blindly.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return header;
}

function parseHeader(line: string, path: string): Header {
  try {
    const header = JSON.parse(line) as Partial<Header>;
    if (
      header.journal === 'rx-fresh-token demo' &&
      typeof header.head === 'number' &&
      typeof header.sha256 === 'string'
    )
      return header as Header;
  } catch {
    // Reported below, like any other file that is not a journal.
  }
  throw new UsageError(`${path} is not a progress journal: remove it, or run without --resume to start over`);
}

function fingerprint(input: string, length: number): Header {
  const file = openSync(input, 'r');
  try {
    const head = Buffer.alloc(length);
    const read = readSync(file, head, 0, length, 0);
    return {
      journal: 'rx-fresh-token demo',
      head: read,
      sha256: createHash('sha256').update(head.subarray(0, read)).digest('hex'),
    };
  } finally {
    closeSync(file);
  }
}
