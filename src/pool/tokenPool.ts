/** The public function `createTokenPool`: one stream per key. */
import type { Observable } from 'rxjs';
import { TokenStreamClosedError } from '../errors.js';
import { ignoreRejection } from '../internal/async/ignoreRejection.js';
import { PROOF } from '../internal/hiddenMembers.js';
import { refuseUnknown, requireBoolean, requireObject } from '../internal/values/validate.js';
import type { TokenEvent } from '../token/events.js';
import type { SourceHooks } from '../token/sourceHooks.js';
import type { TokenSource, TokenStream } from '../token/types.js';
import { keptKey } from './canonicalKey.js';
import { createEntryContext, Entry } from './entry.js';
import { settingsOf, type TokenPoolOptions } from './options.js';
import { pooledStream } from './pooledStream.js';

/** An event of one of the streams, with the key of that stream. */
export type PooledTokenEvent<K> = TokenEvent & { readonly key: K };

/** The option of `delete` of a {@link TokenPool}. */
export interface TokenPoolDeleteOptions {
  /**
   * true: the session of the key ends first, also for all that share its store, and also if the pool has no stream of
   * the key. Default false.
   */
  signOut?: boolean | undefined;
}

/** A token stream for each key: each tenant, audience or user. */
export interface TokenPool<K> {
  /**
   * The stream of a key. The first call creates it. Call `get` for each request, and do not keep the stream: a stream
   * that the pool has dropped still works, but it is not the stream of the key any more.
   *
   * @throws TypeError if the key cannot be told from others, {@link TokenStreamClosedError} after `close()`
   */
  get(key: K): TokenStream;
  /** The events of all streams. Watching fetches no token. It completes on `close()`. */
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
 * Keeps a token stream for each key, and drops the least recently used ones past `max`.
 *
 * ```ts
 * const tokens = createTokenPool((tenant: { id: string; audience: string }) =>
 *   clientCredentials({ issuer: `https://id.example.com/${tenant.id}`, clientId: 'orders', clientSecret, audience: tenant.audience }),
 * );
 * tokens.get({ id: 'acme', audience: 'stock' }).subscribe((token) => console.log(String(token))); // AccessToken(Bearer 4ac1a6a0)
 * ```
 *
 * A key is compared by its members, all of them, in any order. Streams are made in the asynchronous context in which
 * the pool was made, not in that of the request which asked first.
 *
 * @param source returns the token source of a key. It gets a frozen copy of the key; with `idOf`, the key itself.
 * @throws TypeError that names an option out of range.
 */
export function createTokenPool<K>(source: (key: K) => TokenSource, options: TokenPoolOptions<K> = {}): TokenPool<K> {
  if (typeof source !== 'function')
    throw new TypeError('createTokenPool takes a function that makes the token source of a key');
  const { max, settings, nameOf, isCanonical, streamSettingsOf } = settingsOf(options);
  const context = createEntryContext(settings, max);
  const { entries, events } = context;

  function requireOpen(): void {
    if (context.isClosed) throw new TokenStreamClosedError('the token pool is closed');
  }

  function createEntry(name: string, given: K): Entry {
    const key = isCanonical ? keptKey(given, name) : given;
    const made = checkedSource(source(key), options.store);
    return new Entry(name, key, made, streamSettingsOf(name, key), context);
  }

  function get(key: K): TokenStream {
    requireOpen();
    const name = nameOf(key);
    const known = entries.use(name);
    if (known) return pooledStream(known);
    const added = context.runInContext(() => createEntry(name, key));
    // The function that makes the source may have closed the pool, or asked for this key.
    requireOpen();
    const present = entries.use(name);
    if (!present) entries.add(added);
    return pooledStream(present ?? added);
  }

  function remove(key: K, options: TokenPoolDeleteOptions = {}): void {
    const signOut = endsSession(options);
    requireOpen();
    const name = nameOf(key);
    const known = entries.use(name);
    // The session may live in a store, or in what the source reads, though no stream of it does. The one that is made
    // for that takes the place of no other key.
    const entry = known ?? (signOut ? context.runInContext(() => createEntry(name, key)) : undefined);
    if (signOut && entry) pooledStream(entry).signOut();
    entry?.close();
  }

  function close(): void {
    context.isClosed = true;
    for (const entry of entries.all()) entry.close();
    events.complete();
  }

  return {
    get,
    events: events.events$ as Observable<PooledTokenEvent<K>>,
    get size() {
      return context.isClosed ? 0 : entries.size;
    },
    delete: remove,
    close,
    [Symbol.dispose]: close,
  };
}

/** The checked option `signOut` of `delete`. */
function endsSession(options: TokenPoolDeleteOptions): boolean {
  requireObject(options);
  refuseUnknown(options, { signOut: true });
  const { signOut = false } = options;
  requireBoolean('signOut', signOut);
  return signOut;
}

/** @param store the option: with it a token is shared, which some sources refuse. A chain shares no access token. */
function checkedSource(made: unknown, store: unknown): TokenSource {
  ignoreRejection(made);
  if (typeof made !== 'function')
    throw new TypeError('createTokenPool takes a function that makes the token source of a key: it made none');
  if (store) (made as SourceHooks)[PROOF]?.checkStore?.();
  return made as TokenSource;
}
