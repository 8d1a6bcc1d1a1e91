import { concatMap, defer, filter, finalize, merge, of, share, type Observable } from 'rxjs';
import type { StoredToken } from '../token/tokenStore.js';
import { pushed, type Push, type SealedToken } from './replies.js';
import type { StoreContext } from './storeContext.js';
import type { ChannelEvent } from './duplicate.js';
import type { TokenRecord } from './tokenRecord.js';

/** What the pushes of others bring: each new token once, in order. */
export function tokenChanges(store: StoreContext, events$: Observable<ChannelEvent>): Observable<StoredToken> {
  const { calls, cache, wake$, found$, storeId } = store;

  /**
   * What may have been missed before the channel was open. It also tells the time, without which no push can be dated.
   */
  async function readCurrent(): Promise<SealedToken | null> {
    const answer = await calls.acquire({
      owner: '',
      beyond: cache.newest()?.generation ?? 0,
      kind: '',
      endsPause: false,
    });
    return answer.type === 'token' ? answer.token : null;
  }

  /**
   * A push about another hash, one that cannot be dated, or one that no script can have sent, only causes a look at the
   * hash.
   */
  const isTrusted = (push: Push | null): push is Push =>
    push !== null &&
    calls.knowsTime() &&
    (push.type === 'failed' ||
      (push.type === 'token' && calls.isOwnHash(push.hashId) && calls.isPlausible(push.token.generation)));

  async function onEvent(event: ChannelEvent): Promise<TokenRecord | null> {
    const push = event.type === 'message' ? pushed(event.text) : null;
    if (push === undefined) return null;
    try {
      if (push) calls.learnTime(push.now);
      if (push?.type === 'token' && push.owner.startsWith(storeId)) return null;
      const token = !isTrusted(push) ? await readCurrent() : push.type === 'token' ? push.token : null;
      return token && (await store.learn(token));
    } catch {
      return null; // Sealed for others, or Redis does not answer. A refresh reports it.
    } finally {
      wake$.next();
    }
  }

  return defer(() => {
    let newest = 0;
    return merge(events$.pipe(concatMap(onEvent)), found$).pipe(
      filter((token) => token !== null && token.generation > newest),
      concatMap((token) => {
        if (!token) return [];
        newest = token.generation;
        return of(store.handOut(token, 'shared'));
      }),
      finalize(cache.clear),
    );
  }).pipe(share());
}
