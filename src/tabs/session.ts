/** The session of a tab, as its marker in localStorage tells it. */
import { Subject, type Observable } from 'rxjs';
import { TokenStoreError } from '../errors.js';
import { newSessionId, type SessionMarker } from './sessionMarker.js';

/** What a sign-out tells the other tabs. */
export interface SignOut {
  /** The session that ended. */
  readonly session: string | null;
  /** The id of the session that comes after it. */
  readonly next: string;
}

/** The session in which this tab takes part: the time between two sign-outs, the same for all tabs. */
export interface TabSession {
  /** The id of the current session; a new one if there is none. */
  id(): string;
  /** Whether a message of that session concerns this tab. */
  isCurrent(id: string): boolean;
  /** The tab has or awaits a token of the current session: from now on it notices when that session ends. */
  bind(): void;
  /** Notices when the session has ended elsewhere. */
  check(): void;
  /** A function that throws when the session has ended since now. */
  assertion(): () => void;
  /** Ends the session for all tabs, and calls `announce` before this tab reacts. */
  signOut(announce: (signOut: SignOut) => void): void;
  /** Another tab has ended a session. */
  onSignOut(signOut: SignOut): void;
  /** The session of this tab has ended, here or elsewhere. */
  readonly ended$: Observable<void>;
}

/** @param forget called when the session has ended, before `ended$` emits */
export function createTabSession(marker: SessionMarker, forget: () => void): TabSession {
  const ended$ = new Subject<void>();
  let bound: string | null = null;
  /** The session that this tab saw end last. */
  let lastEnded: string | null | undefined;
  let endings = 0;

  const end = (id: string | null) => {
    lastEnded = id;
    bound = null;
    endings++;
    forget();
    ended$.next();
  };
  const check = () => {
    // Without a marker the session has ended as well: applications clear localStorage when they sign out.
    if (bound !== null && marker.read() !== bound) end(bound);
  };
  const id = () => {
    check();
    if (marker.read() === null) marker.write(newSessionId());
    return marker.read() as string;
  };

  return {
    id,
    isCurrent: (other) => marker.read() === other,
    bind: () => {
      bound = id();
    },
    check,
    assertion: () => {
      const before = endings;
      return () => {
        check();
        if (endings !== before) throw new TokenStoreError('the session ended while the token was on its way');
      };
    },
    signOut: (announce) => {
      const signOut = { session: bound ?? marker.read(), next: newSessionId() };
      marker.write(signOut.next);
      announce(signOut);
      end(signOut.session);
    },
    onSignOut: ({ session, next }) => {
      // The message may arrive before the marker does. One that lay in a frozen tab must not replace a later session.
      if (marker.shared() && marker.read() === session) marker.write(next);
      check();
      // A tab that is bound to no session may wait for a token; one without the marker cannot know whose session it is.
      if (session !== lastEnded && (bound === null || !marker.shared())) end(session);
    },
    ended$,
  };
}
