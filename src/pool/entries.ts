import { EMPTY, Observable } from 'rxjs';
import { captureContext } from '../internal/callerContext.js';
import { ON_CLOSE } from '../internal/sourceHooks.js';
import { clockOf, type SteadyClock } from '../internal/steadyClock.js';
import { createTimers, type Timers } from '../internal/timers.js';
import { reportExpiry, type TokenRecord } from '../token/context.js';
import type { UntimedTokenEvent } from '../token/events.js';
import type { Settings } from '../token/options.js';
import { createRejectionMemory } from '../token/rejectionMemory.js';
import { forgetSession } from '../token/session.js';
import { initialState, keepsRunning, pauseLeft, whyRefresh, type TokenState } from '../token/state.js';
import { resume, suspend } from './suspension.js';
import { nextMoment } from '../token/tokenHolder.js';
import { createManager, type EndingManager } from '../token/tokenManager.js';
import type { TokenSource, TokenStream } from '../token/types.js';
import { createSharedTimer, type SharedTimer, type Timed } from './sharedTimer.js';
import type { WeakTarget } from './weakTarget.js';

/**
 * What the pool has of a key. The state is what is known of its stream; a manager acts on it while there is something
 * to do.
 */
export interface Entry<K> extends Timed {
  readonly key: K;
  readonly source: TokenSource;
  readonly settings: Settings;
  readonly state: TokenState;
  /** Null: no token was rejected. */
  rejections: TokenRecord['rejections'] | null;
  manager: EndingManager | null;
  /** How many attempts run, and how many are subscribed. */
  uses: number;
  /** It is not that of the key any more. */
  isGone: boolean;
  /** What was handed out, while somebody holds it. */
  handedOut: WeakTarget<TokenStream> | null;
}

export const createEntry = <K>(key: K, source: TokenSource, settings: Settings): Entry<K> => ({
  key,
  source,
  settings,
  state: initialState(),
  rejections: null,
  manager: null,
  uses: 0,
  isGone: false,
  handedOut: null,
  dueAt: Infinity,
});

/**
 * Makes a manager when a stream is used, and ends it when nobody uses it: it takes ten times the memory of the state.
 */
export class Entries<K> {
  readonly timers: Timers;
  /** Milliseconds on a clock that is never set back. */
  readonly now: () => number;
  private readonly clock: SteadyClock;
  private readonly runInContext = captureContext();
  private readonly setTimer: SharedTimer<Entry<K>>;

  /** @param tell is told what happens to the stream of an entry */
  constructor(
    private readonly settings: Settings,
    private readonly tell: (entry: Entry<K>, event: UntimedTokenEvent) => void,
  ) {
    this.clock = clockOf(settings);
    this.now = this.clock.now;
    this.timers = createTimers(settings.scheduler, this.clock);
    this.setTimer = createSharedTimer(
      (delay, fire) => this.runInContext(() => this.timers.after(delay).subscribe(fire)),
      this.now,
      (entry) => {
        this.onDue(entry);
      },
    );
  }

  /** Milliseconds on the clock of the tokens' times. */
  get shownNow(): () => number {
    return this.settings.now;
  }

  /** The manager of an entry, which is created if there is none. */
  activate(entry: Entry<K>): EndingManager {
    return entry.manager ?? this.runInContext(() => this.createManagerOf(entry));
  }

  /**
   * While somebody is subscribed, the manager stays. Hand-made, since `defer` with `finalize` is four Observables, and
   * each `get` may make three of these.
   */
  whileUsed<T>(entry: Entry<K>, make: (manager: EndingManager) => Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      entry.uses++;
      subscriber.add(() => {
        entry.uses--;
        this.release(entry);
      });
      make(this.activate(entry)).subscribe(subscriber);
    });
  }

  /** Forgets the token. The stream is not closed: whoever holds it may be about to use it. */
  letGo(entry: Entry<K>): void {
    if (entry.manager) entry.manager.rest();
    else {
      this.forget(entry);
      if (entry.state.isConnected) this.disconnect(entry);
    }
    entry.isGone = true;
  }

  close(entry: Entry<K>): void {
    const { manager, source, settings, state } = entry;
    // Only a manager can close a source or a store.
    if (manager || settings.store || ON_CLOSE in source) this.activate(entry).close();
    else if (!state.isClosed) {
      state.isClosed = true;
      this.tell(entry, { type: 'closed' });
      this.forget(entry);
    }
  }

  private createManagerOf(entry: Entry<K>): EndingManager {
    const { source, state } = entry;
    const { inTurn, rejectionBudget } = this.settings;
    const attemptInTurn: Settings['inTurn'] = (attempt$) => this.whileUsed(entry, () => inTurn(attempt$));
    const rejections = entry.rejections ?? createRejectionMemory(rejectionBudget);
    const settings = { ...entry.settings, inTurn: attemptInTurn };
    const manager = createManager(source, settings, { state, rejections, clock: this.clock });
    entry.manager = manager;
    manager.events$.subscribe((event) => {
      if (event.type === 'tokenRejected') entry.rejections = rejections;
      if (event.type === 'closed') this.setTimer(entry, Infinity);
      else this.release(entry);
      this.tell(entry, event);
    });
    if (state.isClosed) manager.parts.context.events.complete();
    else this.setTimer(entry, this.now());
    resume(manager);
    return manager;
  }

  /** The manager ends later: it may be in the middle of something. */
  private release(entry: Entry<K>): void {
    if (entry.dueAt === Infinity && !entry.state.isClosed) this.setTimer(entry, this.now());
  }

  /** The manager may end, or the next moment of a token has come. */
  private onDue(entry: Entry<K>): void {
    if (!entry.manager) this.onMoment(entry);
    else if (mayBeSuspended(entry, this.now(), this.settings.wake)) {
      suspend(entry.manager);
      entry.manager = null;
      this.startTimer(entry);
    }
  }

  private startTimer(entry: Entry<K>): void {
    const { held } = entry.state;
    if (held) this.setTimer(entry, nextMoment(held, this.now()));
  }

  /** What the check of a manager does. A manager is made only to renew the token. */
  private onMoment(entry: Entry<K>): void {
    const { state } = entry;
    const time = this.now();
    reportExpiry(state, time, (event) => {
      this.tell(entry, event);
    });
    // A listener may have used the stream: then its manager says when it is idle.
    if (!entry.manager && state.isConnected && !keepsRunning(state, time, this.settings)) this.disconnect(entry);
    else if (entry.manager || isRefreshDue(state, this.now())) this.activate(entry).parts.context.recheck();
    if (!entry.manager) this.startTimer(entry);
  }

  /** Stops the renewals of an entry without a manager. */
  private disconnect(entry: Entry<K>): void {
    entry.state.isConnected = false;
    this.tell(entry, { type: 'idle' });
  }

  private forget(entry: Entry<K>): void {
    this.setTimer(entry, Infinity);
    forgetSession(entry.state, entry.rejections);
  }
}

/** Nobody uses the stream, and nothing but the next moment of its token makes it act. */
function mayBeSuspended<K>({ uses, state, settings }: Entry<K>, now: number, wake: Settings['wake']): boolean {
  const { held, isConnected, refresh, isClosed } = state;
  // A store may tell of the end of the session, or of another token.
  if (uses > 0 || refresh || isClosed || (settings.store && (held || isConnected))) return false;
  // `wake` is listened to.
  return !isConnected || (wake === EMPTY && pauseLeft(state, now) === 0 && !isRefreshDue(state, now));
}

const isRefreshDue = (state: TokenState, now: number): boolean => state.isConnected && whyRefresh(state, now) !== null;
