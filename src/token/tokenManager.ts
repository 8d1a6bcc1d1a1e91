/** The parts of one stream, and how they are joined. */
import type { Observable, Subscription } from 'rxjs';
import { PROOF } from '../internal/sourceHooks.js';
import type { Timers } from '../internal/timers.js';
import { createContext, type TokenContext, type TokenRecord } from './context.js';
import type { TokenEvent } from './events.js';
import { createPipeline, type Pipeline, type WaitEnded } from './pipeline.js';
import type { SourceHooks, TokenProof } from './proof.js';
import { createRecovery, type Recovery } from './recovery.js';
import type { TokenFetcher } from './tokenFetcher.js';
import { createSession } from './session.js';
import { earlyEndOfPause, blockingFailure, isFresh, isReplacing, type TokenState } from './state.js';
import { createTokenHolder, type TokenHolder } from './tokenHolder.js';
import { createTokenViews, type TokenViews } from './tokenViews.js';
import type { Settings } from './options.js';
import type { AccessToken, TokenSource, TokenStreamOptions } from './types.js';

/** What streams, operators and clients share behind one token. */
export interface TokenManager
  extends Pick<TokenViews, 'token$' | 'take' | 'refresh'>, Recovery, Pick<TokenFetcher, 'owns'> {
  readonly events$: Observable<TokenEvent>;
  /** Emits when waiters stop waiting. Costs nothing without a subscriber. */
  readonly waits$: Observable<WaitEnded>;
  /** Milliseconds on the clock of the tokens' times. */
  readonly shownNow: () => number;
  readonly timers: Timers;
  /** What proves possession of the key that the source's tokens are bound to, if they are. */
  readonly proof: TokenProof | undefined;
  readonly isClosed: () => boolean;
  /** The usable token, without side effects. */
  readonly current: () => AccessToken | null;
  /** The token for a request that leaves now, or null if it must wait. */
  readonly use: () => AccessToken | null;
  readonly signOut: () => void;
  readonly close: () => void;
}

/** A manager that a pool may end while its stream is not in use, and make again: see pool/suspension.ts. */
export interface EndingManager extends TokenManager {
  /** For `suspend` and `resume`. */
  readonly parts: {
    readonly context: TokenContext;
    readonly holder: TokenHolder;
    readonly pipeline: Pipeline;
    /** Listens to the store. */
    readonly signOuts: Subscription | undefined;
  };
  /** Forgets the token, and stops the timers. The stream stays open: the next use begins anew. */
  readonly rest: () => void;
}

/** All that a request with a fresh token costs. */
export function useFresh(state: TokenState, now: () => number): AccessToken | null {
  const { held } = state;
  if (!held) return null;
  const time = now();
  if (!isFresh(held, time)) return null;
  state.lastUse = time;
  return held.token;
}

/** What a stream begins with: the option `initial`, or what a pool knows of it already. */
type Beginning = Partial<TokenRecord> & Pick<TokenStreamOptions, 'initial'>;

/** Makes the parts of one stream. */
export function createManager(source: TokenSource, settings: Settings, beginning: Beginning): EndingManager {
  const { initial, ...record } = beginning;
  const context = createContext(source, settings, record);
  const { state, timers, fetcher, events, current, report } = context;
  const { store } = settings;
  const holder = createTokenHolder(context);
  const pipeline = createPipeline(context, holder);
  const session = createSession(context, holder, pipeline, source);
  const use = () => tokenToSend(context, pipeline);
  const force = () => {
    forceRefresh(context);
  };
  const views = createTokenViews(context, pipeline.updates$, { use, force });
  if (initial !== undefined) {
    holder.holdInitial(initial);
    if (state.held) pipeline.demand();
  }
  const signOuts = store?.signedOut?.subscribe({ next: session.end, error: report });

  return {
    parts: { context, holder, pipeline, signOuts },
    token$: views.token$,
    take: views.take,
    refresh: views.refresh,
    ...createRecovery(context, views, pipeline.demand),
    events$: events.events$,
    waits$: pipeline.waits$,
    shownNow: settings.now,
    timers,
    owns: fetcher.owns,
    proof: (source as SourceHooks)[PROOF],
    isClosed: () => state.isClosed,
    current,
    use,
    rest: session.rest,
    signOut: session.signOut,
    close: () => {
      session.close(() => signOuts?.unsubscribe());
    },
  };
}

/** The token for a request that leaves now. */
function tokenToSend({ state, now, current }: TokenContext, { demand }: Pipeline): AccessToken | null {
  const fresh = useFresh(state, now);
  if (fresh || !current()) return fresh;
  state.lastUse = now();
  demand();
  // A source that answers at once has replaced it.
  return current();
}

/** The next check refreshes, unless the token is being replaced. */
function forceRefresh({ state, settings, now }: TokenContext): void {
  state.pausedUntil = earlyEndOfPause(state, settings.backoff);
  if (!isReplacing(state) && !blockingFailure(state, now())) state.forcedBy = 'manual';
}
