/** The parts of one stream, and how they are joined. */
import { PROOF } from '../internal/hiddenMembers.js';
import { createContext } from './pipeline/context.js';
import type { Settings } from './options.js';
import { holdToken } from './pipeline/holdToken.js';
import { createPipeline } from './pipeline/pipeline.js';
import type { SourceHooks } from './sourceHooks.js';
import { createRecovery } from './requests/recovery.js';
import { createSession } from './session.js';
import { initialToken } from './decisions/receivedToken.js';
import { initialState } from './decisions/state.js';
import { createTokenViews } from './requests/tokenViews.js';
import type { TokenSource, TokenStreamOptions } from './types.js';

/** A manager that a pool may end while its stream is not in use, and make again: see pool/endManager.ts. */
export type FullManager = ReturnType<typeof createManager>;

/** What streams, operators and clients share behind one token. */
export type TokenManager = Omit<FullManager, 'parts' | 'reset'> & {
  /** In the place of `take`: where no token comes, a connection is silent instead of failing. */
  readonly takeForConnection?: FullManager['take'];
};

/** @param state what a pool knows of the stream already */
export function createManager(
  source: TokenSource,
  settings: Settings,
  initial?: TokenStreamOptions['initial'],
  state = initialState(),
) {
  const context = createContext(source, settings, state);
  const { now, timers, fetcher, events, current } = context;
  const pipeline = createPipeline(context);
  const views = createTokenViews(context, pipeline);
  if (initial !== undefined) {
    const received = initialToken(initial, context);
    if (now() < received.usableUntil) {
      holdToken(context, received);
      pipeline.run();
    }
  }
  const { signOuts, ...session } = createSession(context, pipeline, source);

  return {
    /** For the pool only. */
    parts: { context, pipeline, signOuts },
    ...views,
    ...createRecovery(context, pipeline, views),
    ...session,
    events$: events.events$,
    waits$: context.waitEnded$.asObservable(),
    /** Milliseconds on the clock that is never set back: not the option `now`. */
    now,
    /** The option `now`: the stream's own clock, on which the times of its tokens are. */
    userNow: settings.userNow,
    timers,
    isOfSource: fetcher.isOfSource,
    /** What proves possession of the key that the source's tokens are bound to, if they are. */
    proof: (source as SourceHooks)[PROOF],
    isClosed: () => state.isClosed,
    current,
    /** What the last attempt failed with, or what its source reported, until a token comes. */
    lastError: () => state.lastError,
  };
}
