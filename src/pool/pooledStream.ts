/** The stream of a key, whose manager comes and goes. */
import { defer, of, type Observable } from 'rxjs';
import { PROOF } from '../internal/sourceHooks.js';
import type { SourceHooks } from '../token/sourceHooks.js';
import { accept } from '../token/recovery.js';
import { usableToken } from '../token/state.js';
import type { TokenManager } from '../token/tokenManager.js';
import { useFresh } from '../token/tokenViews.js';
import { streamOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import type { Entry } from './entry.js';
import { weakTarget } from './weakTarget.js';

/** The stream of a key: the same one, as long as somebody holds it. It has no state of its own. */
export function pooledStream(entry: Entry<unknown>): TokenStream {
  const handedOut = entry.handedOut?.deref();
  if (handedOut) return handedOut;
  const stream = streamOf(pooledManager(entry));
  entry.handedOut = weakTarget(stream);
  return stream;
}

/** It asks for the manager each time, since that may have ended. */
function pooledManager(entry: Entry<unknown>): TokenManager {
  const { source, state, settings, context } = entry;
  const { now } = context.clock;
  const observe = <T>(select: (active: TokenManager) => Observable<T>) => entry.whileUsed(select);

  /** A fresh token needs no manager. */
  const useIfFresh = () => useFresh(state, now);

  return {
    token$: observe((active) => active.token$),
    events$: observe((active) => active.events$),
    waits$: observe((active) => active.waits$),
    use: () => useIfFresh() ?? entry.activate().use(),
    take: (maxWait) =>
      defer(() => {
        const token = useIfFresh();
        return token ? of(token) : observe((active) => active.take(maxWait));
      }),
    refresh: () => observe((active) => active.refresh()),
    recover: (rejection, maxWait) => observe((active) => active.recover(rejection, maxWait)),
    reject: (rejection) => {
      entry.activate().reject(rejection);
    },
    accepted: (token, keyOf) => {
      accept(state, token, keyOf);
    },
    newest: (token, rejected) => entry.activate().newest(token, rejected),
    owns: (signal) => entry.manager?.owns(signal) ?? false,
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
