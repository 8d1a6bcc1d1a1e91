/** The public function `fileTokenStore`, and how a sign-out deletes the token from the file. */
import { concatMap, filter, ignoreElements, merge, share, startWith, type Observable } from 'rxjs';
import { checkPath } from '../internal/platform/files.js';
import type { StoredToken, TokenStore } from '../token/tokenStore.js';
import { fileChanges } from './fileChanges.js';
import { settingsOf, type FileTokenStoreOptions } from './options.js';
import { signedOutRecord, serialized } from './record.js';
import { sharedRefresh } from './sharedRefresh.js';
import { createStoreContext, type StoreContext } from './storeContext.js';
import { emptyTokenFile } from './tokenFile.js';

/**
 * One token for all processes of a user on one machine, in a file of its owner (mode 0600): for command-line tools,
 * agents and editors that share one refresh token. One fetch per token lifetime, whichever process needs it first.
 *
 * A process that needs a new token takes a lock, reads the file again, and fetches only if no other process has fetched
 * meanwhile. The whole response is stored, so every process continues with the newest refresh token. Storing the token
 * and releasing the lock are one step. A process that was killed loses the lock at once, where the system tells that
 * it is gone. Any other process loses it `staleAfter` after it was stopped, and then cannot overwrite a newer token.
 *
 * ```ts
 * import { homedir } from 'node:os';
 * import { join } from 'node:path';
 * import { createTokenStream } from 'rx-fresh-token';
 * import { fileTokenStore } from 'rx-fresh-token/file';
 * import { refreshToken } from 'rx-fresh-token/oauth';
 *
 * const token$ = createTokenStream(
 *   refreshToken({ issuer: 'https://id.example.com', clientId: 'cli', clientAuth: 'none', refreshToken: () => process.env.REFRESH_TOKEN ?? null }),
 *   { store: fileTokenStore(join(homedir(), '.config/orders/token.json')) },
 * );
 * ```
 *
 * @param path The file. Its directory must exist and be writable; a symbolic link is followed. A relative path counts
 *   from the current directory at this call.
 * @returns a store for one stream: each stream needs its own.
 * @throws {@link !TypeError} at creation, when the path or an option is out of range; {@link TokenStoreError} when the
 *   file cannot be used, others can read it, or it holds something else. The file is not changed, and no error quotes
 *   it. A refresh fails with this error too, and then the source is not called.
 */
export function fileTokenStore(path: string, options?: FileTokenStoreOptions): TokenStore {
  checkPath(path);
  const store = createStoreContext(path, settingsOf(options), (id) => endSession(store, id));
  const { session } = store;
  const changes = tokenChanges(store);
  return {
    refresh: sharedRefresh(store),
    changes,
    signOut: session.signOut,
    // A process that reads the file notices.
    signedOut: merge(session.signedOut, changes.pipe(ignoreElements())),
  };
}

/** The tokens that others store. One that was stored before the first subscription is the first. */
const tokenChanges = (store: StoreContext): Observable<StoredToken> =>
  fileChanges(store.target, store.timers).pipe(
    startWith(undefined),
    // What cannot be read, a refresh reports.
    concatMap(() => store.readNew().catch(() => null)),
    filter((token) => token !== null),
    share(),
  );

/**
 * Ends the session for all. Whatever keeps the sign-out from being written, the user wants no token to be left.
 *
 * @returns the session that the file is of now; null: it is empty
 */
const endSession = (store: StoreContext, session: string): Promise<string | null> =>
  writeSignOut(store, session).catch(async (failure: unknown) => {
    if (await deleteToken(store).catch(() => false)) return null;
    throw failure;
  });

/** A process that fetches at this moment is to store nothing: the lock is taken from it. */
async function writeSignOut(store: StoreContext, session: string): Promise<string> {
  for (let round = 0; ; round++) {
    await store.evict();
    const lock = await store.lockOrPause(round, true);
    if (!lock) continue;
    try {
      await store.read(); // What other software has written is not replaced.
      if (await lock.commit(serialized(signedOutRecord(session)))) return session;
    } finally {
      await lock.release().catch(() => undefined);
    }
  }
}

/** Works on a full disk too. @returns whether there was a token */
async function deleteToken(store: StoreContext): Promise<boolean> {
  let hasDeleted = false;
  // Again, if one that was being stored at that moment is there now.
  while ((await store.read())?.response) {
    await emptyTokenFile(store.target);
    await store.evict();
    hasDeleted = true;
  }
  return hasDeleted;
}
