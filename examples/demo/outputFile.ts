import { constants, lstatSync, openSync } from 'node:fs';
import { UsageError } from './usageError.js';

/** Windows has no such flag. */
const NO_FOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;
const FLAGS = {
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
  overwrite: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
};

/** @throws UsageError if the path is a symbolic link, a folder or a pipe */
export function requireRegularFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found || found.isFile()) return;
  const kind = found.isSymbolicLink() ? 'a symbolic link' : 'not a file';
  throw new UsageError(`${path} is ${kind}, and this run would write there: remove it, or move the input elsewhere`);
}

/** Opens a file beside the input to write it, and never what a symbolic link points to. */
export function openOutput(path: string, mode: keyof typeof FLAGS): number {
  requireRegularFile(path);
  return openSync(path, FLAGS[mode] | NO_FOLLOW, 0o666);
}
