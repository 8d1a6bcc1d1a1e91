import { EMPTY, Observable } from 'rxjs';
import { captureContext } from '../internal/callerContext.js';
import { IN_TURN, type InTurn } from '../internal/sourceHooks.js';
import { clockOf } from '../internal/steadyClock.js';
import { createTimers, type Timers } from '../internal/timers.js';
import { reportExpiry, type TokenRecord } from '../token/context.js';
import type { UntimedTokenEvent } from '../token/events.js';
import type { Settings } from '../token/options.js';
import { createRejectionMemory } from '../token/rejectionMemory.js';
import { initialState, keepsRunning, pauseLeft, whyRefresh, type TokenState } from '../token/state.js';
import { resume, suspend } from './suspension.js';
import { nextMoment } from '../token/tokenHolder.js';
import { createManager, type EndingManager } from '../token/tokenManager.js';
import type { TokenSource, TokenStream, TokenStreamOptions } from '../token/types.js';
import { createSharedTimer, type Timed } from './sharedTimer.js';
import type { WeakTarget } from './weakTarget.js';

/**
 * What the pool has of a key. The state is what is known of its stream; a manager acts on it while there is something
 * to do.
 */
export interface Entry<K> extends Timed {
  readonly key: K;
  readonly source: TokenSource;
  readonly options: TokenStreamOptions;
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
  /** Its manager, which is made if there is none. */
  readonly managerOf: (entry: Entry<K>) => EndingManager;
  /** While somebody is subscribed, the manager stays. */
  readonly using: <T>(entry: Entry<K>, make: () => Observable<T>) => Observable<T>;
}

export const createEntry = <K>(key: K, source: TokenSource, options: TokenStreamOptions): Entry<K> => ({
  key,
  source,
  options,
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
  const sharedTimer = createSharedTimer(after, now, onDue);

  const managerOf = (entry: Entry<K>): EndingManager => entry.manager ?? runInContext(() => createManagerOf(entry));

  function createManagerOf(entry: Entry<K>): EndingManager {
    const { source, options, state } = entry;
    const turns: { [IN_TURN]: InTurn } = { [IN_TURN]: (attempt$) => using(entry, () => inTurn(attempt$)) };
    const rejections = entry.rejections ?? createRejectionMemory(settings.rejectionBudget);
    const manager = createManager(source, { ...options, ...turns }, { state, rejections, clock });
    entry.manager = manager;
    manager.events$.subscribe((event) => {
      if (event.type === 'tokenRejected') entry.rejections = rejections;
      if (event.type === 'closed') sharedTimer.clear(entry);
      else release(entry);
      tell(entry, event);
    });
    sharedTimer.set(entry, now());
    resume(manager);
    return manager;
  }

  // Hand-made, since `defer` with `finalize` is four Observables, and each `get` may make three of these.
  const using: Entries<K>['using'] = (entry, make) =>
    new Observable((subscriber) => {
      entry.uses++;
      subscriber.add(() => {
        entry.uses--;
        release(entry);
      });
      make().subscribe(subscriber);
    });

  /** The manager ends later: it may be in the middle of something. */
  function release(entry: Entry<K>): void {
    if (entry.dueAt === Infinity && !entry.state.isClosed) sharedTimer.set(entry, now());
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
    if (held) sharedTimer.set(entry, nextMoment(held, now()));
  }

  /** What the check of a manager does. A manager is made only to renew the token. */
  function onMoment(entry: Entry<K>): void {
    const { state } = entry;
    const time = now();
    reportExpiry(state, time, (event) => {
      tell(entry, event);
    });
    // A listener may have used the stream: then its manager says when it is idle.
    const isIdle = !entry.manager && state.isConnected && !keepsRunning(state, time, settings);
    if (isIdle) {
      state.isConnected = false;
      tell(entry, { type: 'idle' });
    } else if (entry.manager || isRefreshDue(state, now())) managerOf(entry).parts.context.recheck();
    if (!entry.manager) startTimer(entry);
  }

  /** Nobody uses the stream, and nothing but the next moment of its token makes it act. */
  function mayBeSuspended({ uses, state, options }: Entry<K>): boolean {
    const { isConnected, refresh, isClosed } = state;
    // A store and `wake` are listened to.
    if (uses > 0 || refresh || isClosed || options.store) return false;
    return !isConnected || (wake === EMPTY && pauseLeft(state, now()) === 0 && !isRefreshDue(state, now()));
  }

  return { timers, now, shownNow: settings.now, managerOf, using };
}

const isRefreshDue = (state: TokenState, now: number): boolean => state.isConnected && whyRefresh(state, now) !== null;
