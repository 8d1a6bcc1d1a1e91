/** What a pool has of a key, and when the manager of its stream ends. */
import { defer, EMPTY, NEVER, Observable } from 'rxjs';
import { captureContext } from '../internal/async/callerContext.js';
import { ON_CLOSE } from '../internal/hiddenMembers.js';
import { createTimers } from '../internal/time/timers.js';
import { createEventQueue } from '../token/pipeline/eventQueue.js';
import type { UntimedTokenEvent } from '../token/events.js';
import type { Settings } from '../token/options.js';
import { forgetSession } from '../token/session.js';
import { initialState, nextMoment, pauseLeft, whyRefresh } from '../token/decisions/state.js';
import { createManager, type FullManager } from '../token/tokenManager.js';
import type { TokenSource, TokenStream } from '../token/types.js';
import { endManager, resumeManager } from './endManager.js';
import { Place, RecentlyUsed } from './recentlyUsed.js';
import { createSharedTimer, type Timed } from './sharedTimer.js';

type EntryContext = ReturnType<typeof createEntryContext>;

/** What the entries of a pool share. */
export function createEntryContext(settings: Settings, max: number) {
  const { clock } = settings;
  const timers = createTimers(settings.scheduler, clock);
  // The context in which the pool was made: a request that asks first must not be kept alive.
  const runInContext = captureContext();
  const after = (delay: number, fire: () => void) => runInContext(() => timers.after(delay).subscribe(fire));
  const setTimer = createSharedTimer(after, clock.now);
  const events = createEventQueue(settings.userNow);
  return { clock, timers, events, runInContext, setTimer, entries: new RecentlyUsed<Entry>(max), isClosed: false };
}

/**
 * What the pool has of a key: the state of its stream, and a manager while somebody uses the stream. The manager takes
 * ten times the memory of the state, so it is ended in the next tick after the last use.
 */
export class Entry extends Place implements Timed {
  dueAt = Infinity;
  readonly state = initialState();
  manager: FullManager | null = null;
  /** What is handed out. */
  stream: TokenStream | null = null;
  /** It is not the entry of its key any more. The pool does not report its events. */
  private isDropped = false;
  /** How many attempts run, and how many are subscribed. */
  private uses = 0;

  constructor(
    readonly name: string,
    readonly key: unknown,
    readonly source: TokenSource,
    readonly settings: Settings,
    readonly context: EntryContext,
  ) {
    super();
  }

  /** Whether the pool must keep it: somebody listens to it or waits for its token, or its source is being asked. */
  get isInUse(): boolean {
    return this.state.subscribers > 0 || this.state.refresh?.isFetching === true;
  }

  /** The manager, which is created if there is none. */
  activate(): FullManager {
    return this.manager ?? this.context.runInContext(() => this.startManager());
  }

  /**
   * While somebody is subscribed, the manager stays. Hand-made, since `defer` with `finalize` is four Observables, and
   * each client of a stream has three of these.
   */
  whileUsed<T>(make: (manager: FullManager) => Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      this.uses++;
      subscriber.add(() => {
        this.uses--;
        this.endLater();
      });
      make(this.activate()).subscribe(subscriber);
    });
  }

  /** The pool drops it, and forgets its token. The stream stays open: whoever holds it may be about to use it. */
  drop(): void {
    const { manager, state } = this;
    if (manager) manager.reset();
    else {
      this.forget();
      if (state.isConnected) this.tell({ type: 'idle' });
    }
    // After the event `idle`.
    this.isDropped = true;
  }

  close(): void {
    const { manager, source, settings, state, context } = this;
    if (state.isClosed) return;
    context.entries.remove(this);
    // Only a manager can close a source or a store.
    if (manager || settings.store || ON_CLOSE in (state.lastSource ?? source)) this.activate().close();
    else {
      state.isClosed = true;
      this.forget();
      this.tell({ type: 'closed' });
    }
  }

  /** The manager may be ended, or the next moment of the token has come. */
  onDue(): void {
    const { state, context } = this;
    // A manager checks when it is time. One more check would ask the source for nobody, after a permanent failure.
    if (!this.manager) this.activate().parts.context.recheck();
    if (this.manager && this.mayEnd()) {
      endManager(this.manager);
      this.manager = null;
      context.setTimer(this, state.held ? nextMoment(state.held, context.clock.now()) : Infinity);
    }
    context.entries.shrink();
  }

  private startManager(): FullManager {
    const { source, state, settings, context } = this;
    /** Once the pool is closed, none of its streams asks its source: one that it had dropped closes then. */
    const unlessClosed = <T>(attempt$: Observable<T>) =>
      defer(() => {
        if (!context.isClosed) return attempt$;
        this.close();
        return NEVER;
      });
    const inTurn: Settings['inTurn'] = (attempt$) => this.whileUsed(() => settings.inTurn(unlessClosed(attempt$)));
    const manager = createManager(source, { ...settings, inTurn }, undefined, state);
    this.manager = manager;
    manager.events$.subscribe((event) => {
      this.endLater();
      this.tell(event);
      if (event.type === 'closed') context.setTimer(this, Infinity);
    });
    if (state.isClosed) manager.parts.context.events.complete();
    // Replaces the timer of the moment, which is the manager's now.
    else context.setTimer(this, context.clock.now());
    resumeManager(manager);
    return manager;
  }

  /** In the next tick: the manager may be in the middle of something. */
  private endLater(): void {
    const { clock, setTimer } = this.context;
    if (this.dueAt === Infinity && !this.state.isClosed) setTimer(this, clock.now());
  }

  /** Nobody uses the stream, and nothing but the next moment of its token makes it act. */
  private mayEnd(): boolean {
    const { uses, state, settings } = this;
    const { held, isConnected, refresh, isClosed } = state;
    // A store may tell of the end of the session, or of another token.
    if (uses > 0 || refresh || isClosed || (settings.store && (held || isConnected))) return false;
    const time = this.context.clock.now();
    // `wake` is listened to. What is due, the manager's own timer is about to see.
    return (
      !isConnected || (settings.wake === EMPTY && pauseLeft(state, time) === 0 && whyRefresh(state, time) === null)
    );
  }

  private forget(): void {
    this.context.setTimer(this, Infinity);
    forgetSession(this.state);
  }

  private tell(event: UntimedTokenEvent): void {
    const pooled = { ...event, key: this.key };
    if (!this.isDropped) this.context.events.emit(pooled);
  }
}
