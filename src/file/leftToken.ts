import { promises } from 'node:fs';
import { syncDirectory } from '../internal/files.js';
import { readTokenFile } from './tokenFile.js';

/**
 * Puts a token in its place whose process was killed before it could: nobody else has its refresh token. Not if it is
 * incomplete, or if the file does not hold what the token replaces.
 *
 * @param file that of the holder of the lock
 */
export async function takeUpToken(file: string, target: string): Promise<void> {
  const [left, present] = [await readTokenFile(file), await readTokenFile(target)];
  if (left?.replaces === undefined || left.replaces !== (present?.id ?? '')) return;
  if (present && present.session !== left.session) return;
  const handle = await promises.open(file, 'r+');
  await handle.sync().finally(() => handle.close());
  // If another process takes it up at the same time, it is not there any more.
  await promises.rename(file, target);
  await syncDirectory(target);
}
