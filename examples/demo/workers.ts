import { concatMap, defer, EMPTY, expand, merge, takeUntil, type Observable } from 'rxjs';

/**
 * `concurrency` workers on one iterator: each takes an item, works on it, and only then asks for the next. So no more
 * is read than is worked on. (`from(iterable).pipe(mergeMap(work, concurrency))` would read everything at once and hold
 * it.) Once `stop$`, which replays, has emitted, nothing more is taken, and what is being worked on is finished.
 */
export function workers<T, R>(
  items: AsyncIterator<T, unknown, undefined>,
  concurrency: number,
  stop$: Observable<unknown>,
  work: (item: T) => Observable<R>,
): Observable<R> {
  // Deferred, so that after the stop the iterator is not even asked.
  const taken = defer(() => items.next()).pipe(takeUntil(stop$));
  const turn: Observable<R> = taken.pipe(concatMap((next) => (next.done === true ? EMPTY : work(next.value))));
  const worker = turn.pipe(expand(() => turn));
  return merge(...Array.from({ length: concurrency }, () => worker));
}
