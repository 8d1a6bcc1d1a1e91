import type { Page } from './page.js';

/** Where the tabs of an origin keep the id of the current session. It is not a secret. */
export interface SessionMarker {
  /** The id; null if no session has begun, or if the marker was deleted. */
  read(): string | null;
  write(id: string): void;
  /** False: this tab cannot use the place, so no other tab reads its id. */
  shared(): boolean;
}

/**
 * The marker lies in localStorage, which all tabs of an origin read without waiting. A page that comes back from the
 * back/forward cache has missed all messages, but reads there that its session has ended. Where localStorage is blocked
 * or full, the tab keeps an id of its own, and takes no message of the others' sessions.
 */
export function createSessionMarker(key: string, { localStorage }: Pick<Page, 'localStorage'>): SessionMarker {
  let shared = true;
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
    read: () => {
      if (!shared) return own;
      try {
        return localStorage().getItem(key);
      } catch {
        shared = false;
        return own;
      }
    },
    write: (id) => {
      own = id;
      try {
        localStorage().setItem(key, id);
      } catch {
        shared = false;
        forget();
      }
    },
    shared: () => shared,
  };
}

/** `crypto.randomUUID` is missing in insecure contexts. */
export const newSessionId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
