/** The stream of a key, whose manager comes and goes. */
import { defer, Observable, of } from 'rxjs';
import { PROOF } from '../internal/hiddenMembers.js';
import type { SourceHooks } from '../token/sourceHooks.js';
import { accept } from '../token/recovery.js';
import { usableToken } from '../token/state.js';
import type { TokenManager } from '../token/tokenManager.js';
import { useFresh } from '../token/tokenViews.js';
import { MANAGER, streamOf } from '../token/tokenStream.js';
import type { AccessToken, TokenStream } from '../token/types.js';
import type { Entry } from './entry.js';

interface PooledStream extends Observable<AccessToken> {
  readonly entry: Entry;
}

/**
 * The stream of a key. The pool keeps one for each key, so it has but one member of its own: what `streamOf` returns
 * takes 2 kB.
 */
export function pooledStream(entry: Entry): TokenStream {
  // Not enumerable: nothing prints it. Not extensible: reactive state makes no Proxy of it.
  entry.stream ??= Object.create(prototype, { entry: { value: Object.preventExtensions(entry) } }) as TokenStream;
  return entry.stream;
}

/** Each member that is read is that of a stream which is made then. */
const member = (name: string | symbol): PropertyDescriptor & ThisType<PooledStream> => ({
  get(): unknown {
    const manager = pooledManager(this.entry);
    return name === MANAGER ? manager : Reflect.get(streamOf(manager), name);
  },
});
const members = ['__v_skip', 'events', 'current', 'refresh', 'reject', 'signOut', 'close', Symbol.dispose, MANAGER];
const prototype: object = Object.defineProperties(
  new Observable<AccessToken>(function (subscriber) {
    return pooledManager((this as PooledStream).entry).token$.subscribe(subscriber);
  }),
  Object.fromEntries(members.map((name) => [name, member(name)])),
);

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
    reject: (rejection) => {
      entry.activate().reject(rejection);
    },
    accepted: (token, keyOf) => {
      accept(state, token, keyOf);
    },
    newest: (token, rejected) => entry.activate().newest(token, rejected),
    isOfSource: (signal) => entry.manager?.isOfSource(signal) ?? false,
    now,
    shownNow: settings.shownNow,
    timers: context.timers,
    proof: (source as SourceHooks)[PROOF],
    isClosed: () => state.isClosed,
    current: () => usableToken(state, now()),
    lastError: () => state.lastError,
    signOut: () => {
      entry.activate().signOut();
    },
    close: () => {
      entry.close();
    },
  };
}
