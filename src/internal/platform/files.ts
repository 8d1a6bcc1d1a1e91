/** File access for files with secrets: checks owner and mode, follows symbolic links, and syncs to disk. */
import type * as Fs from 'node:fs';
import { builtinModule } from './builtinModule.js';
import { isText, kindOf } from '../values/kindOf.js';

function nodeFs(): typeof Fs {
  const found = builtinModule<typeof Fs>('node:fs');
  if (!found) throw new Error('reading and writing files needs Node 20.16 or later');
  return found;
}

export const files = (): typeof Fs.promises => nodeFs().promises;

export function checkPath(path: unknown): asserts path is string {
  if (!isText(path)) throw new TypeError(`"path" must be a string that is not empty, got ${kindOf(path)}`);
}

/** The code of a file system error, such as `ENOENT`; '' for any other error. */
export const codeOf = (failure: unknown): string => (failure as NodeJS.ErrnoException | null | undefined)?.code ?? '';

/** The file itself, where the path is a symbolic link; the path, where there is nothing yet. */
export function targetOf(path: string): string {
  const { lstatSync, realpathSync } = nodeFs();
  try {
    return realpathSync(path);
  } catch (failure) {
    if (codeOf(failure) !== 'ENOENT') throw failure;
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new Error(`${path} is a symbolic link that leads nowhere: create the file that it names, or remove it`, {
        cause: failure,
      });
    return path;
  }
}

/**
 * Opens a file that must be safe for a token.
 *
 * @throws Error also when {@link refuseUnsafe} does
 */
export async function openSafe(path: string, access: 'O_RDONLY' | 'O_RDWR'): Promise<Fs.promises.FileHandle> {
  const { constants, promises } = nodeFs();
  // To open a FIFO would wait for one who writes to it. (Windows has no such flag.)
  const file = await promises.open(path, constants[access] | constants.O_NONBLOCK);
  try {
    refuseUnsafe(path, await file.stat());
    return file;
  } catch (failure) {
    await file.close();
    throw failure;
  }
}

/**
 * @throws Error when it is no regular file, or when others than the owner of this process can read or write it. Windows
 *   has no such modes.
 */
export function refuseUnsafe(path: string, stats: Fs.Stats): void {
  if (!stats.isFile()) throw new Error(`${path} is ${stats.isDirectory() ? 'a directory' : 'no regular file'}`);
  const { mode, uid } = stats;
  // By name alone, Parcel would ask for a package that stands for it in browsers.
  const { process } = globalThis;
  if (process.platform === 'win32') return;
  // Root could read it all the same; so can the one who put it there.
  if (process.geteuid !== undefined && uid !== process.geteuid())
    throw new Error(`${path} belongs to another user (uid ${String(uid)}): its token is no secret from them`);
  if ((mode & 0o077) === 0) return;
  throw new Error(
    `${path} can be read or written by others (mode ${(mode & 0o777).toString(8)}): its token is no secret. Replace the token, then chmod 600`,
  );
}

/** A new name must reach the disk too. Where directories cannot be synced (Windows), renaming has to do. */
export async function syncDirectory(target: string): Promise<void> {
  const directory = await files()
    .open(target.replace(/[^/\\]*$/, '') || '.', 'r')
    .catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}
