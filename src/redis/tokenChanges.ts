/** Follows the tokens that other processes store, by pushes and by reading the hash after a lost connection. */
import { concatMap, defer, finalize, map, merge, share, Subject, switchMap, tap, type Observable } from 'rxjs';
import type { StoredToken } from '../token/tokenStore.js';
import { RedisUnavailable } from './scripts/boundedCalls.js';
import { parsePush, type EncryptedToken } from './scripts/replies.js';
import { handOut, keep, type StoreContext } from './storeContext.js';
import type { ChannelEvent } from './connection/openDuplicate.js';
import { decryptRecord, type TokenRecord } from './records/tokenRecord.js';

/** Between looks at the hash while Redis does not answer. Milliseconds. */
const RETRY = 1000;

/** What the pushes of others bring: each token that is newer than all before, and than those of this process. */
export function tokenChanges(store: StoreContext, events$: Observable<ChannelEvent>): Observable<StoredToken> {
  const { calls, cache, wake$, found$, timers } = store;
  const failed$ = new Subject<void>();
  const again$ = failed$.pipe(
    switchMap(() => timers.after(RETRY)),
    map(() => ({ type: 'connected' }) as const),
  );

  /** What may have been missed before the channel was open. It also tells the time, which dates all pushes. */
  async function readCurrent(): Promise<EncryptedToken | null> {
    const answer = await calls.acquire({ owner: '', beyond: cache.newestGeneration(), kind: '', shortensPause: false });
    return answer.type === 'token' ? answer.token : null;
  }

  /** The token that an event brings. What cannot be trusted, or dated, only causes a look at the hash. */
  async function tokenIn(event: ChannelEvent): Promise<EncryptedToken | null> {
    if (event.type === 'connected') return readCurrent();
    const push = parsePush(event.text);
    if (!push) return null;
    calls.learnTime(push.now);
    if (push.type === 'signedOut' || !calls.knowsTime()) return readCurrent();
    if (push.type !== 'token') return null;
    return calls.isOwnHash(push.hashId) && calls.isPlausible(push.token.generation) ? push.token : readCurrent();
  }

  async function onEvent(event: ChannelEvent): Promise<TokenRecord | null> {
    try {
      const token = await tokenIn(event);
      return token && (await decryptRecord(store.encryption, token));
    } catch (failure) {
      // The channel may be connected sooner than the client is. No other event may come.
      if (failure instanceof RedisUnavailable) failed$.next();
      return null; // What is encrypted for others, a refresh reports.
    }
  }

  return defer(() => {
    let newest = 0;
    const received$ = merge(events$, again$).pipe(
      concatMap(onEvent),
      // Only while somebody listens: an event may take longer than that, and the cache has been cleared.
      map((token) => token && keep(store, token)),
      tap(() => wake$.next()),
    );
    return merge(received$, found$).pipe(
      concatMap((token) => {
        if (!token || token.generation <= newest || cache.isBehindOwn(token.generation)) return [];
        newest = token.generation;
        return [handOut(store, token, 'shared')];
      }),
      // Without pushes nobody tells that a token was rejected, or that the session has ended.
      finalize(cache.clear),
    );
  }).pipe(share());
}
