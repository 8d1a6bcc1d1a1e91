import type { TokenSource } from '../token/types.js';
import { checkPath, files } from '../internal/files.js';

/** Visible ASCII without a space, that does not begin like JSON or a page (RFC 6750 section 2.1). */
const TOKEN = /^(?![{["'<])[\x21-\x7e]+$/;

/**
 * The token in a file that something else keeps fresh: a projected token of Kubernetes, a sink of Vault's agent. The
 * file is read anew for each fetch, so whatever rotates it may write, rename or swap symbolic links. White space around
 * the token is dropped. Where the file is gone, empty, holds no token or cannot be read for a moment, the token that
 * was read last is given again, and the failure is reported as an event. The life of a JWT is known from its claims;
 * that of another token is not, so it is read again when a server refuses it. Node 20.16 or later; not in browsers.
 *
 * ```ts
 * const token$ = createTokenStream(fileToken('/var/run/secrets/tokens/orders'));
 * ```
 *
 * @param path The file.
 * @throws {@link !TypeError} at creation, when the path is no string, or empty.
 * The source itself fails with what reading failed with (`code`: `ENOENT`, say); no error holds what is in the file.
 */
export function fileToken(path: string): TokenSource {
  checkPath(path);
  let last: string | undefined;

  async function read(): Promise<string> {
    const token = (await files().readFile(path, 'utf8')).trim(); // of a byte order mark too
    if (token === '') throw new Error(`${path} is empty`);
    if (!TOKEN.test(token))
      throw new Error(`${path} holds no token: JSON, a page, white space or characters that no header can carry`);
    return token;
  }

  return async ({ report }) => {
    try {
      last = await read();
    } catch (failure) {
      if (last === undefined) throw failure;
      report?.(failure);
    }
    return { access_token: last };
  };
}
