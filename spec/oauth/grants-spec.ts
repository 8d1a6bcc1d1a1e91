import { SignJWT } from 'jose';
import { firstValueFrom, from, map, take } from 'rxjs';
import { createFetch } from '../../src/http/createFetch.js';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import { jwtBearer } from '../../src/oauth/jwtBearer.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { tokenExchange } from '../../src/oauth/tokenExchange.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import type { TokenResponse } from '../../src/token/types.js';
import type { AccessToken, TokenSource, TokenStream } from '../../src/token/types.js';
import { clientOf, importClientKey, startAuthority, type Authority } from './authority.js';

let authority: Authority;
beforeAll(async () => {
  authority = await startAuthority();
});

const open: TokenStream[] = [];
const streamOf = (source: TokenSource) => {
  const token$ = createTokenStream(source);
  open.push(token$);
  return token$;
};
afterEach(() => {
  for (const token$ of open.splice(0)) token$.close();
});

const lifeOf = ({ issuedAt, expiresAt }: AccessToken) => expiresAt - issuedAt;
const whoAmI = async (token$: TokenStream, { issuer }: Authority, path = '/api/me') => {
  const response = await createFetch(token$, { baseUrl: issuer })(path);
  return { status: response.status, ...((await response.json()) as { sub: string }) };
};
const keyOf = async ({ clientKey }: Authority) => ({ key: await importClientKey(clientKey), kid: 'client-key' });

describe('each grant, at a real authorization server', () => {
  it.each<[string, () => Promise<TokenSource> | TokenSource, string]>([
    ['client_credentials by client_secret_basic', () => clientCredentials(clientOf(authority, 'basic')), 'basic'],
    [
      'client_credentials by client_secret_post',
      () => clientCredentials({ ...clientOf(authority, 'post'), clientAuth: 'client_secret_post' }),
      'post',
    ],
    [
      'client_credentials by private_key_jwt',
      async () =>
        clientCredentials({
          issuer: authority.issuer,
          clientId: 'key',
          clientAuth: 'private_key_jwt',
          privateKey: await keyOf(authority),
        }),
      'key',
    ],
    [
      'client_credentials without discovery',
      () =>
        clientCredentials({
          ...clientOf(authority, 'basic'),
          issuer: undefined,
          tokenEndpoint: `${authority.issuer}/token`,
        }),
      'basic',
    ],
    [
      'client_credentials for one resource',
      () => clientCredentials({ ...clientOf(authority, 'basic'), resource: 'urn:spec:api', scope: 'read' }),
      'basic',
    ],
    [
      'refresh_token of a confidential client',
      async () => refreshToken({ ...clientOf(authority, 'app'), refreshToken: await authority.seed() }),
      'alice',
    ],
    [
      'refresh_token of a public client',
      async () =>
        refreshToken({
          issuer: authority.issuer,
          clientId: 'cli',
          clientAuth: 'none',
          refreshToken: await authority.seed({ clientId: 'cli' }),
        }),
      'alice',
    ],
    [
      'jwt-bearer',
      () => jwtBearer({ ...clientOf(authority, 'basic'), assertion: () => assertion(authority) }),
      'basic',
    ],
    [
      'token-exchange',
      () => tokenExchange({ ...clientOf(authority, 'basic'), subjectToken: () => subjectToken(authority) }),
      'basic',
    ],
  ])('should give a token that the API accepts: %s', async (_grant, create, sub) => {
    const token$ = streamOf(await create());
    expect(lifeOf(await firstValueFrom(token$))).toBe(30_000);
    expect(await whoAmI(token$, authority)).toMatchObject({ status: 200, sub });
  });

  it('should say for whom a JWT or a token was traded in', async () => {
    const traded = async (source: TokenSource) => (await firstValueFrom(streamOf(source))).raw.traded_for;
    expect(await traded(jwtBearer({ ...clientOf(authority, 'basic'), assertion: () => assertion(authority) }))).toBe(
      'bob',
    );
    const exchange = {
      ...clientOf(authority, 'basic'),
      subjectToken: () => subjectToken(authority),
      actorToken: () => assertion(authority),
    };
    expect(await traded(tokenExchange(exchange))).toBe('post by bob');
  });

  it.each<[string, () => TokenSource, object]>([
    [
      'a wrong secret',
      () => clientCredentials({ ...clientOf(authority, 'basic'), clientSecret: 'wrong' }),
      { status: 401, error: 'invalid_client' },
    ],
    [
      "a scope that is not the client's",
      () => clientCredentials({ ...clientOf(authority, 'post'), clientAuth: 'client_secret_post', scope: 'write' }),
      { status: 400, error: 'invalid_scope' },
    ],
    [
      'an unknown resource',
      () => clientCredentials({ ...clientOf(authority, 'basic'), resource: ['urn:a', 'urn:b'] }),
      { status: 400, error: 'invalid_target' },
    ],
    [
      'a refresh token that never was',
      () => refreshToken({ ...clientOf(authority, 'app'), refreshToken: 'made-up' }),
      { status: 400, error: 'invalid_grant' },
    ],
    [
      'an assertion that nobody signed',
      () => jwtBearer({ ...clientOf(authority, 'basic'), assertion: 'made-up' }),
      { status: 400, error: 'invalid_grant' },
    ],
  ])('should fail every waiter at once and permanently: %s', async (_what, create, expected) => {
    const token$ = streamOf(create());
    await expect(firstValueFrom(token$)).rejects.toMatchObject({
      name: 'TokenUnavailableError',
      cause: { name: 'TokenEndpointError', ...expected },
    });
  });
});

describe('a server whose clock is 10 minutes off', () => {
  it.each([600_000, -600_000])('should make no difference: %p ms', async (clockOffset) => {
    const wrong = await startAuthority({ clockOffset });
    const sources: [string, TokenSource][] = [
      ['basic', clientCredentials(clientOf(wrong, 'basic'))],
      [
        'key',
        clientCredentials({
          issuer: wrong.issuer,
          clientId: 'key',
          clientAuth: 'private_key_jwt',
          privateKey: await keyOf(wrong),
        }),
      ],
    ];
    for (const [sub, source] of sources) {
      const token$ = streamOf(source);
      expect(lifeOf(await firstValueFrom(token$))).toBe(30_000);
      expect(await whoAmI(token$, wrong)).toMatchObject({ status: 200, sub });
    }
    const bound$ = streamOf(clientCredentials({ ...clientOf(wrong, 'basic'), dpop: true }));
    expect(await whoAmI(bound$, wrong, '/api/dpop')).toMatchObject({ status: 200, sub: 'basic' });
    // Without expires_in the life is what lies between the JWT's own iat and exp, by whatever clock.
    const source = clientCredentials(clientOf(wrong, 'basic'));
    const silent$ = streamOf((request) =>
      from(source(request)).pipe(map((response) => ({ ...(response as TokenResponse), expires_in: undefined }))),
    );
    expect(lifeOf(await firstValueFrom(silent$))).toBe(30_000);
  });
});

describe('DPoP, at servers that demand nonces', () => {
  it('should be proven by each request, with the nonce of the moment, and one repeat where that is new', async () => {
    const demanding = await startAuthority({ nonce: true });
    const token$ = streamOf(clientCredentials({ ...clientOf(demanding, 'basic'), dpop: true }));
    const fetch = createFetch(token$, { baseUrl: demanding.issuer });
    for (let i = 0; i < 7; i++)
      expect((await fetch('/api/dpop/one?page=1', { method: 'POST', body: 'x' })).status).toBe(200);
    const answers = await Promise.all(Array.from({ length: 5 }, () => fetch('/api/dpop/many')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const { statuses, tokens } = await demanding.stats();
    expect(tokens).toBe(1);
    // Every nonce serves three times, and each answer brings the next: only the very first request had none.
    expect(statuses['/api/dpop/one']).toEqual({ 200: 7, '401 use_dpop_nonce': 1 });
    expect(Object.keys(statuses['/api/dpop/many'] ?? {}).sort()).toEqual(['200', '401 use_dpop_nonce']);
  });

  it('should bind a refresh token of a public client to the key that was handed in', async () => {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
    const { crv, kty, x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);
    const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify({ crv, kty, x, y })));
    const seed = await authority.seed({ clientId: 'cli', jkt: Buffer.from(hash).toString('base64url') });
    const options = { issuer: authority.issuer, clientId: 'cli', clientAuth: 'none', refreshToken: seed } as const;
    await expect(firstValueFrom(streamOf(refreshToken({ ...options, dpop: true })))).rejects.toMatchObject({
      cause: { error: 'invalid_grant' },
    });
    expect(await whoAmI(streamOf(refreshToken({ ...options, dpop: keys })), authority, '/api/dpop')).toMatchObject({
      status: 200,
      sub: 'alice',
    });
  });
});

describe('revokeOnClose', () => {
  it('should make the token useless', async () => {
    const issuing = await startAuthority({ format: 'opaque' });
    const token$ = streamOf(clientCredentials({ ...clientOf(issuing, 'basic'), revokeOnClose: true }));
    const { value } = await firstValueFrom(token$);
    const use = () => fetch(`${issuing.issuer}/api/me`, { headers: { authorization: `Bearer ${value}` } });
    expect((await use()).status).toBe(200);
    token$.close();
    const deadline = Date.now() + 2000;
    while ((await use()).status === 200 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await use()).status).toBe(401);
    expect((await issuing.stats()).revocations).toBe(1);
  });
});

async function assertion({ issuer, clientKey }: Authority): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'ES256' })
    .setSubject('bob')
    .setAudience(issuer)
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(await importClientKey(clientKey));
}

/** The token of another stream, as a service passes its caller's on. */
const subjectToken = (from: Authority) =>
  streamOf(clientCredentials({ ...clientOf(from, 'post'), clientAuth: 'client_secret_post' })).pipe(
    take(1),
    map(({ value }) => value),
  );
