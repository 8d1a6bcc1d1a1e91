/** The parts of one stream, and how they are joined. */
import type { Observable } from 'rxjs';
import { PROOF } from '../internal/sourceHooks.js';
import type { Timers } from '../internal/timers.js';
import { createContext, type TokenRecord } from './context.js';
import type { TokenEvent } from './events.js';
import { createPipeline, type WaitEnded } from './pipeline.js';
import type { SourceHooks, TokenProof } from './proof.js';
import { createRecovery, type Recovery } from './recovery.js';
import type { TokenFetcher } from './tokenFetcher.js';
import { createSession } from './session.js';
import { createTokenHolder, initialToken } from './tokenHolder.js';
import { createTokenViews, type TokenViews } from './tokenViews.js';
import type { Settings } from './options.js';
import type { AccessToken, TokenSource, TokenStreamOptions } from './types.js';

/** What streams, operators and clients share behind one token. */
export interface TokenManager
  extends Pick<TokenViews, 'token$' | 'use' | 'take' | 'refresh'>, Recovery, Pick<TokenFetcher, 'owns'> {
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
  readonly signOut: () => void;
  readonly close: () => void;
}

/** What a stream begins with: the option `initial`, or what a pool knows of it already. */
type Beginning = Partial<TokenRecord> & Pick<TokenStreamOptions, 'initial'>;

/** A manager that a pool may end while its stream is not in use, and make again: see pool/suspension.ts. */
export type EndingManager = ReturnType<typeof createManager>;

/** Makes the parts of one stream. */
export function createManager(source: TokenSource, settings: Settings, { initial, ...record }: Beginning) {
  const context = createContext(source, settings, record);
  const { state, now, timers, fetcher, events, current } = context;
  const holder = createTokenHolder(context);
  const pipeline = createPipeline(context, holder);
  const views = createTokenViews(context, pipeline);
  if (initial !== undefined) {
    const arrived = initialToken(context, initial);
    if (now() < arrived.usableUntil) {
      holder.hold(arrived);
      pipeline.demand();
    }
  }
  const { signOuts, ...session } = createSession(context, holder, pipeline, source);

  return {
    /** For `suspend` and `resume`. */
    parts: { context, holder, pipeline, signOuts },
    ...views,
    ...createRecovery(context, views, pipeline.demand),
    events$: events.events$,
    waits$: pipeline.waits$,
    shownNow: settings.now,
    timers,
    owns: fetcher.owns,
    proof: (source as SourceHooks)[PROOF],
    isClosed: () => state.isClosed,
    current,
    ...session,
  };
}
