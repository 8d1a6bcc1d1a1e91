/** What a pool has of a key, and when the manager of its stream ends. */
import { EMPTY, Observable } from 'rxjs';
import { captureContext } from '../internal/callerContext.js';
import { ON_CLOSE } from '../internal/hiddenMembers.js';
import { createTimers } from '../internal/timers.js';
import { reportExpiry } from '../token/context.js';
import { createEventQueue } from '../token/eventQueue.js';
import type { UntimedTokenEvent } from '../token/events.js';
import type { Settings } from '../token/options.js';
import { forgetSession } from '../token/session.js';
import { initialState, keepsRunning, nextMoment, pauseLeft, whyRefresh } from '../token/state.js';
import { createManager, type FullManager } from '../token/tokenManager.js';
import type { TokenSource, TokenStream } from '../token/types.js';
import { endManager, resumeManager } from './endManager.js';
import { Place } from './recentlyUsed.js';
import { createSharedTimer, type Timed } from './sharedTimer.js';
import type { WeakTarget } from './weakTarget.js';

type EntryContext = ReturnType<typeof createEntryContext>;

/**
 * What the entries of a pool share.
 *
 * @param onUnused called when one may have gone out of use
 */
export function createEntryContext(settings: Settings, onUnused: () => void) {
  const { clock } = settings;
  const timers = createTimers(settings.scheduler, clock);
  // The context in which the pool was made: a request that asks first must not be kept alive.
  const runInContext = captureContext();
  const after = (delay: number, fire: () => void) => runInContext(() => timers.after(delay).subscribe(fire));
  const setTimer = createSharedTimer(after, clock.now);
  return { clock, timers, events: createEventQueue(settings.shownNow), runInContext, setTimer, onUnused };
}

/**
 * What the pool has of a key: the state of its stream, and a manager while somebody uses the stream. The manager takes
 * ten times the memory of the state, so it is ended in the next tick after the last use.
 */
export class Entry<K> extends Place implements Timed {
  dueAt = Infinity;
  readonly state = initialState();
  manager: FullManager | null = null;
  /** What was handed out, while somebody holds it. */
  handedOut: WeakTarget<TokenStream> | null = null;
  /** As in the state, which is elsewhere in memory: each `get` reads it. */
  isClosed = false;
  /** It is not the entry of its key any more. The pool does not report its events. */
  private isDropped = false;
  /** How many attempts run, and how many are subscribed. */
  private uses = 0;

  constructor(
    readonly name: string,
    readonly key: K,
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
   * each `get` may make three of these.
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
    if (this.manager) this.manager.reset();
    else {
      this.forget();
      if (this.state.isConnected) this.disconnect();
    }
    // After the event of `disconnect`.
    this.isDropped = true;
  }

  close(): void {
    const { manager, source, settings, state } = this;
    this.isClosed = true;
    // Only a manager can close a source or a store.
    if (manager || settings.store || ON_CLOSE in (state.giver ?? source)) this.activate().close();
    else if (!state.isClosed) {
      Object.assign(state, { isClosed: true, isConnected: false });
      this.forget();
      this.tell({ type: 'closed' });
    }
  }

  /** The manager may be ended, or the next moment of the token has come. */
  onDue(): void {
    if (!this.manager) this.onMoment();
    else if (this.mayEnd()) {
      endManager(this.manager);
      this.manager = null;
      this.startTimer();
    }
    this.context.onUnused();
  }

  private startManager(): FullManager {
    const { source, state, settings, context } = this;
    const { clock, setTimer } = context;
    const inTurn: Settings['inTurn'] = (attempt$) => this.whileUsed(() => settings.inTurn(attempt$));
    const manager = createManager(source, { ...settings, inTurn }, undefined, state);
    this.manager = manager;
    manager.events$.subscribe((event) => {
      this.endLater();
      this.tell(event);
      if (event.type !== 'closed') return;
      setTimer(this, Infinity);
      context.onUnused();
    });
    if (state.isClosed) manager.parts.context.events.complete();
    // Replaces the timer of the moment, which is the manager's now.
    else setTimer(this, clock.now());
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
    // `wake` is listened to.
    const isWaiting = settings.wake === EMPTY && pauseLeft(state, this.context.clock.now()) === 0;
    return !isConnected || (isWaiting && !this.isRefreshDue());
  }

  /** What the check of a manager does. A manager is made only to renew the token. */
  private onMoment(): void {
    const { state, settings } = this;
    const time = this.context.clock.now();
    reportExpiry(state, time, (event) => {
      this.tell(event);
    });
    if (!this.manager && state.isConnected && !keepsRunning(state, time, settings)) this.disconnect();
    // A listener may have used the stream: then its manager does the rest.
    if (this.manager) return;
    if (this.isRefreshDue()) this.activate().parts.context.recheck();
    else this.startTimer();
  }

  private isRefreshDue(): boolean {
    return this.state.isConnected && whyRefresh(this.state, this.context.clock.now()) !== null;
  }

  /** Waits for the next moment of the token. */
  private startTimer(): void {
    const { held } = this.state;
    if (held) this.context.setTimer(this, nextMoment(held, this.context.clock.now()));
  }

  /** Stops the renewals, without a manager. */
  private disconnect(): void {
    this.state.isConnected = false;
    this.tell({ type: 'idle' });
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
