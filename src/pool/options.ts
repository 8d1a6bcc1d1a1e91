/** The options of a pool, and the settings of each of its streams. */
import { ignoreRejection } from '../internal/async/ignoreRejection.js';
import { isText, kindOf } from '../internal/values/kindOf.js';
import { numbersIn, requireFunctions, requireObject } from '../internal/values/validate.js';
import { settingsOf as settingsOfStream, type Settings } from '../token/options.js';
import type { TokenStore } from '../token/tokenStore.js';
import type { TokenStreamOptions } from '../token/types.js';
import { canonicalKey, poolKey } from './canonicalKey.js';
import { createChains } from './chain.js';
import { createTurns } from './turns.js';

/** The options of every stream of the pool, and of the pool. `undefined` means the default. */
export interface TokenPoolOptions<K> extends Omit<TokenStreamOptions, 'store' | 'initial'> {
  /**
   * The most keys that are kept. With more, the pool drops the least recently used stream that is not in use. >= 1, or
   * Infinity. Default 10 000.
   */
  max?: number | undefined;
  /** At most this many streams fetch at the same time. The others wait for their turn. >= 1, or Infinity. Default 8. */
  concurrency?: number | undefined;
  /**
   * Returns the name of a key. Two keys with the same name have one token. Default: all members of the key, in
   * canonical form. A key without such a form, such as a class instance, is a TypeError.
   */
  idOf?: ((key: K) => string) | undefined;
  /**
   * Returns the store of a key; `id` is the name of the key (see `idOf`). It is called for each stream, and must return
   * a new store each time.
   */
  store?: ((id: string, key: K) => TokenStore) | undefined;
  /**
   * Names the refresh token that a key uses, for example by the session of a user; undefined: no other key uses it.
   * Keys with the same name fetch one after the other, and each continues with the newest refresh token. Not with
   * `store`.
   */
  chainOf?: ((key: K) => string | undefined) | undefined;
}

/** Checks every option. @throws TypeError that names an option out of range */
export function settingsOf<K>(options: TokenPoolOptions<K>) {
  requireObject(options);
  const { idOf, store, chainOf, max, concurrency, ...own } = options as TokenPoolOptions<K> &
    Pick<TokenStreamOptions, 'initial'>;
  requireFunctions({ idOf, store, chainOf });
  if (store && chainOf)
    throw new TypeError('option "chainOf" must not be given with "store": a chain lives in one process');
  if (own.initial !== undefined)
    throw new TypeError('option "initial" must not be given to a pool: all keys would start from one token');
  const numbers = numbersIn({ max, concurrency }, { max: [1, Infinity, 10_000], concurrency: [1, Infinity, 8] });
  const inTurn = createTurns(numbers.concurrency);
  const settings: Settings = { ...settingsOfStream(own), inTurn };
  const chains = createChains(settings.scheduler, inTurn);
  const stores = new WeakSet<TokenStore>();
  return {
    max: numbers.max,
    /** Those of all streams. */
    settings,
    /** Whether a key is named by its members, so that it must not change. */
    isCanonical: idOf === undefined,
    /** What the pool knows a key by. */
    nameOf: idOf ? (key: K) => requireId('idOf', idOf(key)) : poolKey,
    /** Those of the stream of a key: its store is its own. */
    streamSettingsOf: (name: string, key: K): Settings => {
      // The canonical form of a string is not that by which the pool knows it.
      if (store) return { ...settings, store: checkedStore(store(idOf ? name : canonicalKey(key), key), stores) };
      const id = chainOf?.(key);
      if (id === undefined) return settings;
      const chain = chains(requireId('chainOf', id));
      return { ...settings, store: chain.join(), inTurn: chain.inTurn };
    },
  };
}

/** @param known the stores of the other streams */
function checkedStore(made: unknown, known: WeakSet<TokenStore>): TokenStore {
  ignoreRejection(made);
  const store = made as TokenStore;
  if (typeof (made as Partial<TokenStore> | null | undefined)?.refresh !== 'function')
    throw new TypeError('option "store" must return a token store');
  // Two keys would have one token.
  if (known.has(store)) throw new TypeError('option "store" must return another store each time');
  known.add(store);
  return store;
}

function requireId(name: string, id: unknown): string {
  if (isText(id)) return id;
  ignoreRejection(id);
  throw new TypeError(`option "${name}" must return a string that is not empty, got ${kindOf(id)}`);
}
