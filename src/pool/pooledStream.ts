/** The stream of a key, whose manager comes and goes. */
import { defer, Observable, of, type Subscriber } from 'rxjs';
import { PROOF } from '../internal/hiddenMembers.js';
import type { SourceHooks } from '../token/sourceHooks.js';
import { accept } from '../token/requests/recovery.js';
import { usableToken } from '../token/decisions/state.js';
import type { TokenManager } from '../token/tokenManager.js';
import { useFresh } from '../token/requests/tokenViews.js';
import { MANAGER, managerOf, streamOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import type { Entry } from './entry.js';

/**
 * The stream of a key. The pool keeps one for each key, so it has few members of its own: what `streamOf` returns takes
 * 2 kB. They are functions: whoever freezes, wraps or compares the members of an object does not get to the entry.
 */
export function pooledStream(entry: Entry): TokenStream {
  entry.stream ??= Object.create(prototype, {
    // Enumerable: those who compare two streams see that they are not equal.
    _subscribe: { value: (to: Subscriber<AccessToken>) => pooledManager(entry).token$.subscribe(to), enumerable: true },
    manager: { value: () => pooledManager(entry) },
  }) as TokenStream;
  return entry.stream;
}

/** When it is first read, the stream gets it for its own: it is the same from then on, and a test may replace it. */
const member = (name: string | symbol): PropertyDescriptor & ThisType<TokenStream> => ({
  get(): unknown {
    const whole = streamOf(managerOf(this));
    // Not by `Object.defineProperty`, which throws if the stream was frozen.
    Reflect.defineProperty(this, name, Object.getOwnPropertyDescriptor(whole, name) as PropertyDescriptor);
    return Reflect.get(whole, name);
  },
  configurable: true,
});
const members = ['__v_skip', 'events', 'current', 'refresh', 'reject', 'signOut', 'close', Symbol.dispose];
const prototype = Object.create(Observable.prototype, {
  ...Object.fromEntries(members.map((name) => [name, member(name)])),
  [MANAGER]: {
    get(this: { manager?: () => TokenManager }) {
      return this.manager?.();
    },
  },
}) as object;

/** It asks for the manager each time, since that may have ended. */
function pooledManager(entry: Entry): TokenManager {
  const { source, state, settings, context } = entry;
  const { now } = context.clock;

  return {
    token$: entry.whileUsed((active) => active.token$),
    events$: entry.whileUsed((active) => active.events$),
    waits$: entry.whileUsed((active) => active.waits$),
    // A fresh token needs no manager.
    use: () => useFresh(state, now) ?? entry.activate().use(),
    take: (maxWait) =>
      defer(() => {
        const token = useFresh(state, now);
        return token ? of(token) : entry.whileUsed((active) => active.take(maxWait));
      }),
    refresh: () => entry.whileUsed((active) => active.refresh()),
    recover: (rejection, maxWait) => entry.whileUsed((active) => active.recover(rejection, maxWait)),
    reject: (rejection) => entry.activate().reject(rejection),
    accepted: (token, keyOf) => accept(state, token, keyOf),
    newest: (token, rejected) => entry.activate().newest(token, rejected),
    isOfSource: (signal) => entry.manager?.isOfSource(signal) ?? false,
    now,
    userNow: settings.userNow,
    timers: context.timers,
    proof: (source as SourceHooks)[PROOF],
    isClosed: () => state.isClosed || context.isClosed,
    current: () => usableToken(state, now()),
    lastError: () => state.lastError,
    signOut: () => entry.activate().signOut(),
    close: () => entry.close(),
  };
}
