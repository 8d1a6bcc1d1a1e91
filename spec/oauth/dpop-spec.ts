import { createHash } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';
import { createTokenPool } from 'rx-fresh-token/pool';
import { memoryTokenStore } from 'rx-fresh-token/testing';
import { PROOF } from '../../src/internal/hiddenMembers.js';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import type { SourceHooks, TokenProof } from '../../src/token/sourceHooks.js';
import type { AccessToken, TokenSource } from '../../src/token/types.js';
import { jwtBearer } from '../../src/oauth/jwtBearer.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { tokenExchange } from '../../src/oauth/tokenExchange.js';
import { ask, fakeEndpoint, payloadOf } from './fakeEndpoint.js';

const options = { tokenEndpoint: 'https://id.example/token', clientId: 'orders', clientSecret: 's' };
const proofOf = (source: TokenSource): TokenProof | undefined => (source as SourceHooks)[PROOF];
const token = (type = 'DPoP') => ({ type, value: 'T1' }) as AccessToken;
const request = (more: object = {}) => ({
  method: 'post',
  url: 'https://api.example:8443/orders?secret=1#part',
  token: token(),
  ...more,
});
const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers: new Headers(headers) });

describe('the proof of a source', () => {
  const proof = proofOf(clientCredentials({ ...options, dpop: true }))!;

  it('should be there for DPoP only, and where nobody stumbles on it', () => {
    expect(proofOf(clientCredentials(options))).toBeUndefined();
    expect(Object.prototype.propertyIsEnumerable.call(clientCredentials({ ...options, dpop: true }), PROOF)).toBe(
      false,
    );
  });

  it('should bind method, URL and token (RFC 9449 section 4.2)', async () => {
    const { dpop, ...others } = await proof.sign(request());
    expect(others).toEqual({});
    expect(payloadOf(dpop)).toMatchObject({
      htm: 'POST',
      htu: 'https://api.example:8443/orders',
      ath: createHash('sha256').update('T1').digest('base64url'),
    });
  });

  it('should make its key again where that failed, and one key for all who ask at once', async () => {
    const endpoint = fakeEndpoint(() => ({ access_token: 'T1', token_type: 'DPoP' }));
    const source = clientCredentials({ ...options, dpop: true, fetch: endpoint.fetch });
    const generate = jest.spyOn(crypto.subtle, 'generateKey').mockRejectedValueOnce(new Error('not now'));
    await expect(Promise.all([ask(source), ask(source)])).rejects.toThrow('not now');
    await Promise.all([ask(source), ask(source)]);
    expect(generate).toHaveBeenCalledTimes(2);
    generate.mockRestore();
  });

  it('should be another for each sending', async () => {
    const ids = await Promise.all([1, 2, 3].map(async () => payloadOf((await proof.sign(request())).dpop).jti));
    expect(new Set(ids).size).toBe(3);
  });

  it('should be of the key that the token was asked for with', async () => {
    const endpoint = fakeEndpoint(() => ({ access_token: 'T1', token_type: 'DPoP' }));
    const source = clientCredentials({ ...options, dpop: true, fetch: endpoint.fetch });
    await ask(source);
    const keyIn = (jwt: string | undefined) => Buffer.from(jwt?.split('.')[0] ?? '', 'base64url').toString();
    expect(keyIn((await proofOf(source)?.sign(request()))?.dpop)).toBe(keyIn(endpoint.seen[0]?.headers.dpop));
  });

  it('should be nothing for a Bearer token', async () => {
    expect(await proof.sign(request({ token: token('Bearer') }))).toEqual({});
    expect(await proof.learn(request({ token: token('Bearer') }), answer(401, { 'dpop-nonce': 'n' }))).toBe(false);
  });

  it.each<[string, number, Record<string, string>, boolean, string | undefined]>([
    ['no nonce', 200, {}, false, undefined],
    ['a new nonce with a good answer', 200, { 'dpop-nonce': 'n1' }, false, 'n1'],
    [
      'a demand for a nonce',
      401,
      { 'dpop-nonce': 'n2', 'www-authenticate': 'DPoP error="use_dpop_nonce"' },
      true,
      'n2',
    ],
    [
      'a demand among other challenges',
      401,
      { 'dpop-nonce': 'n3', 'www-authenticate': 'Bearer, DPoP algs="ES256", error="use_dpop_nonce"' },
      true,
      'n3',
    ],
    [
      'a demand without a nonce, which a repeat cannot meet',
      401,
      { 'www-authenticate': 'DPoP error="use_dpop_nonce"' },
      false,
      undefined,
    ],
    [
      'a refusal of the token',
      401,
      { 'dpop-nonce': 'n4', 'www-authenticate': 'DPoP error="invalid_token"' },
      false,
      'n4',
    ],
    ['a challenge that cannot be read', 401, { 'dpop-nonce': 'n5', 'www-authenticate': '="' }, false, 'n5'],
    [
      'a demand by another status',
      400,
      { 'dpop-nonce': 'n6', 'www-authenticate': 'DPoP error="use_dpop_nonce"' },
      false,
      'n6',
    ],
  ])('should learn from %s', async (what, status, headers, again, nonce) => {
    const url = `https://${what.replace(/\W+/g, '-')}.example/`;
    expect(await proof.learn(request({ url }), answer(status, headers))).toBe(again);
    expect(payloadOf((await proof.sign(request({ url }))).dpop).nonce).toBe(nonce);
  });

  it('should keep nonces apart by origin', async () => {
    await proof.learn(request({ url: 'https://a.example/x' }), answer(200, { 'dpop-nonce': 'of-a' }));
    expect(payloadOf((await proof.sign(request({ url: 'https://a.example/y' }))).dpop).nonce).toBe('of-a');
    expect(payloadOf((await proof.sign(request({ url: 'https://b.example/x' }))).dpop).nonce).toBeUndefined();
  });

  it('should fail without showing the token when it cannot sign', async () => {
    const { privateKey, publicKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
      'sign',
      'verify',
    ]);
    const broken = proofOf(clientCredentials({ ...options, dpop: { privateKey, publicKey } }))!;
    const spy = jest.spyOn(crypto.subtle, 'sign').mockRejectedValue(new Error('no more'));
    await expect(broken.sign(request())).rejects.toThrow('no more');
    spy.mockRestore();
  });
});

describe('a key that the source has made, and a store', () => {
  const MADE = { ...options, dpop: true };
  const refusal = new TypeError(
    'option "dpop" must be your own key pair, kept where the token is, if the stream has a store: ' +
      'the key that true makes is lost with this source',
  );

  it.each<[string, () => TokenSource]>([
    ['clientCredentials', () => clientCredentials(MADE)],
    ['refreshToken', () => refreshToken({ ...MADE, refreshToken: 'R0' })],
    ['jwtBearer', () => jwtBearer({ ...MADE, assertion: 'a' })],
    ['tokenExchange', () => tokenExchange({ ...MADE, subjectToken: 's', subjectTokenType: 'urn:x' })],
  ])('should be refused when a stream of %s is created', (_name, source) => {
    expect(() => createTokenStream(source(), { store: memoryTokenStore() })).toThrow(refusal);
    createTokenStream(source(), { store: undefined }).close();
  });

  it('should be refused when a pool creates the stream of a key', () => {
    const tokens = createTokenPool(() => clientCredentials(MADE), { store: () => memoryTokenStore() });
    expect(() => tokens.get('acme')).toThrow(refusal);
    expect(tokens.size).toBe(0);
    tokens.close();
  });

  it('should be allowed in a chain, which shares no access token', async () => {
    const { fetch } = fakeEndpoint(() => ({ access_token: 'T1', token_type: 'DPoP' }));
    const tokens = createTokenPool(() => clientCredentials({ ...MADE, fetch }), { chainOf: () => 'one' });
    expect((await firstValueFrom(tokens.get('acme'))).value).toBe('T1');
    tokens.close();
  });

  it('should be allowed where the key is given, or there is none', async () => {
    const dpop = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const { fetch } = fakeEndpoint(() => ({ access_token: 'T1', token_type: 'DPoP' }));
    const store = memoryTokenStore();
    for (const own of [{ dpop }, { dpop: false }, {}]) {
      const token$ = createTokenStream(clientCredentials({ ...options, fetch, ...own }), { store });
      expect((await firstValueFrom(token$)).value).toBe('T1');
      token$.close();
    }
  });
});
