/** The options of `redisTokenStore`: their public type, their checks and their defaults. */
import { fieldsOf } from '../internal/values/fieldsOf.js';
import { kindOf } from '../internal/values/kindOf.js';
import type { CryptoKey } from '../internal/platform/platformTypes.js';
import { FINITE, numbersIn, requireFunctions, requireObject, wrong } from '../internal/values/validate.js';
import type { TokenStreamOptions } from '../token/types.js';
import { requireClient, type RedisClient } from './connection/client.js';
import type { EncryptionKey } from './records/encryption.js';

/** All times in milliseconds. `undefined` means the default. */
export interface RedisTokenStoreOptions {
  /**
   * A client, cluster, sentinel or pool of `redis`, or a Redis or Cluster of `ioredis`, version 5 or later. You connect
   * it, listen to its errors and close it. For pushes it is duplicated. A pool, and a sentinel of `redis` 5,
   * cannot be duplicated, and get no pushes.
   */
  client: RedisClient;
  /** Names the token: all stores with the same `prefix` and `key` share one. Not empty, no `{`, `}` or white space. */
  key: string;
  /** Before the key, for access lists. No `{`, `}` or white space. Default `rx-fresh-token:`. */
  prefix?: string | undefined;
  /**
   * Encrypts the tokens in Redis (AES-256-GCM). Of several keys the first encrypts, and all decrypt, so that keys can
   * be rotated. Default: the tokens are stored as plain JSON.
   */
  encryptionKey?: EncryptionKey | readonly EncryptionKey[] | undefined;
  /**
   * If the leader dies, the others wait this long. At least 100. Default 10 000. Use less for tokens that are valid for
   * less than 40 s.
   */
  lease?: number | undefined;
  /** One token fetch takes at most this long, within the lease. At least 50. Default four fifths of `lease`. */
  fetchTimeout?: number | undefined;
  /** One call to Redis takes at most this long. At least 10. Default 500. */
  storeDeadline?: number | undefined;
  /**
   * A token younger than this is not replaced because of a rejection or `refresh()`: these calls wait. At least 0.
   * Default 1000, at most a third of the token's lifetime.
   */
  forceCooldown?: number | undefined;
  /**
   * While Redis is down. `'wait'`: the current token is used while it is valid, then callers wait. Use this for issuers
   * that revoke the old token, and for refresh tokens that rotate. `'local'`: each process fetches its own token, with
   * the last refresh token that it knows. Default `'wait'`.
   */
  onUnavailable?: 'wait' | 'local' | undefined;
  /**
   * The same function as the stream's option `lifetime`, if you use that: the lifetime of a token in ms, from its
   * response. Otherwise other processes could get an expired token that has no `expires_in`. If it returns `undefined`,
   * or by default, the response counts.
   */
  lifetime?: TokenStreamOptions['lifetime'];
}

const NAME = /^[^{}\s]+$/;

export type StoreSettings = ReturnType<typeof settingsOf>;

/** Checks every option once. Never quotes a key's bytes. */
export function settingsOf(options: RedisTokenStoreOptions) {
  requireObject(options);
  const {
    client,
    key,
    prefix = 'rx-fresh-token:',
    encryptionKey,
    onUnavailable = 'wait',
    lifetime,
    ...times
  } = options;
  if (typeof key !== 'string' || !NAME.test(key))
    throw wrong('key', key, 'a string that is not empty, without "{", "}" and spaces');
  if (typeof prefix !== 'string' || !/^[^{}\s]*$/.test(prefix))
    throw wrong('prefix', prefix, 'a string without "{", "}" and spaces');
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- JavaScript callers may pass anything
  if (onUnavailable !== 'wait' && onUnavailable !== 'local')
    throw wrong('onUnavailable', onUnavailable, '"wait" or "local"');
  requireFunctions({ lifetime });
  const keys = encryptionKeys(encryptionKey);
  const numbers = numbersIn(times, {
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
    client: requireClient(client),
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
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`option "encryptionKey" must be { id, key }, or several, got ${kindOf(given)}`);
  const { id, key } = given as { id?: unknown; key?: unknown };
  if (typeof id !== 'string' || !/^[\w-]{1,32}$/.test(id))
    throw new TypeError('option "encryptionKey" must have an id of 1 to 32 letters, digits, "-" or "_"');
  if (key instanceof Uint8Array && key.length === 32) return { id, key: new Uint8Array(key) };
  if (isUsable(key)) return { id, key };
  throw new TypeError(
    `option "encryptionKey" must have a key of 32 bytes, or a CryptoKey for AES-GCM with 256 bits that may encrypt and decrypt, got ${shown(key)}`,
  );
}

function isUsable(key: unknown): key is CryptoKey {
  const { algorithm, usages } = fieldsOf(key);
  const { name, length } = fieldsOf(algorithm);
  const may = Array.isArray(usages) ? usages : [];
  return name === 'AES-GCM' && length === 256 && may.includes('encrypt') && may.includes('decrypt');
}

function shown(key: unknown): string {
  if (typeof key === 'string') return 'a text: decode it, as by Buffer.from(text, "base64")';
  if (key instanceof Uint8Array) return `${String(key.length)} bytes`;
  const { algorithm, usages } = fieldsOf(key);
  if (algorithm === undefined) return kindOf(key);
  const { name, length } = fieldsOf(algorithm);
  return `a CryptoKey for ${String(name)} with ${String(length)} bits and the usages ${String(usages)}`;
}
