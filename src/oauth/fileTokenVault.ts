/** Where {@link fileTokenVault} keeps a refresh token; both methods can be handed to `refreshToken` as they are. */
export interface TokenVault {
  /** The stored refresh token. Rejects when there is none, or when others could have read it. */
  readonly read: () => Promise<string>;
  /** Stores the refresh token of a response, atomically; calls that overlap take their turns, whichever vault of this file they are made on. Rejects with a TypeError when there is none in it. */
  readonly write: (tokens: { readonly refresh_token: string }) => Promise<void>;
}

/**
 * Keeps a refresh token in a file of its owner (mode 0600), for scripts and command-line tools. What is written goes to
 * a sibling file first and reaches the disk before it takes the old one's place, so that a crash leaves the old token or
 * the new one, whole. A file that group or others can read or write, or that belongs to another user, is refused: its
 * token is no secret any more.
 * (Windows has no such modes: there the directory's permissions must do.)
 *
 * To begin, `write` a token, or put it into the file by hand: as plain text, or as JSON `{ "refresh_token": "…" }`. While there
 * is no file, `read` fails with the code `ENOENT`, which has `refreshToken` ask its `reauthenticate`.
 * Two processes may share the file only if they do not refresh at the same time; in one process, one source for one file:
 * another does not know of an exchange that the first has begun. Node 20.16 or later; not in browsers.
 *
 * @param path The file. Its directory must exist and be writable; a symbolic link is followed.
 */
export function fileTokenVault(path: string): TokenVault {
  if (typeof path !== 'string' || path === '')
    throw new TypeError(`"path" must be a string that is not empty, got ${typeof path}`);
  return {
    read: () => inTurn(path, () => readToken(path)),
    write: (tokens) => inTurn(path, () => writeToken(path, tokens)),
  };
}

/** The last thing to do with each file, as long as it is to be done. By file and not by vault: two of one file would overtake each other. */
const queues = /* @__PURE__ */ new Map<string, Promise<unknown>>();

/** One thing at a time, in the order of the calls: the last write wins, and a read sees the writes before it. */
async function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const file = builtin('node:path').resolve(path);
  const turn = (queues.get(file) ?? Promise.resolve()).then(work);
  const done = turn
    .then(
      () => undefined,
      () => undefined,
    )
    .then(() => {
      if (queues.get(file) === done) queues.delete(file);
    });
  queues.set(file, done);
  return turn;
}

async function readToken(path: string): Promise<string> {
  const file = await files().open(path, 'r');
  try {
    refuseIfShared(path, await file.stat());
    return tokenIn(path, await file.readFile('utf8'));
  } finally {
    await file.close();
  }
}

async function writeToken(path: string, tokens: { readonly refresh_token: string }): Promise<void> {
  const refresh_token: unknown = (tokens as Partial<typeof tokens> | null | undefined)?.refresh_token;
  if (typeof refresh_token !== 'string' || refresh_token === '')
    throw new TypeError('write takes a token response with a refresh_token: a string that is not empty');
  const { open, rename, unlink } = files();
  const target = await targetOf(path);
  const sibling = `${target}.${crypto.randomUUID()}.tmp`;
  const file = await open(sibling, 'wx', 0o600);
  try {
    try {
      await file.writeFile(`${JSON.stringify({ refresh_token })}\n`);
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

/** The file itself, where the path is a symbolic link; the path, where there is nothing yet. */
async function targetOf(path: string): Promise<string> {
  const { lstat, realpath } = files();
  try {
    return await realpath(path);
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure;
    const isLink = await lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    );
    if (isLink)
      throw new Error(`${path} is a symbolic link that leads nowhere: create the file that it names, or remove it`, {
        cause: failure,
      });
    return path;
  }
}

/** Asked for at run time, so that bundlers for browsers do not stumble over an import of `node:fs`. */
function builtin<T extends 'node:fs' | 'node:path'>(name: T) {
  const found = (globalThis as { process?: Partial<NodeJS.Process> }).process?.getBuiltinModule?.(name);
  if (!found) throw new Error('fileTokenVault needs Node 20.16 or later');
  return found;
}

const files = () => builtin('node:fs').promises;

function refuseIfShared(path: string, { mode, uid }: { readonly mode: number; readonly uid: number }): void {
  if (process.platform === 'win32') return;
  // Root could read it all the same; so can the one who put it there.
  if (process.geteuid !== undefined && uid !== process.geteuid())
    throw new Error(`${path} belongs to another user (uid ${String(uid)}): its token is no secret from them`);
  if ((mode & 0o077) === 0) return;
  throw new Error(
    `${path} can be read or written by others (mode ${(mode & 0o777).toString(8)}): its token is no secret. Replace the token, then chmod 600`,
  );
}

/** Errors name the file, never what is in it. */
function tokenIn(path: string, content: string): string {
  const text = content.trim(); // of a byte order mark too
  let token: unknown = text;
  if (text.startsWith('{')) {
    try {
      token = (JSON.parse(text) as { refresh_token?: unknown }).refresh_token;
    } catch {
      token = undefined; // the SyntaxError quotes the content
    }
  }
  if (typeof token !== 'string' || token === '') throw new Error(`${path} holds no refresh token`);
  return token;
}

/** The new name must reach the disk too. Where directories cannot be synced (Windows), renaming has to do. */
async function syncDirectory(target: string): Promise<void> {
  const directory = await files()
    .open(target.replace(/[^/\\]*$/, '') || '.', 'r')
    .catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}
