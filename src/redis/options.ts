import { FINITE, numbersIn, wrong } from '../internal/validate.js';
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
  prefix?: string;
  /** Seals what lies in Redis (AES-256-GCM). Of several keys the first seals and all open, so that keys can be rotated. Default: it lies there as plain JSON. */
  encryptionKey?: EncryptionKey | readonly EncryptionKey[];
  /** A leader that died holds up the others this long. At least 100. Default 10 000; less for tokens that live less than 30 s. */
  lease?: number;
  /** One fetch may take this long, within the lease. At least 50. Default four fifths of `lease`. */
  fetchTimeout?: number;
  /** One call to Redis may take this long. At least 10. Default 500. */
  storeDeadline?: number;
  /** A token younger than this is not replaced because of a rejection, or of `refresh()`: they wait. At least 0. Default 1000, at most a third of the token's life. */
  forceCooldown?: number;
  /**
   * Without Redis, `'wait'`: the token at hand serves while it lives, then callers wait; right for issuers that revoke.
   * `'local'`: each process fetches for itself meanwhile. Default `'wait'`.
   */
  onUnavailable?: 'wait' | 'local';
}

const NAME = /^[^{}\s]+$/;

/** Checks every option once. Never quotes a key's bytes. */
export function storeSettings(options: RedisTokenStoreOptions) {
  if (typeof options !== 'object' || (options as unknown) === null) throw wrong('options', options, 'an object');
  const { key, prefix = 'rx-fresh-token:', encryptionKey = [], onUnavailable = 'wait' } = options;
  if (typeof key !== 'string' || !NAME.test(key))
    throw wrong('key', key, 'a string that is not empty, without "{", "}" and spaces');
  if (typeof prefix !== 'string' || !/^[^{}\s]*$/.test(prefix))
    throw wrong('prefix', prefix, 'a string without "{", "}" and spaces');
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- JavaScript callers may pass anything
  if (onUnavailable !== 'wait' && onUnavailable !== 'local')
    throw wrong('onUnavailable', onUnavailable, '"wait" or "local"');
  const keys = (Array.isArray(encryptionKey) ? encryptionKey : [encryptionKey]) as readonly EncryptionKey[];
  keys.forEach(checkKey);
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    throw new TypeError('option "encryptionKey" must have keys with different ids');
  const numbers = numbersIn(options, {
    lease: [100, FINITE, 10_000],
    fetchTimeout: [50, FINITE],
    storeDeadline: [10, FINITE, 500],
    forceCooldown: [0, FINITE, 1000],
  });
  // With a hash tag, so that a cluster keeps all of it in one slot.
  const place = `${prefix}{${key}}`;
  return {
    ...numbers,
    fetchTimeout: numbers.fetchTimeout ?? numbers.lease * 0.8,
    client: requireClient(options.client),
    place,
    channel: `${place}:push`,
    keys,
    onUnavailable,
  };
}

function checkKey(given: unknown): void {
  const { id, key } = (typeof given === 'object' && given !== null ? given : {}) as {
    id?: unknown;
    key?: Uint8Array | { algorithm?: { name?: unknown } } | null;
  };
  if (typeof id !== 'string' || !/^[\w-]{1,32}$/.test(id))
    throw new TypeError('option "encryptionKey" must have an id of 1 to 32 letters, digits, "-" or "_"');
  const isBytes = key instanceof Uint8Array;
  if (isBytes ? key.length !== 32 : key?.algorithm?.name !== 'AES-GCM') {
    throw new TypeError(
      `option "encryptionKey" must have a key of 32 bytes, or an AES-GCM CryptoKey, got ${isBytes ? `${String(key.length)} bytes` : typeof key}`,
    );
  }
}
