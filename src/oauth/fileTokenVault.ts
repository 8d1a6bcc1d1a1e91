/** The public function `fileTokenVault`: a file with a refresh token, which survives a crash during a write. */
import { checkPath, codeOf, files, openSafe, syncDirectory, targetOf } from '../internal/platform/files.js';
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { parseJson } from '../answers/parseBody.js';
import { createQueue } from '../internal/async/queue.js';
import { hasControlCharacter, otherThanToken, trimmed } from './checks/textOption.js';

/** Reads and writes a refresh token in a file. Give both methods to `refreshToken` as they are. */
export interface TokenVault {
  /**
   * The stored refresh token. Rejects if there is none (with the code `ENOENT`, if the file is missing or empty), or if
   * others can read the file.
   */
  readonly read: () => Promise<string>;
  /**
   * Stores the refresh token of a response, atomically. Calls run one after the other, over all vaults of this process.
   * Rejects with a TypeError if the response has no refresh token, and as `read` if others can read the file.
   */
  readonly write: (tokens: { readonly refresh_token: string }) => Promise<void>;
}

/**
 * Keeps a refresh token in a file of its owner (mode 0600), for scripts and command-line tools. After a crash the file
 * holds the complete old token or the complete new one. A file that cannot be replaced (for example one that is mounted
 * into a container) is overwritten in place. A file that group or others can read or write, or that belongs to another
 * user, is refused, because its token is not secret. (Windows has no such modes: set the permissions of the directory.)
 *
 * To start, call `write`, or write the file by hand: plain text, a JSON string, or JSON `{ "refresh_token": "…" }`,
 * whose other members are kept.
 * Processes that refresh at the same time need `fileTokenStore` of `rx-fresh-token/file`; in one process make one
 * source for one file. Node 20.16 or later; not in browsers.
 *
 * @param path The file. Its directory must exist; a symbolic link is followed.
 */
export function fileTokenVault(path: string): TokenVault {
  checkPath(path);
  return {
    read: () => inTurn(() => readToken(path)),
    write: (tokens) => inTurn(() => writeToken(path, tokens)),
  };
}

/**
 * The vaults of a process take turns, in the order of the calls: the last write wins, and a read sees the writes before
 * it. One queue for all files, since one file may have several paths: symbolic links, mounts, relative paths.
 */
const inTurn = /* @__PURE__ */ createQueue();

const readToken = async (path: string): Promise<string> => tokenIn(path, await contentOf(path));

async function contentOf(path: string): Promise<string> {
  const file = await openSafe(path, 'O_RDONLY');
  return file.readFile('utf8').finally(() => file.close());
}

async function writeToken(path: string, tokens: { readonly refresh_token: string }): Promise<void> {
  const refresh_token: unknown = (tokens as Partial<typeof tokens> | null | undefined)?.refresh_token;
  if (typeof refresh_token !== 'string' || refresh_token === '')
    throw new TypeError('write takes a token response with a refresh_token: a string that is not empty');
  const target = targetOf(path);
  const content = `${JSON.stringify({ ...(await othersIn(target)), refresh_token })}\n`;
  try {
    await replace(target, content);
  } catch (failure) {
    if (!IRREPLACEABLE.includes(codeOf(failure))) throw failure;
    await overwrite(target, content).catch((cause: unknown) => {
      throw codeOf(cause) === 'ENOENT' ? failure : cause;
    });
  }
}

/** Of a mount point; of a directory that cannot be written; of a disk that has no room for a second file. */
const IRREPLACEABLE = ['EBUSY', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'];

async function replace(target: string, content: string): Promise<void> {
  const { open, rename, unlink } = files();
  const sibling = `${target}.${crypto.randomUUID()}.tmp`;
  const file = await open(sibling, 'wx', 0o600);
  try {
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(sibling, target);
  } catch (failure) {
    await unlink(sibling).catch(() => undefined);
    throw failure;
  }
  await syncDirectory(target);
}

/** One write that covers all of the old content: less than this could leave a mixture of both behind. */
async function overwrite(target: string, content: string): Promise<void> {
  const file = await openSafe(target, 'O_RDWR');
  try {
    const { size } = await file.stat();
    const { length } = new TextEncoder().encode(content);
    // Blanks first: on a full disk the old content stays whole. A write may be short, and the next one fails.
    for (let end = size; end < length;) end += (await file.write(' '.repeat(length - end), end)).bytesWritten;
    await file.writeFile(content + ' '.repeat(Math.max(0, size - length)));
    await file.truncate(length);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** What other programs keep in the file, such as the credentials of gcloud. */
async function othersIn(target: string): Promise<object> {
  const content = await contentOf(target).catch((failure: unknown) => {
    if (codeOf(failure) === 'ENOENT') return '';
    throw failure;
  });
  const value = valueOf(content.trim());
  if (value === undefined) throw new Error(`${target} holds JSON with a mistake: correct or delete it`);
  return fieldsOf(value);
}

/** The value of JSON, or the text itself. `undefined` for JSON with a mistake, which may hold what others need. */
const valueOf = (text: string): unknown => (/^[{"]/.test(text) ? parseJson(text) : text);

/** Errors name the file, never what is in it. */
function tokenIn(path: string, content: string): string {
  const text = content.trim(); // of a byte order mark too
  const value = valueOf(text);
  const { refresh_token = value } = Object(value) as { readonly refresh_token?: unknown };
  const token = trimmed(refresh_token ?? '');
  const failure = new Error(`${path} holds no refresh token`);
  if (value === undefined) throw failure;
  // As without a file: there is nothing to lose, so the user may be asked to sign in.
  if (token === '' || /^\{\s*\}$/.test(text)) throw Object.assign(failure, { code: 'ENOENT' });
  // Several lines, or UTF-16, would be sent, and the server would say that the user must sign in.
  if (!token || hasControlCharacter(token) || (value === text && otherThanToken(token))) throw failure;
  return token;
}
