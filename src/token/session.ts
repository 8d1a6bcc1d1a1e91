/** How a session ends: by `signOut()`, here or elsewhere, by `close()`, or with the last use of a stream in a pool. */
import { TokenUnavailableError } from '../errors.js';
import { ON_CLOSE, ON_SIGN_OUT } from '../internal/sourceHooks.js';
import type { TokenContext, TokenRecord } from './context.js';
import type { Pipeline } from './pipeline.js';
import type { SourceHooks } from './proof.js';
import { newSession } from './state.js';
import type { TokenHolder } from './tokenHolder.js';
import type { TokenSource } from './types.js';

export interface Session {
  /** The store says that the session was ended elsewhere. */
  readonly end: () => void;
  readonly signOut: () => void;
  /** @param leaveStore called before subscribers are told */
  readonly close: (leaveStore: () => void) => void;
  /** Forgets the token, and stops the timers. The stream stays open: the next use begins anew. */
  readonly rest: () => void;
}

/** Forgets the session. Errors may retain the token through their stack, so they are dropped too. */
export function forgetSession(state: TokenRecord['state'], rejections: TokenRecord['rejections'] | null): void {
  rejections?.clear();
  Object.assign(state, newSession());
}

export function createSession(
  context: TokenContext,
  holder: TokenHolder,
  pipeline: Pipeline,
  source: TokenSource,
): Session {
  const { state, settings, fetcher, rejections, events, recheck, cancelled$, report } = context;
  const { store } = settings;

  const tellSource = (hook: typeof ON_SIGN_OUT | typeof ON_CLOSE) => {
    reportIfThrown(report, () => (source as SourceHooks)[hook]?.(state.last?.token ?? null, fetcher.pending()));
  };
  const forget = () => {
    holder.release();
    forgetSession(state, rejections);
  };

  const end = () => {
    if (state.isClosed || state.isSignedOut) return;
    tellSource(ON_SIGN_OUT);
    forget();
    state.isSignedOut = true;
    state.sessionTokens = new WeakSet();
    cancelled$.next();
    pipeline.announce({ type: 'signedOut', error: new TokenUnavailableError('the session was signed out') });
    recheck();
  };

  return {
    end,
    signOut: () => {
      if (state.isClosed) return;
      const { sessionTokens } = state;
      reportIfThrown(report, () => store?.signOut?.());
      // A store that tells of its own sign-out has ended the session already, and the next one may have begun.
      if (state.sessionTokens === sessionTokens) end();
    },
    close: (leaveStore) => {
      if (state.isClosed) return;
      state.isClosed = true;
      events.emit({ type: 'closed' });
      // A shared token is not this stream's to revoke.
      if (!store) tellSource(ON_CLOSE);
      forget();
      reportIfThrown(report, leaveStore);
      pipeline.close();
      events.complete();
    },
    rest: () => {
      forget();
      cancelled$.next();
      recheck();
    },
  };
}

/** What a source or a store does at the end must not keep the session from ending here. */
function reportIfThrown(report: TokenContext['report'], work: () => unknown): void {
  try {
    // An async method fits the type of one that returns nothing.
    (work() as Partial<PromiseLike<unknown>> | undefined)?.then?.(undefined, report);
  } catch (error) {
    report(error);
  }
}
