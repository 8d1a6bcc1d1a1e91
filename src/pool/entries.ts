import { EMPTY, Observable } from 'rxjs';
import { captureContext } from '../internal/callerContext.js';
import { ON_CLOSE } from '../internal/sourceHooks.js';
import { clockOf } from '../internal/steadyClock.js';
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
import { createSharedTimer, type Timed } from './sharedTimer.js';
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

export interface Entries<K> {
  readonly timers: Timers;
  /** Milliseconds on a clock that is never set back. */
  readonly now: () => number;
  /** Milliseconds on the clock of the tokens' times. */
  readonly shownNow: () => number;
  /** The manager of an entry, which is created if there is none. */
  readonly activate: (entry: Entry<K>) => EndingManager;
  /** While somebody is subscribed, the manager stays. */
  readonly whileUsed: <T>(entry: Entry<K>, make: (manager: EndingManager) => Observable<T>) => Observable<T>;
  /** Forgets the token. The stream stays open. */
  readonly rest: (entry: Entry<K>) => void;
  readonly close: (entry: Entry<K>) => void;
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
 *
 * @param tell is told what happens to the stream of an entry
 */
export function createEntries<K>(
  settings: Settings,
  tell: (entry: Entry<K>, event: UntimedTokenEvent) => void,
): Entries<K> {
  const { scheduler, inTurn, wake } = settings;
  const clock = clockOf(settings);
  const { now } = clock;
  const runInContext = captureContext();
  const timers = createTimers(scheduler, clock);
  const after = (delay: number, what: () => void) => runInContext(() => timers.after(delay).subscribe(what));
  const setTimer = createSharedTimer(after, now, onDue);

  const activate = (entry: Entry<K>): EndingManager => entry.manager ?? runInContext(() => createManagerOf(entry));

  function createManagerOf(entry: Entry<K>): EndingManager {
    const { source, state } = entry;
    const attemptInTurn: Settings['inTurn'] = (attempt$) => whileUsed(entry, () => inTurn(attempt$));
    const rejections = entry.rejections ?? createRejectionMemory(settings.rejectionBudget);
    const manager = createManager(source, { ...entry.settings, inTurn: attemptInTurn }, { state, rejections, clock });
    entry.manager = manager;
    manager.events$.subscribe((event) => {
      if (event.type === 'tokenRejected') entry.rejections = rejections;
      if (event.type === 'closed') setTimer(entry, Infinity);
      else release(entry);
      tell(entry, event);
    });
    if (state.isClosed) manager.parts.context.events.complete();
    else setTimer(entry, now());
    resume(manager);
    return manager;
  }

  // Hand-made, since `defer` with `finalize` is four Observables, and each `get` may make three of these.
  const whileUsed: Entries<K>['whileUsed'] = (entry, make) =>
    new Observable((subscriber) => {
      entry.uses++;
      subscriber.add(() => {
        entry.uses--;
        release(entry);
      });
      make(activate(entry)).subscribe(subscriber);
    });

  /** The manager ends later: it may be in the middle of something. */
  function release(entry: Entry<K>): void {
    if (entry.dueAt === Infinity && !entry.state.isClosed) setTimer(entry, now());
  }

  /** The manager may end, or the next moment of a token has come. */
  function onDue(entry: Entry<K>): void {
    if (!entry.manager) onMoment(entry);
    else if (mayBeSuspended(entry)) {
      suspend(entry.manager);
      entry.manager = null;
      startTimer(entry);
    }
  }

  function startTimer(entry: Entry<K>): void {
    const { held } = entry.state;
    if (held) setTimer(entry, nextMoment(held, now()));
  }

  /** What the check of a manager does. A manager is made only to renew the token. */
  function onMoment(entry: Entry<K>): void {
    const { state } = entry;
    const time = now();
    reportExpiry(state, time, (event) => {
      tell(entry, event);
    });
    // A listener may have used the stream: then its manager says when it is idle.
    if (!entry.manager && state.isConnected && !keepsRunning(state, time, settings)) disconnect(entry);
    else if (entry.manager || isRefreshDue(state, now())) activate(entry).parts.context.recheck();
    if (!entry.manager) startTimer(entry);
  }

  /** Stops the renewals of an entry without a manager. */
  function disconnect(entry: Entry<K>): void {
    entry.state.isConnected = false;
    tell(entry, { type: 'idle' });
  }

  function rest(entry: Entry<K>): void {
    if (entry.manager) {
      entry.manager.rest();
      return;
    }
    forget(entry);
    if (entry.state.isConnected) disconnect(entry);
  }

  function close(entry: Entry<K>): void {
    const { manager, source, settings, state } = entry;
    // Only a manager can close a source or a store.
    if (manager || settings.store || ON_CLOSE in source) activate(entry).close();
    else if (!state.isClosed) {
      state.isClosed = true;
      tell(entry, { type: 'closed' });
      forget(entry);
    }
  }

  /** As a manager does at the end of a session. */
  function forget(entry: Entry<K>): void {
    setTimer(entry, Infinity);
    forgetSession(entry.state, entry.rejections);
  }

  /** Nobody uses the stream, and nothing but the next moment of its token makes it act. */
  function mayBeSuspended({ uses, state, settings: { store } }: Entry<K>): boolean {
    const { held, isConnected, refresh, isClosed } = state;
    // A store may tell of the end of the session, or of another token.
    if (uses > 0 || refresh || isClosed || (store && (held || isConnected))) return false;
    // `wake` is listened to.
    return !isConnected || (wake === EMPTY && pauseLeft(state, now()) === 0 && !isRefreshDue(state, now()));
  }

  return { timers, now, shownNow: settings.now, activate, whileUsed, rest, close };
}

const isRefreshDue = (state: TokenState, now: number): boolean => state.isConnected && whyRefresh(state, now) !== null;
