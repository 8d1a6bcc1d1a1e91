import type { Observable } from 'rxjs';
import { TokenStreamClosedError } from '../errors.js';
import { captureContext } from '../internal/callerContext.js';
import { wrong } from '../internal/validate.js';
import { createTokenStream, managerOf } from '../token/tokenStream.js';
import type { TokenSource, TokenStream } from '../token/types.js';
import { frozenCopy } from './canonicalKey.js';
import { settingsOf, type PoolSettings, type TokenPoolOptions } from './options.js';
import { pooledEvents, type PooledStream, type PooledTokenEvent } from './pooledEvents.js';
import { recentlyUsed } from './recentlyUsed.js';

/** The option of `delete` of a {@link TokenPool}. */
export interface TokenPoolDeleteOptions {
  /**
   * The session ends first, for all who share its store too, whether the pool has a stream of the key or not. Default
   * false.
   */
  signOut?: boolean | undefined;
}

/** A token stream for each key: each tenant, audience or user. */
export interface TokenPool<K> {
  /**
   * The stream of a key, made when the key is asked for first. Ask for it each time: a stream that the pool has let go of
   * still works, but it is not that of the key any more.
   *
   * @throws TypeError if the key cannot be told from others, {@link TokenStreamClosedError} after `close()`
   */
  get(key: K): TokenStream;
  /** What happens to the tokens of all keys. Watching causes no fetch. It completes on `close()`. */
  readonly events: Observable<PooledTokenEvent<K>>;
  /** How many streams there are. */
  readonly size: number;
  /** Closes the stream of a key, and forgets it. */
  delete(key: K, options?: TokenPoolDeleteOptions): void;
  /** Closes all streams. */
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Keeps a token stream for each key, and lets go of those that nobody uses.
 *
 * ```ts
 * const tokens = createTokenPool((tenant: { id: string; audience: string }) =>
 *   clientCredentials({ issuer: `https://id.example.com/${tenant.id}`, clientId: 'orders', clientSecret, audience: tenant.audience }),
 * );
 * tokens.get({ id: 'acme', audience: 'stock' }).subscribe((token) => console.log(String(token))); // AccessToken(Bearer 4ac1a6a0)
 * ```
 *
 * A key is compared by its members, all of them, in any order. Streams are made in the asynchronous context in which the
 * pool was made, not in that of the request which asked first.
 *
 * @param source makes the token source of a key. It is given a frozen copy of the key; with `idOf`, the key itself.
 * @throws TypeError that names an option out of range.
 */
export function createTokenPool<K>(source: (key: K) => TokenSource, options: TokenPoolOptions<K> = {}): TokenPool<K> {
  if (typeof source !== 'function')
    throw new TypeError('createTokenPool takes a function that makes the token source of a key');
  const settings = settingsOf(options);
  const { max, idOf } = settings;
  const create = streamMaker(source, settings);
  const events = pooledEvents<K>(() => streams.all());
  const streams = recentlyUsed<PooledStream<K>>({
    max,
    isInUse: ({ token$ }) => managerOf(token$).isInUse(),
    letGo: (stream) => {
      // Not closed: whoever holds the stream may be about to use it.
      managerOf(stream.token$).rest();
      events.remove(stream);
    },
  });
  let isClosed = false;

  function checkedId(key: K): string {
    if (isClosed) throw new TokenStreamClosedError('the token pool is closed');
    return idOf(key);
  }

  function get(key: K): TokenStream {
    const id = checkedId(key);
    const known = streams.use(id);
    if (known) return known.token$;
    const stream = create(id, key);
    streams.add(id, stream);
    events.add(stream);
    return stream.token$;
  }

  function remove(key: K, { signOut = false }: TokenPoolDeleteOptions = {}): void {
    if (typeof signOut !== 'boolean') throw wrong('signOut', signOut, 'a boolean');
    const id = checkedId(key);
    // The session may live in a store, or in what the source reads, though no stream of it does.
    if (signOut) get(key).signOut();
    const stream = streams.take(id);
    stream?.token$.close();
    if (stream) events.remove(stream);
  }

  function close(): void {
    isClosed = true;
    for (const { token$ } of streams.all()) token$.close();
    events.complete();
  }

  return {
    get,
    events: events.events$,
    get size() {
      return isClosed ? 0 : streams.size();
    },
    delete: remove,
    close,
    [Symbol.dispose]: close,
  };
}

/** Makes the stream of a key, in the context in which the pool is made: a request that asks first must not be kept alive. */
function streamMaker<K>(source: (key: K) => TokenSource, { idOf, isCanonical, streamOptionsOf }: PoolSettings<K>) {
  const runInContext = captureContext();
  return (id: string, given: K): PooledStream<K> =>
    runInContext(() => {
      const key = isCanonical ? frozenCopy(given) : given;
      // A getter may have said something else the second time.
      if (isCanonical && idOf(key) !== id)
        throw new TypeError('the key of a token pool must not change while it is read');
      const made: unknown = source(key);
      if (typeof made !== 'function')
        throw new TypeError('createTokenPool takes a function that makes the token source of a key: it made none');
      return { key, token$: createTokenStream(made as TokenSource, streamOptionsOf(id, key)) };
    });
}
