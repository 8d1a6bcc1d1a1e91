/** Ends the session in this tab when any tab signs out, and keeps tokens of the old session out. */
import { createEndings } from '../stores/endings.js';
import { newSessionId, type SessionMarker } from './sessionMarker.js';

/** What a sign-out tells the other tabs. */
export interface SignOut {
  /** The session that ended. */
  readonly session: string | null;
  /** The id of the session that comes after it. */
  readonly next: string;
}

export type TabSession = ReturnType<typeof createTabSession>;

/**
 * The session in which this tab takes part: the time between two sign-outs, the same for all tabs.
 *
 * @param forget called when the session has ended, before `ended$` emits
 */
export function createTabSession(marker: SessionMarker, forget: () => void) {
  const endings = createEndings(forget);
  let bound: string | null = null;
  /** The session that this tab saw end last. */
  let lastEnded: string | null | undefined;

  const end = (id: string | null) => {
    lastEnded = id;
    bound = null;
    endings.end();
  };
  /** Notices when the session has ended elsewhere. */
  const check = (): void => {
    // Without a marker the session has ended as well: applications clear localStorage when they sign out.
    if (bound !== null && marker.read() !== bound) end(bound);
  };
  /** The id of the current session; a new one if there is none. */
  const id = (): string => {
    check();
    if (marker.read() === null) marker.write(newSessionId());
    return marker.read() as string;
  };

  return {
    id,
    /** Whether a message of that session concerns this tab. */
    isCurrent: (other: string): boolean => marker.read() === other,
    /** The tab has or awaits a token of the current session: from now on it notices when that session ends. */
    bind: (): void => {
      bound = id();
    },
    check,
    /** Returns a function that says whether the session has ended since this call, here or elsewhere. */
    watch: (): (() => boolean) => {
      const hasEnded = endings.watch();
      return () => {
        check();
        return hasEnded();
      };
    },
    /** Ends the session for all tabs, and calls `announce` before this tab reacts. */
    signOut: (announce: (signOut: SignOut) => void): void => {
      const signOut = { session: bound ?? marker.read(), next: newSessionId() };
      marker.write(signOut.next);
      announce(signOut);
      end(signOut.session);
    },
    /** Another tab has ended a session. */
    onSignOut: ({ session, next }: SignOut): void => {
      // The message may arrive before the marker does. One that lay in a frozen tab must not replace a later session.
      if (marker.isShared() && marker.read() === session) marker.write(next);
      check();
      // A tab that is bound to no session may wait for a token; one without the marker cannot know whose session it is.
      if (session !== lastEnded && (bound === null || !marker.isShared())) end(session);
    },
    ended$: endings.ended$,
  };
}
