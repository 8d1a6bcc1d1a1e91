/** The stream of a key, whose manager comes and goes. */
import { defer, of } from 'rxjs';
import { PROOF } from '../internal/hiddenMembers.js';
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
