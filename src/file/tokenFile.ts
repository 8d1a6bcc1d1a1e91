/** Opens and reads the file of the token, and refuses one that is not safe or not ours. */
import { lstatSync, promises, readFileSync, accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { TokenStoreError } from '../errors.js';
import { codeOf, openSafe, refuseUnsafe, syncDirectory, targetOf } from '../internal/platform/files.js';
import { messageOf } from '../answers/messageOf.js';
import { nullIfAbsent } from './lockFolder.js';
import { hasReplaced, MAX_BYTES, parseRecord, type TokenRecord } from './record.js';

/** The file that the path leads to. @throws TokenStoreError when it cannot be used, or holds something else */
export function openTokenFile(path: string): string {
  try {
    const target = targetOf(resolve(path));
    accessSync(dirname(target), constants.W_OK | constants.X_OK);
    const stats = lstatSync(target, { throwIfNoEntry: false });
    if (stats) {
      refuseUnsafe(target, stats);
      if (stats.size > MAX_BYTES) throw foreign(path);
      if (recordIn(readFileSync(target, 'utf8'), stats.size) === undefined) throw foreign(path);
      refuseMount(path, target);
    }
    return target;
  } catch (failure) {
    throw storeError(path, failure);
  }
}

/** Null when there is nothing yet. @throws TokenStoreError when it cannot be read, or holds something else */
export async function readTokenFile(target: string): Promise<TokenRecord | null> {
  const record = await readRecord(target, openSafe(target, 'O_RDONLY'));
  if (record === undefined) throw foreign(target);
  return record;
}

/** For all processes as if it were deleted, but a symbolic link to it leads somewhere. Works on a full disk. */
export async function emptyTokenFile(target: string): Promise<void> {
  const file = await openSafe(target, 'O_RDWR').catch(nullIfAbsent);
  try {
    await file?.truncate();
    await file?.sync();
  } finally {
    await file?.close();
  }
}

/** Undefined when it holds something else. @throws TokenStoreError when it cannot be read */
async function readRecord(path: string, opened: Promise<promises.FileHandle>): Promise<TokenRecord | null | undefined> {
  try {
    const file = await opened;
    try {
      const { size } = await file.stat();
      return size > MAX_BYTES ? undefined : recordIn(await file.readFile('utf8'), size);
    } finally {
      await file.close();
    }
  } catch (failure) {
    if (codeOf(failure) === 'ENOENT') return null;
    throw storeError(path, failure);
  }
}

/**
 * Puts a token in its place whose process was killed before it could: nobody else has its refresh token. Not if it is
 * incomplete, or if the file does not hold what the token replaces.
 *
 * @param file that of the holder of the lock
 * @throws Error when that cannot be done, or be found out, now, or others can read the token: the file must stay
 */
export async function takeUpToken(file: string, target: string): Promise<void> {
  const left = await readRecord(file, promises.open(file));
  if (left?.replaces === undefined) return;
  const present = await readTokenFile(target);
  if (!hasReplaced(left, present) || (present && present.session !== left.session)) return;
  try {
    const handle = await openSafe(file, 'O_RDWR');
    await handle.sync().finally(() => handle.close());
    await promises.rename(file, target);
  } catch (failure) {
    // Another process has taken it up at the same time, or has taken the lock.
    if (codeOf(failure) === 'ENOENT') return;
    throw failure;
  }
  await syncDirectory(target);
}

/** Errors of the file system name the path and what was tried, and nothing of the content. */
export const storeError = (path: string, failure: unknown): TokenStoreError =>
  failure instanceof TokenStoreError ? failure : new TokenStoreError(messageFor(path, failure), { cause: failure });

function messageFor(path: string, failure: unknown): string {
  const code = codeOf(failure);
  if (code === 'ENOENT') return `the directory of ${path} does not exist`;
  if (['EACCES', 'EPERM', 'EROFS'].includes(code))
    return `${path} and its directory must be readable and writable: ${code}`;
  return code === '' ? messageOf(failure) : `${path} cannot be used as a token file: ${code}`;
}

/** Null for nothing, undefined for something else. @param size of the file before it was read */
function recordIn(text: string, size: number): TokenRecord | null | undefined {
  if (text.trim() === '') return null;
  const record = parseRecord(text);
  // It was emptied while it was read.
  if (!record && Buffer.byteLength(text) < size) return null;
  return record;
}

const foreign = (path: string) =>
  new TokenStoreError(
    `${path} holds something that this version of fileTokenStore has not written. It was left as it is`,
  );

/** The kernel refuses to rename a file to a mount point. Better to know that before a refresh token is used up. */
function refuseMount(path: string, target: string): void {
  if (mountPoints().includes(target))
    throw new TokenStoreError(
      `${path} is mounted by itself, so it cannot be replaced: mount the directory ${dirname(target)}, not the file`,
    );
}

/** None where the system does not say it. */
function mountPoints(): (string | undefined)[] {
  try {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const unescaped = (_text: string, code: string) => String.fromCharCode(parseInt(code, 8));
    return mounts.map((line) => line.split(' ')[4]?.replace(/\\(\d{3})/g, unescaped));
  } catch {
    return [];
  }
}
