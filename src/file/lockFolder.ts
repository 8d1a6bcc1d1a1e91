/** The directory that is a lock: its name, how it comes to be, and what is left of it. */
import { createHash } from 'node:crypto';
import { promises } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../internal/platform/files.js';
import { isGone, ownerOf } from './owner.js';

/** Of a file or directory, in bytes. */
const LONGEST_NAME = 255;

/** `.pid.start.place.uuid` at its longest, in bytes: 1 + 10 + 1 + 20 + 1 + 16 + 1 + 36. */
const OWNER_LENGTH = 86;

/** What rename says when the directory is there and not empty. Windows says other things. */
const HELD = ['ENOTEMPTY', 'EEXIST', ...(process.platform === 'win32' ? ['EPERM', 'EACCES', 'EBUSY'] : [])];

/** A path beside this one, to which `added` bytes may be added. A name that is too long is replaced by its hash. */
function withRoomFor(added: number, path: string): string {
  const name = basename(path);
  const fits = Buffer.byteLength(name) + added <= LONGEST_NAME;
  return fits ? path : join(dirname(path), createHash('sha256').update(name).digest('hex'));
}

/** Beside the file. */
export const lockFolderOf = (target: string): string => `${withRoomFor('.lock'.length, target)}.lock`;

/** Makes a directory with a file of `size` bytes in it, and renames it to the lock. */
export async function renameToLock(folder: string, name: string, size: number): Promise<boolean> {
  const staging = `${withRoomFor(OWNER_LENGTH, folder)}.${name}`;
  const { chmod, mkdir, rename, rmdir } = promises;
  await mkdir(staging, 0o700);
  try {
    await chmod(staging, 0o700); // whatever the umask: some services run with one that would lock themselves out
    await promises.writeFile(join(staging, name), ' '.repeat(size), { flag: 'wx', mode: 0o600 });
    await chmod(join(staging, name), 0o600);
    await rename(staging, folder);
    return true;
  } catch (failure) {
    await remove(join(staging, name)).catch(() => undefined);
    await rmdir(staging).catch(() => undefined);
    if (HELD.includes(codeOf(failure))) return false;
    throw failure;
  }
}

/** What processes left behind that were killed between making a directory and renaming it. */
export async function removeLeftovers(folder: string): Promise<void> {
  const [parent, prefix] = [dirname(folder), `${basename(withRoomFor(OWNER_LENGTH, folder))}.`];
  for (const entry of await promises.readdir(parent)) {
    const owner = entry.startsWith(prefix) ? ownerOf(entry.slice(prefix.length)) : null;
    if (owner && isGone(owner)) await promises.rm(join(parent, entry), { recursive: true, force: true });
  }
}

export async function remove(file: string): Promise<void> {
  await promises.unlink(file).catch(nullIfAbsent);
}

/** One who has come meanwhile keeps it. */
export async function removeEmpty(folder: string): Promise<void> {
  await promises.rmdir(folder).catch(() => undefined);
}

export function nullIfAbsent(failure: unknown): null {
  if (codeOf(failure) === 'ENOENT') return null;
  throw failure;
}
