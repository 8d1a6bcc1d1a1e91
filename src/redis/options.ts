import { FINITE, numbersIn, requireFunctions, wrong } from '../internal/validate.js';
import type { TokenStreamOptions } from '../token/types.js';
import { requireClient, type RedisClient } from './client.js';
import type { EncryptionKey } from './sealing.js';

/** All times in milliseconds. `undefined` means the default. */
export interface RedisTokenStoreOptions {
  /**
   * A client, cluster, sentinel or pool of `redis`, or a Redis or Cluster of `ioredis`, version 5 or later. It stays
   * yours: connect it, listen to its errors, close it. For pushes it is duplicated; a pool cannot be, and does without.
   */
  client: RedisClient;
  /** Names the token: all stores with the same `prefix` and `key` share one. Not empty, no `{` or `}`. */
  key: string;
  /** Before the key, for access lists. No `{` or `}`. Default `rx-fresh-token:`. */
  prefix?: string | undefined;
  /**
   * Seals what lies in Redis (AES-256-GCM). Of several keys the first seals and all open, so that keys can be rotated.
   * Default: it lies there as plain JSON.
   */
  encryptionKey?: EncryptionKey | readonly EncryptionKey[] | undefined;
  /**
   * A leader that died holds up the others this long. At least 100. Default 10 000; less for tokens that live less than
   * 30 s.
   */
  lease?: number | undefined;
  /** One fetch may take this long, within the lease. At least 50. Default four fifths of `lease`. */
  fetchTimeout?: number | undefined;
  /** One call to Redis may take this long. At least 10. Default 500. */
  storeDeadline?: number | undefined;
  /**
   * A token younger than this is not replaced because of a rejection, or of `refresh()`: they wait. At least 0. Default
   * 1000, at most a third of the token's life.
   */
  forceCooldown?: number | undefined;
  /**
   * Without Redis, `'wait'`: the token at hand serves while it lives, then callers wait; right for issuers that revoke.
   * `'local'`: each process fetches for itself meanwhile. Default `'wait'`.
   */
  onUnavailable?: 'wait' | 'local' | undefined;
  /**
   * The stream's option of that name, where it has one: how long a token lives, in ms, whose response does not say so.
   * Without it other processes would be given such a token when it is over. `undefined`: what the response says.
   * Default: that, always.
   */
  lifetime?: TokenStreamOptions['lifetime'];
}

const NAME = /^[^{}\s]+$/;

/** Checks every option once. Never quotes a key's bytes. */
export function storeSettings(options: RedisTokenStoreOptions) {
  if (typeof options !== 'object' || (options as unknown) === null) throw wrong('options', options, 'an object');
  const { key, prefix = 'rx-fresh-token:', encryptionKey, onUnavailable = 'wait', lifetime } = options;
  if (typeof key !== 'string' || !NAME.test(key))
    throw wrong('key', key, 'a string that is not empty, without "{", "}" and spaces');
  if (typeof prefix !== 'string' || !/^[^{}\s]*$/.test(prefix))
    throw wrong('prefix', prefix, 'a string without "{", "}" and spaces');
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- JavaScript callers may pass anything
  if (onUnavailable !== 'wait' && onUnavailable !== 'local')
    throw wrong('onUnavailable', onUnavailable, '"wait" or "local"');
  requireFunctions({ lifetime });
  const keys = encryptionKeys(encryptionKey);
  const numbers = numbersIn(options, {
    lease: [100, FINITE, 10_000],
    fetchTimeout: [50, FINITE],
    storeDeadline: [10, FINITE, 500],
    forceCooldown: [0, FINITE, 1000],
  });
  // With a hash tag, so that a cluster keeps all of it in one slot.
  const hashKey = `${prefix}{${key}}`;
  return {
    ...numbers,
    fetchTimeout: numbers.fetchTimeout ?? numbers.lease * 0.8,
    client: requireClient(options.client),
    hashKey,
    channel: `${hashKey}:push`,
    keys,
    onUnavailable,
    lifetime,
  };
}

/** The keys with bytes of their own: the caller may overwrite its array when the store has been created. */
function encryptionKeys(given: RedisTokenStoreOptions['encryptionKey']): readonly EncryptionKey[] {
  if (given === undefined) return [];
  const keys = (Array.isArray(given) ? given : [given]).map(checkedKey);
  // An empty list is a key that could not be read, not the wish to store tokens as they are.
  if (keys.length === 0) throw new TypeError('option "encryptionKey" must have at least one key');
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    throw new TypeError('option "encryptionKey" must have keys with different ids');
  return keys;
}

function checkedKey(given: unknown): EncryptionKey {
  const { id, key } = (typeof given === 'object' && given !== null ? given : {}) as { id?: unknown; key?: unknown };
  if (typeof id !== 'string' || !/^[\w-]{1,32}$/.test(id))
    throw new TypeError('option "encryptionKey" must have an id of 1 to 32 letters, digits, "-" or "_"');
  if (key instanceof Uint8Array && key.length === 32) return { id, key: new Uint8Array(key) };
  const fault = key instanceof Uint8Array ? `${String(key.length)} bytes` : faultOf(key);
  if (fault === undefined) return { id, key: key as CryptoKey };
  throw new TypeError(
    `option "encryptionKey" must have a key of 32 bytes, or a CryptoKey for AES-GCM with 256 bits that may encrypt and decrypt, got ${fault}`,
  );
}

/** What makes a value useless as a key; undefined for a CryptoKey that can seal and open. */
function faultOf(key: unknown): string | undefined {
  if (typeof key !== 'object' || key === null) return key === null ? 'null' : typeof key;
  const { algorithm, usages } = key as { algorithm?: { name?: unknown; length?: unknown } | null; usages?: unknown };
  if (typeof algorithm !== 'object' || algorithm === null || !Array.isArray(usages)) return 'object';
  if (algorithm.name !== 'AES-GCM') return 'a CryptoKey for another algorithm';
  if (algorithm.length !== 256) return 'a CryptoKey of another length';
  return usages.includes('encrypt') && usages.includes('decrypt') ? undefined : 'a CryptoKey that may not do both';
}
