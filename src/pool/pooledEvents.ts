import { defer, finalize, share, Subject, type Observable, type Subscription } from 'rxjs';
import type { TokenEvent } from '../token/events.js';
import type { TokenStream } from '../token/types.js';

/** An event of one of the streams, with the key of that stream. */
export type PooledTokenEvent<K> = TokenEvent & { readonly key: K };

export interface PooledStream<K> {
  readonly key: K;
  readonly token$: TokenStream;
}

export interface PooledEvents<K> {
  readonly events$: Observable<PooledTokenEvent<K>>;
  /** There is another stream. */
  readonly add: (stream: PooledStream<K>) => void;
  /** What happens to the stream from now on is not told. */
  readonly remove: (stream: PooledStream<K>) => void;
  readonly complete: () => void;
}

/**
 * The events of all streams. Hand-made in part: `merge` would keep the streams that the pool has let go of, since their
 * events do not complete. Nothing is subscribed to while nobody listens.
 */
export function pooledEvents<K>(all: () => readonly PooledStream<K>[]): PooledEvents<K> {
  const events = new Subject<PooledTokenEvent<K>>();
  const watched = new Map<PooledStream<K>, Subscription>();

  function watch(stream: PooledStream<K>): void {
    const { key, token$ } = stream;
    watched.set(
      stream,
      token$.events.subscribe((event) => {
        events.next({ ...event, key });
      }),
    );
  }

  function remove(stream: PooledStream<K>): void {
    watched.get(stream)?.unsubscribe();
    watched.delete(stream);
  }

  const events$ = defer(() => {
    all().forEach(watch);
    return events;
  }).pipe(
    finalize(() => {
      [...watched.keys()].forEach(remove);
    }),
    share(),
  );

  return {
    events$,
    add: (stream) => {
      if (events.observed) watch(stream);
    },
    remove,
    complete: () => {
      events.complete();
    },
  };
}
