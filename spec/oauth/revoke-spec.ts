import { ON_CLOSE } from '../../src/internal/sourceHooks.js';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import type { OAuthOptions } from '../../src/oauth/options.js';
import { REVOCATION_TIMEOUT } from '../../src/oauth/revoke.js';
import type { SourceHooks } from '../../src/token/proof.js';
import type { AccessToken } from '../../src/token/types.js';
import { deferred, fakeEndpoint, refuse } from './fakeEndpoint.js';

const base = { clientId: 'orders', clientSecret: 's', revokeOnClose: true };
const token = { value: 'T1', type: 'Bearer' } as AccessToken;
const closing = (options: OAuthOptions) => (clientCredentials(options) as SourceHooks)[ON_CLOSE];
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('revokeOnClose', () => {
  it('should revoke the token as the client (RFC 7009 section 2.1)', async () => {
    const endpoint = fakeEndpoint(() => refuse(200));
    closing({
      ...base,
      tokenEndpoint: 'https://id.example/token',
      revocationEndpoint: 'https://id.example/revoke',
      fetch: endpoint.fetch,
    })?.(token);
    await settled();
    expect(endpoint.seen).toEqual([
      {
        url: 'https://id.example/revoke',
        form: { token: 'T1', token_type_hint: 'access_token' },
        headers: expect.objectContaining({ authorization: `Basic ${btoa('orders:s')}` }) as unknown,
      },
    ]);
  });

  it.each<[string, object, string | undefined]>([
    ['which the issuer names', { revocation_endpoint: 'https://id.example/r1' }, 'https://id.example/r1'],
    [
      "which is given, rather than the issuer's",
      { revocation_endpoint: 'https://id.example/r1', given: 'https://id.example/r2' },
      'https://id.example/r2',
    ],
    ['nowhere, if the issuer names none', {}, undefined],
  ])('should go to the place %s', async (_where, { given, ...named }: { given?: string }, expected) => {
    const endpoint = fakeEndpoint(({ url }) =>
      url.includes('well-known')
        ? { issuer: 'https://id.example', token_endpoint: 'https://id.example/t', ...named }
        : refuse(200),
    );
    closing({ ...base, issuer: 'https://id.example', revocationEndpoint: given, fetch: endpoint.fetch })?.(token);
    await settled();
    expect(endpoint.seen.slice(1).map(({ url }) => url)).toEqual(expected === undefined ? [] : [expected]);
  });

  it('should not be, unless asked for', () => {
    expect(closing({ ...base, revokeOnClose: false, tokenEndpoint: 'https://id.example/token' })).toBeUndefined();
  });

  it('should do nothing without a token', async () => {
    const endpoint = fakeEndpoint(() => refuse(200));
    closing({ ...base, issuer: 'https://id.example', fetch: endpoint.fetch })?.(null);
    await settled();
    expect(endpoint.seen).toEqual([]);
  });

  it('should fail silently', async () => {
    const endpoint = fakeEndpoint(() => Promise.reject(new Error('down')));
    closing({ ...base, issuer: 'https://id.example', fetch: endpoint.fetch })?.(token);
    await settled(); // an unhandled rejection would fail this file
    expect(endpoint.seen).toHaveLength(1);
  });

  it('should give up after 2 seconds', async () => {
    const aborted = deferred<number>();
    const from = performance.now();
    const fetch: typeof globalThis.fetch = (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          aborted.resolve(performance.now() - from);
          reject(new Error('aborted'));
        });
      });
    closing({ ...base, tokenEndpoint: 'https://id.example/t', revocationEndpoint: 'https://id.example/r', fetch })?.(
      token,
    );
    // The timer of AbortSignal.timeout keeps no process alive: something else must.
    const alive = setInterval(() => undefined, 1000);
    const took = await aborted.promise;
    clearInterval(alive);
    expect(REVOCATION_TIMEOUT).toBe(2000);
    expect(took).toBeGreaterThan(1900);
    expect(took).toBeLessThan(3000);
  });
});
