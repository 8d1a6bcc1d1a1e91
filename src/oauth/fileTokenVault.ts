/** Where {@link fileTokenVault} keeps a refresh token; both methods can be handed to `refreshToken` as they are. */
export interface TokenVault {
  /** The stored refresh token. Rejects when there is none, or when others could have read it. */
  readonly read: () => Promise<string>;
  /** Stores the refresh token of a response, atomically. */
  readonly write: (tokens: { readonly refresh_token: string }) => Promise<void>;
}

/**
 * Keeps a refresh token in a file of its owner (mode 0600), for scripts and command-line tools. What is written goes to
 * a sibling file first and reaches the disk before it takes the old one's place, so that a crash leaves the old token or
 * the new one, whole. A file that group or others can read or write is refused: its token is no secret any more.
 * (Windows has no such modes: there the directory's permissions must do.)
 *
 * To begin, `write` a token, or put it into the file by hand: as plain text, or as JSON `{ "refresh_token": "…" }`.
 * Two processes may share the file only if they do not refresh at the same time. Node 20.16 or later; not in browsers.
 *
 * @param path The file. Its directory must exist and be writable; a symbolic link is followed.
 */
export function fileTokenVault(path: string): TokenVault {
  if (typeof path !== 'string' || path === '') throw new TypeError(`"path" must be a string that is not empty, got ${typeof path}`);
  return {
    async read() {
      const { open } = files();
      const file = await open(path, 'r');
      try {
        refuseIfShared(path, (await file.stat()).mode);
        return tokenIn(path, await file.readFile('utf8'));
      } finally {
        await file.close();
      }
    },
    async write({ refresh_token }) {
      const { open, realpath, rename, unlink } = files();
      const target = await realpath(path).catch(() => path);
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
    },
  };
}

/** Asked for at run time, so that bundlers for browsers do not stumble over an import of `node:fs`. */
function files() {
  const modules = (globalThis as { process?: Partial<NodeJS.Process> }).process?.getBuiltinModule?.('node:fs');
  if (!modules) throw new Error('fileTokenVault needs Node 20.16 or later');
  return modules.promises;
}

function refuseIfShared(path: string, mode: number): void {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new Error(`${path} can be read or written by others (mode ${(mode & 0o777).toString(8)}): its token is no secret. Replace the token, then chmod 600`);
}

/** Errors name the file, never what is in it. */
function tokenIn(path: string, content: string): string {
  let token: unknown = content.trim();
  if (content.trimStart().startsWith('{')) {
    try {
      token = (JSON.parse(content) as { refresh_token?: unknown }).refresh_token;
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
