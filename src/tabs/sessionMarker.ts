/** Remembers in localStorage which session is current, for tabs that missed the message of a sign-out. */
import type { Page } from './page.js';

export type SessionMarker = ReturnType<typeof createSessionMarker>;

/**
 * Keeps the id of the current session, which is not a secret, in localStorage: all tabs of an origin read it there
 * without waiting. A page that comes back from the back/forward cache has missed all messages, but reads there that its
 * session has ended. Where localStorage is blocked or full, the tab keeps an id of its own, and takes no message of the
 * others' sessions.
 */
export function createSessionMarker(key: string, { localStorage }: Pick<Page, 'localStorage'>) {
  let isShared = true;
  let own: string | null = null;

  /** A full storage still deletes: what it holds must not stay the current id for the others. */
  const forget = () => {
    try {
      localStorage().removeItem(key);
    } catch {
      // No tab can read it.
    }
  };

  return {
    /** The id; null if no session has begun, or if the marker was deleted. */
    read: (): string | null => {
      if (!isShared) return own;
      try {
        return localStorage().getItem(key);
      } catch {
        isShared = false;
        return own;
      }
    },
    write: (id: string): void => {
      own = id;
      try {
        localStorage().setItem(key, id);
      } catch {
        isShared = false;
        forget();
      }
    },
    /** False: this tab cannot use localStorage, so no other tab reads its id. */
    isShared: (): boolean => isShared,
  };
}

/** `crypto.randomUUID` is missing in insecure contexts. */
export const newSessionId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
