/** Encrypts tokens and failures before they go to Redis, and decrypts what comes back. */
import { TokenStoreError } from '../../errors.js';
import { parseJson } from '../../answers/parseBody.js';
import type { CryptoKey } from '../../internal/platform/platformTypes.js';

/** A key for tokens at rest. */
export interface EncryptionKey {
  /**
   * The name of the key. It is stored beside the values that the key encrypted. 1 to 32 letters, digits, `-` or `_`.
   */
  readonly id: string;
  /** 32 bytes, which are copied; or a `CryptoKey` for AES-GCM with 256 bits that may encrypt and decrypt. */
  readonly key: Uint8Array | CryptoKey;
}

/** What a value is: it can be decrypted as that only. */
type Purpose = 'token' | 'failure';

export type Encryption = ReturnType<typeof createEncryption>;

/**
 * Encrypts with the first key, decrypts with any. AES-256-GCM with the key of the hash as additional data, so that
 * a process that can write to Redis cannot pass one key's value for another's. Without keys it writes plain JSON, and
 * with keys it refuses to read that, for the same reason.
 */
export function createEncryption(keys: readonly EncryptionKey[], hashKey: string) {
  const first = keys[0];
  const load = async ({ key }: EncryptionKey): Promise<CryptoKey> =>
    key instanceof Uint8Array
      ? crypto.subtle.importKey('raw', new Uint8Array(key), 'AES-GCM', false, ['encrypt', 'decrypt'])
      : key;
  const parameters = (purpose: Purpose, id: string, iv: Uint8Array<ArrayBuffer>) => ({
    name: 'AES-GCM',
    iv,
    additionalData: bytes(`${purpose} ${id} ${hashKey}`),
  });

  return {
    encrypt: async (purpose: Purpose, value: unknown): Promise<string> => {
      const text = JSON.stringify(value);
      if (!first) return `0.${text}`;
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const encrypted = await crypto.subtle.encrypt(parameters(purpose, first.id, iv), await load(first), bytes(text));
      return `1.${first.id}.${encode(iv)}.${encode(new Uint8Array(encrypted))}`;
    },
    /** @throws TokenStoreError, which does not quote the value */
    decrypt: async (purpose: Purpose, encrypted: string): Promise<unknown> => {
      const [version, id = '', iv = '', data = ''] = encrypted.split('.', 4);
      if (version === '0') {
        if (first)
          throw new TokenStoreError('the stored token is not encrypted, although this process has an encryptionKey');
        return jsonIn(encrypted.slice(2));
      }
      if (version !== '1') throw new TokenStoreError('the stored token has a form that this version does not know');
      const key = keys.find((candidate) => candidate.id === id);
      if (!key)
        throw new TokenStoreError(
          `the stored token is encrypted with a key that this process does not have${/^[\w-]{1,32}$/.test(id) ? `: ${id}` : ''}`,
        );
      let text: ArrayBuffer;
      try {
        text = await crypto.subtle.decrypt(parameters(purpose, id, decode(iv)), await load(key), decode(data));
      } catch {
        throw new TokenStoreError(
          'the stored token cannot be decrypted: another key has encrypted it, or it was made for another key',
        );
      }
      return jsonIn(new TextDecoder().decode(text));
    },
  };
}

function jsonIn(text: string): unknown {
  const value = parseJson(text);
  if (value === undefined) throw new TokenStoreError('the stored token is not JSON');
  return value;
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const encode = (data: Uint8Array): string => btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(''));
const decode = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
