/** The public function `fileToken`: a source that asks no server, because another program writes the token. */
import type { TokenSource } from '../token/types.js';
import { checkPath, files } from '../internal/platform/files.js';
import { otherThanToken } from './checks/textOption.js';
import { fitsHeader } from '../answers/tokenResponse.js';

/**
 * Reads the token from a file that another program keeps fresh: a projected token of Kubernetes, a sink of Vault's
 * agent. The file is read for each fetch. It may be written, renamed or replaced by symbolic links. White space around
 * the token is dropped. While the file is missing, empty, without a token or unreadable, the last token stays in use,
 * and an event reports the failure. The lifetime of a JWT is in its claims. The lifetime of another token is unknown:
 * the file is read again when a server rejects the token. Node 20.16 or later; not in browsers.
 *
 * ```ts
 * const token$ = createTokenStream(fileToken('/var/run/secrets/tokens/orders'));
 * ```
 *
 * @param path The file.
 * @throws {@link !TypeError} at creation, when the path is no string, or empty. The source fails with the error of
 *   reading the file (for example with the `code` `ENOENT`). No error holds the content of the file.
 */
export function fileToken(path: string): TokenSource {
  checkPath(path);
  let last: string | undefined;

  async function read(): Promise<string> {
    const token = (await files().readFile(path, 'utf8')).trim(); // of a byte order mark too
    if (token === '') throw new Error(`${path} is empty`);
    const fault = otherThanToken(token) ?? (fitsHeader(token) ? undefined : 'characters that no header can carry');
    if (fault !== undefined) throw new Error(`${path} holds no token, but ${fault}`);
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
