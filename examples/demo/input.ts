import { accessSync, constants, createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { UsageError } from './usageError.js';

export interface Input {
  readonly name: string;
  /** Null when it cannot be read twice: then there is nothing to resume. */
  readonly path: string | null;
  /** In bytes, or null when nobody knows. */
  readonly size: number | null;
  readonly rejectedPath: string;
  open(): Readable;
}

/** `-` is standard input. */
export function findInput(path: string): Input {
  if (path === '-') {
    return {
      name: 'standard input',
      path: null,
      size: null,
      rejectedPath: 'stdin.rejected',
      open: () => process.stdin,
    };
  }
  let stats;
  try {
    stats = statSync(path);
    accessSync(path, constants.R_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `${path}: ${code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'may not be read' : `cannot be read (${code})`}`,
    );
  }
  if (stats.isDirectory()) throw new UsageError(`${path}: is a directory, not a file of records`);
  const open = (): Readable => createReadStream(path);
  // A pipe or a device may live where nothing can be written beside it.
  if (!stats.isFile()) return { name: path, path: null, size: null, rejectedPath: `${basename(path)}.rejected`, open };
  return { name: path, path, size: stats.size, rejectedPath: `${path}.rejected`, open };
}
