/** How a session ends: by `signOut()`, here or elsewhere, by `close()`, or when a pool drops the stream. */
import { ON_CLOSE, ON_SIGN_OUT } from '../internal/hiddenMembers.js';
import type { TokenContext } from './pipeline/context.js';
import type { Pipeline } from './pipeline/pipeline.js';
import type { SourceHooks } from './sourceHooks.js';
import { newSession, signedOutError, type StreamState } from './decisions/state.js';
import type { TokenSource } from './types.js';

/** Forgets the session. Errors may retain the token through their stack, so they are dropped too. */
export function forgetSession(state: StreamState): void {
  state.rejections?.forgetAll();
  state.rejections?.endPauses();
  Object.assign(state, newSession());
}

export function createSession(context: TokenContext, pipeline: Pipeline, source: TokenSource) {
  const { state, settings, fetcher, events, recheck, restartTimer, cancelled$, reportFailure } = context;
  const { store } = settings;

  const tellSource = (hook: typeof ON_SIGN_OUT | typeof ON_CLOSE) => {
    const { last, lastSource } = state;
    reportIfThrown(reportFailure, () =>
      (lastSource ?? (source as SourceHooks))[hook]?.(last?.token ?? null, fetcher.pending()),
    );
  };
  const forgetAndStopTimer = () => {
    forgetSession(state);
    restartTimer();
  };

  const end = () => {
    if (state.isClosed || state.isSignedOut) return;
    tellSource(ON_SIGN_OUT);
    forgetAndStopTimer();
    state.isSignedOut = true;
    state.sessionTokens = new WeakSet();
    cancelled$.next();
    pipeline.announce({ type: 'signedOut', error: signedOutError(), event: { type: 'signedOut' } });
    recheck();
  };

  const signOuts = hearSignOuts(context, end);

  return {
    signOuts,
    signOut: (): void => {
      if (state.isClosed) return;
      // Another stream on the source may have begun the next session.
      if (state.isSignedOut) tellSource(ON_SIGN_OUT);
      const { sessionTokens } = state;
      reportIfThrown(reportFailure, () => store?.signOut?.());
      // A store that tells of its own sign-out has ended the session already, and the next one may have begun.
      if (state.sessionTokens === sessionTokens) end();
    },
    close: (): void => {
      if (state.isClosed) return;
      state.isClosed = true;
      // A shared token is not this stream's to revoke.
      if (!store) tellSource(ON_CLOSE);
      forgetAndStopTimer();
      reportIfThrown(reportFailure, () => signOuts?.unsubscribe());
      pipeline.close();
      // After all else that is told: there is no token any more, and what the source threw was reported.
      events.emit({ type: 'closed' });
      events.complete();
    },
    /** For a stream that a pool drops: forgets the token, and stops the timers. Its next use begins anew. */
    reset: (): void => {
      forgetAndStopTimer();
      cancelled$.next();
      recheck();
    },
  };
}

function hearSignOuts({ settings, timers, reportFailure }: TokenContext, end: () => void) {
  // A stream has no listeners before it exists: the event comes a tick later.
  const error = (thrown: unknown) => timers.after(0).subscribe(() => reportFailure(thrown));
  return settings.store?.signedOut?.subscribe({ next: end, error });
}

/** What a source or a store does at the end must not keep the session from ending here. */
function reportIfThrown(reportFailure: TokenContext['reportFailure'], work: () => unknown): void {
  try {
    // An async method fits the type of one that returns nothing.
    (work() as Partial<PromiseLike<unknown>> | undefined)?.then?.(undefined, reportFailure);
  } catch (error) {
    reportFailure(error);
  }
}
