/** The token as it is encrypted and authenticated in Redis. */
import { TokenStoreError } from '../../errors.js';
import { isTokenResponse } from '../../stores/storedResponse.js';
import type { TokenResponse } from '../../token/types.js';
import type { EncryptedToken } from '../scripts/replies.js';
import type { Encryption } from './encryption.js';

/** A token with what is stored beside it. */
export interface TokenRecord extends Omit<EncryptedToken, 'encrypted'> {
  readonly response: TokenResponse;
}

/**
 * The record is encrypted as a whole. Generation, time of issue and life also stand in the clear, for the scripts: a
 * process that can write to Redis could pass an old token for a new one by these.
 *
 * @throws TokenStoreError when the value cannot be decrypted, or is not the one that was stored with this generation, time
 * and life.
 */
export async function decryptRecord({ decrypt }: Encryption, stored: EncryptedToken): Promise<TokenRecord> {
  const record = (await decrypt('token', stored.encrypted)) as Partial<TokenRecord> | null;
  const { generation, issued, life, response } = record ?? {};
  if (!isTokenResponse(response) || typeof issued !== 'number')
    throw new TokenStoreError('the stored token has a form that this version does not know');
  // The commit script may have found the token older than its leader knew, never younger.
  if (generation !== stored.generation || life !== stored.life || !(stored.issued <= issued))
    throw new TokenStoreError('the stored token does not belong to the generation, the age or the life beside it');
  return { generation, issued: stored.issued, life, response };
}
