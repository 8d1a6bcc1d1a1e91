import { firstValueFrom } from 'rxjs';
import { createFetch, createTokenStream } from 'rx-fresh-token';
import { fileTokenStore } from 'rx-fresh-token/file';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { clientOf, startAuthority } from '../oauth/authority.js';
import { ownFolder, pause } from './support.js';

const place = ownFolder();

/**
 * Streams that have all begun with the same refresh token, at a server that revokes everything when a used one comes
 * back.
 */
async function tools() {
  const authority = await startAuthority({ delay: 20 });
  const seed = await authority.seed();
  const start = () =>
    createTokenStream(refreshToken({ ...clientOf(authority, 'app'), refreshToken: seed }), {
      store: fileTokenStore(place.file),
    });
  return { authority, start };
}

describe('a rotating refresh token in a file', () => {
  it('should be one chain for all, whoever refreshes, newcomers with the first one too', async () => {
    const { authority, start } = await tools();
    const streams = [start(), start(), start()];
    const tokens = await Promise.all(streams.map((token$) => firstValueFrom(token$)));
    expect(new Set(tokens.map(({ value }) => value)).size).toBe(1);
    for (let round = 0; round < 3; round++) {
      for (const token$ of streams) await firstValueFrom(token$.refresh());
    }
    const newcomer = start();
    newcomer.reject(await firstValueFrom(newcomer));
    await firstValueFrom(newcomer.refresh());
    for (const token$ of [...streams, newcomer]) token$.close();
    const { tokens: exchanges, refused, revokedGrants } = await authority.stats();
    expect({ refused, revokedGrants }).toEqual({ refused: [], revokedGrants: 0 });
    expect(exchanges).toBeGreaterThanOrEqual(4);
  });

  it('should not be lost when the one who exchanges it is closed meanwhile', async () => {
    const { authority, start } = await tools();
    for (const delay of [5, 12, 20, 25]) {
      const leaving = start();
      leaving.subscribe();
      await pause(delay);
      const refreshing = leaving.refresh().subscribe({ error: () => undefined });
      await pause(delay);
      leaving.close();
      refreshing.unsubscribe();
      const next = start();
      await firstValueFrom(next.refresh());
      next.close();
    }
    const { refused, revokedGrants } = await authority.stats();
    expect({ refused, revokedGrants }).toEqual({ refused: [], revokedGrants: 0 });
  });

  it('should begin anew with a sign-in after a sign-out', async () => {
    const { authority, start } = await tools();
    const [one, other] = [start(), start()];
    await firstValueFrom(one);
    await firstValueFrom(other);
    one.signOut();
    await expect(firstValueFrom(one)).rejects.toMatchObject({ code: 'ERR_TOKEN_UNAVAILABLE' });
    const signedIn = createTokenStream(
      refreshToken({ ...clientOf(authority, 'app'), refreshToken: await authority.seed() }),
      { store: fileTokenStore(place.file) },
    );
    const { value } = await firstValueFrom(signedIn);
    expect((await firstValueFrom(other)).value).toBe(value);
    for (const token$ of [one, other, signedIn]) token$.close();
  });
});

describe('a refresh token of a public client, bound to a key', () => {
  it('should be used by one run after the other, where all are given the key', async () => {
    const authority = await startAuthority();
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
    const made = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const jwk = JSON.stringify(await crypto.subtle.exportKey('jwk', made.privateKey));
    const seed = await authority.seed({ clientId: 'cli' });

    for (const forced of [false, true, true]) {
      const { kty, crv, x, y, d } = JSON.parse(jwk) as JsonWebKey;
      const dpop = {
        privateKey: await crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, algorithm, false, ['sign']),
        publicKey: await crypto.subtle.importKey('jwk', { kty, crv, x, y }, algorithm, true, ['verify']),
      };
      const { issuer } = authority;
      const source = refreshToken({ issuer, clientId: 'cli', clientAuth: 'none', refreshToken: seed, dpop });
      const token$ = createTokenStream(source, { store: fileTokenStore(place.file) });
      const fetch = createFetch(token$, { baseUrl: issuer });
      expect((await fetch('/api/dpop')).status).toBe(200);
      if (forced) await firstValueFrom(token$.refresh());
      expect((await fetch('/api/dpop')).status).toBe(200);
      token$.close();
    }
    const { tokens, refused, revokedGrants } = await authority.stats();
    expect({ tokens, revokedGrants }).toEqual({ tokens: 3, revokedGrants: 0 });
    // Its API, at the same origin, has nonces of its own.
    expect(refused.filter((reason) => !reason.startsWith('use_dpop_nonce'))).toEqual([]);
  });
});
