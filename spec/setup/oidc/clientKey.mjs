import { exportJWK, generateKeyPair } from 'jose';

/** The key of the client `key`. Its private half goes to the specs by the control URL. */
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });

export const clientKey = {
  publicKey,
  publicJwk: { ...(await exportJWK(publicKey)), kid: 'client-key', alg: 'ES256', use: 'sig' },
  privateJwk: await exportJWK(privateKey),
};
