import { defer, of, type Observable } from 'rxjs';
import { PROOF } from '../internal/sourceHooks.js';
import type { SourceHooks } from '../token/proof.js';
import { accept } from '../token/recovery.js';
import { usableToken } from '../token/state.js';
import type { TokenManager } from '../token/tokenManager.js';
import { useFresh } from '../token/tokenViews.js';
import { streamOf } from '../token/tokenStream.js';
import type { TokenStream } from '../token/types.js';
import type { Entries, Entry } from './entries.js';
import { weakTarget } from './weakTarget.js';

/** The stream of a key: the same one, as long as somebody holds it. It has no state of its own. */
export function pooledStream<K>(entry: Entry<K>, entries: Entries<K>): TokenStream {
  const handedOut = entry.handedOut?.deref();
  if (handedOut) return handedOut;
  const stream = streamOf(pooledManager(entry, entries));
  entry.handedOut = weakTarget(stream);
  return stream;
}

/** It asks for the manager each time, since that may have ended. */
function pooledManager<K>(entry: Entry<K>, entries: Entries<K>): TokenManager {
  const { source, state } = entry;
  const { timers, now, shownNow } = entries;
  const manager = () => entries.activate(entry);
  const observe = <T>(select: (active: TokenManager) => Observable<T>) => entries.whileUsed(entry, select);

  /** A fresh token needs no manager. */
  const useIfFresh = () => useFresh(state, now);

  return {
    token$: observe((active) => active.token$),
    events$: observe((active) => active.events$),
    waits$: observe((active) => active.waits$),
    use: () => useIfFresh() ?? manager().use(),
    take: (maxWait) =>
      defer(() => {
        const token = useIfFresh();
        return token ? of(token) : observe((active) => active.take(maxWait));
      }),
    refresh: () => observe((active) => active.refresh()),
    recover: (rejection, maxWait) => observe((active) => active.recover(rejection, maxWait)),
    reject: (rejection) => {
      manager().reject(rejection);
    },
    accepted: (token, keyOf) => {
      accept(state, entry.rejections, token, keyOf);
    },
    newest: (token, rejected) => manager().newest(token, rejected),
    owns: (signal) => entry.manager?.owns(signal) ?? false,
    shownNow,
    timers,
    proof: (source as SourceHooks)[PROOF],
    isClosed: () => state.isClosed,
    current: () => usableToken(state, now()),
    signOut: () => {
      manager().signOut();
    },
    close: () => {
      entries.close(entry);
    },
  };
}
