import { firstValueFrom, NEVER, Observable, of, throwError } from 'rxjs';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import { jwtBearer } from '../../src/oauth/jwtBearer.js';
import type { OAuthOptions } from '../../src/oauth/options.js';
import { fetcherBehind, ON_BEHALF_OF, ON_CLOSE, PROOF } from '../../src/internal/hiddenMembers.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import type { SourceHooks } from '../../src/token/sourceHooks.js';
import { isPermanentFailure } from '../../src/answers/isPermanentFailure.js';
import { createTokenStream } from '../../src/token/tokenStream.js';
import type { AccessToken, TokenSource } from '../../src/token/types.js';
import { tokenExchange } from '../../src/oauth/tokenExchange.js';
import { failureOf } from '../http/support.js';
import { NativeSearchParams } from '../http/reactNative.js';
import { ask, fakeEndpoint, formIn, payloadOf, refuse, type Seen } from './fakeEndpoint.js';

const ISSUER = 'https://id.example';
const ENDPOINT = `${ISSUER}/token`;
const token = { access_token: 'T1', token_type: 'Bearer', expires_in: 60 };
const dpopToken = { ...token, token_type: 'dpop' };
const base: OAuthOptions = { tokenEndpoint: ENDPOINT, clientId: 'orders', clientSecret: 'p&ss word' };
const byIssuer: OAuthOptions = { ...base, tokenEndpoint: undefined, issuer: ISSUER };
const metadata = (token_endpoint: unknown, more: object = {}) => ({ issuer: ISSUER, token_endpoint, ...more });
const isDiscovery = ({ url }: Seen) => url.includes('/.well-known/');

let keys: CryptoKeyPair;
beforeAll(async () => {
  keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
});

describe('the request', () => {
  it.each<[string, Partial<OAuthOptions>, (seen: Seen) => void]>([
    [
      'the secret in the header, encoded (RFC 6749 section 2.3.1)',
      {},
      ({ headers, form }) => {
        expect(atob(headers.authorization?.slice(6) ?? '')).toBe('orders:p%26ss+word');
        expect(form).toEqual({ grant_type: 'client_credentials' });
      },
    ],
    [
      'a pair of letters, digits and * - . _ as it is: many servers compare the pair without decoding it',
      { clientId: 'orders-service_1.a*', clientSecret: '0b5f8a4e-2f0c-4c0e-9d5e-1f2a3b4c5d6e' },
      ({ headers }) => {
        expect(headers.authorization).toBe(`Basic ${btoa('orders-service_1.a*:0b5f8a4e-2f0c-4c0e-9d5e-1f2a3b4c5d6e')}`);
      },
    ],
    [
      'what is not ASCII or has a meaning in Basic or in a form, encoded',
      { clientId: 'orders:1', clientSecret: 'ä+%~/=' },
      ({ headers }) => {
        expect(atob(headers.authorization?.slice(6) ?? '')).toBe('orders%3A1:%C3%A4%2B%25%7E%2F%3D');
      },
    ],
    [
      'an empty secret, for a public client that must send one',
      { clientSecret: '', clientAuth: 'client_secret_basic' },
      ({ headers }) => expect(headers.authorization).toBe(`Basic ${btoa('orders:')}`),
    ],
    [
      'the secret in the form',
      { clientAuth: 'client_secret_post' },
      ({ headers, form }) => {
        expect(headers.authorization).toBeUndefined();
        expect(form).toEqual({ grant_type: 'client_credentials', client_id: 'orders', client_secret: 'p&ss word' });
      },
    ],
    [
      'no secret for a public client',
      { clientAuth: 'none' },
      ({ form }) => expect(form).toEqual({ grant_type: 'client_credentials', client_id: 'orders' }),
    ],
    [
      'no secret for mTLS',
      { clientAuth: 'tls_client_auth' },
      ({ form }) => expect(form).toEqual({ grant_type: 'client_credentials', client_id: 'orders' }),
    ],
    [
      'scope, audience and parameters',
      { scope: 'read write', audience: 'api', parameters: { tenant: 't' } },
      ({ form }) =>
        expect(form).toEqual({ grant_type: 'client_credentials', scope: 'read write', audience: 'api', tenant: 't' }),
    ],
    [
      'the URL with its query',
      { tokenEndpoint: `${ENDPOINT}?tenant=1` },
      ({ url }) => expect(url).toBe(`${ENDPOINT}?tenant=1`),
    ],
  ])('should carry %s', async (_what, change, check) => {
    const endpoint = fakeEndpoint(() => token);
    await ask(clientCredentials({ ...base, ...change, fetch: endpoint.fetch }));
    check(endpoint.seen[0]!);
  });

  it('should carry each resource and each audience (RFC 8707)', async () => {
    const bodies: URLSearchParams[] = [];
    const fetch = (_url: unknown, init?: RequestInit) => {
      bodies.push(formIn(init));
      return Promise.resolve(Response.json(token));
    };
    await ask(clientCredentials({ ...base, resource: ['https://a.example', 'urn:b'], audience: ['c', 'd'], fetch }));
    expect(bodies[0]?.getAll('resource')).toEqual(['https://a.example', 'urn:b']);
    expect(bodies[0]?.getAll('audience')).toEqual(['c', 'd']);
  });

  it('should carry its parameters in React Native, whose URLSearchParams cannot be copied', async () => {
    const { URLSearchParams } = globalThis;
    Object.assign(globalThis, { URLSearchParams: NativeSearchParams });
    const bodies: unknown[] = [];
    const fetch = (_url: unknown, init?: RequestInit) => {
      bodies.push(init?.body);
      return Promise.resolve(Response.json(token));
    };
    try {
      await ask(clientCredentials({ ...base, scope: 'read', parameters: { tenant: 'a b' }, fetch }));
    } finally {
      Object.assign(globalThis, { URLSearchParams });
    }
    expect(bodies).toEqual(['tenant=a+b&scope=read&grant_type=client_credentials']);
  });

  it.each(['scope', 'resource', 'audience', 'requested_token_type'])(
    'should carry the option, not the parameter of that name: %s',
    async (name) => {
      const bodies: URLSearchParams[] = [];
      const fetch = (_url: unknown, init?: RequestInit) => {
        bodies.push(formIn(init));
        return Promise.resolve(Response.json(token));
      };
      const own = { scope: 'urn:own', resource: 'urn:own', audience: ['urn:own'], requestedTokenType: 'urn:own' };
      await ask(tokenExchange({ ...base, subjectToken: 's', ...own, parameters: { [name]: 'urn:parameter' }, fetch }));
      await ask(
        tokenExchange({
          ...base,
          subjectToken: 's',
          resource: [],
          audience: [],
          parameters: { [name]: 'urn:parameter' },
          fetch,
        }),
      );
      expect(bodies.map((body) => body.getAll(name))).toEqual([['urn:own'], ['urn:parameter']]);
    },
  );

  it('should carry the options as they were checked, whatever becomes of the object later', async () => {
    const endpoint = fakeEndpoint((seen) => (isDiscovery(seen) ? metadata(ENDPOINT) : token));
    const options = {
      ...byIssuer,
      issuer: new URL(ISSUER),
      scope: 'read',
      resource: ['urn:a'],
      audience: ['b'],
      parameters: { tenant: 't' } as Record<string, string>,
      fetch: endpoint.fetch,
    };
    const changeAll = () => {
      options.issuer.href = 'http://evil.example';
      options.resource[0] = options.audience[0] = 'urn:evil';
      Object.assign(options.parameters, { grant_type: 'password', client_assertion: 'evil' });
      for (const given of [options, withAssertion, withRefreshToken, withSubjectToken])
        Object.assign(given, {
          scope: 'all',
          clientId: '',
          clientSecret: '',
          assertion: 7,
          refreshToken: 7,
          subjectToken: 7,
          fetch: undefined,
        });
    };
    const withAssertion = { ...options, assertion: 'a' };
    const withRefreshToken = { ...options, refreshToken: 'r' };
    const withSubjectToken = { ...options, subjectToken: 's' };
    const sources = [
      clientCredentials(options),
      jwtBearer(withAssertion),
      refreshToken(withRefreshToken),
      tokenExchange(withSubjectToken),
    ];
    changeAll();
    for (const source of sources) await ask(source);
    const common = { scope: 'read', resource: 'urn:a', audience: 'b', tenant: 't' };
    expect(endpoint.seen.filter((seen) => !isDiscovery(seen)).map(({ form }) => form)).toEqual([
      { grant_type: 'client_credentials', ...common },
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'a', ...common },
      { grant_type: 'refresh_token', refresh_token: 'r', ...common },
      expect.objectContaining({ subject_token: 's', ...common }),
    ]);
  });

  it.each<[string, Partial<OAuthOptions>]>([
    ['by default', {}],
    ['by its name', { clientAuth: 'private_key_jwt' }],
  ])(
    'should carry an assertion signed by the private key, for the issuer or else for the token endpoint: %s',
    async (_how, change) => {
      const key = {
        ...change,
        clientSecret: undefined,
        privateKey: { key: keys.privateKey, kid: 'k1' },
      };
      const endpoint = fakeEndpoint((seen) => (isDiscovery(seen) ? metadata(ENDPOINT) : token));
      await ask(clientCredentials({ ...base, ...key, fetch: endpoint.fetch }));
      await ask(clientCredentials({ ...byIssuer, ...key, fetch: endpoint.fetch }));
      expect(
        endpoint.seen.filter((seen) => !isDiscovery(seen)).map(({ form }) => payloadOf(form.client_assertion)),
      ).toEqual([
        expect.objectContaining({ iss: 'orders', sub: 'orders', aud: ENDPOINT }),
        expect.objectContaining({ iss: 'orders', sub: 'orders', aud: ISSUER }),
      ]);
    },
  );

  it.each<[string, Partial<OAuthOptions>]>([
    ['by default', {}],
    ['by its name', { clientAuth: 'private_key_jwt' }],
  ])(
    'should carry a client assertion that is made elsewhere, read for each request (RFC 7523): %s',
    async (_how, change) => {
      let read = 0;
      const endpoint = fakeEndpoint((seen) =>
        isDiscovery(seen) ? metadata(ENDPOINT, { revocation_endpoint: `${ISSUER}/revoke` }) : token,
      );
      const source = clientCredentials({
        ...byIssuer,
        ...change,
        clientSecret: undefined,
        clientAssertion: () => Promise.resolve(`e30.e30.${String(++read)}\n`),
        revokeOnClose: true,
        fetch: endpoint.fetch,
      });
      expect(read).toBe(0);
      await ask(source);
      await ask(source);
      (source as SourceHooks)[ON_CLOSE]?.({ value: 'T1' } as AccessToken);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const client = (n: number) => ({
        client_id: 'orders',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `e30.e30.${String(n)}`,
      });
      expect(endpoint.seen.slice(1).map(({ form, headers }) => [form, headers.authorization])).toEqual([
        [{ grant_type: 'client_credentials', ...client(1) }, undefined],
        [{ grant_type: 'client_credentials', ...client(2) }, undefined],
        [{ token: 'T1', token_type_hint: 'access_token', ...client(3) }, undefined],
      ]);
    },
  );

  it('should not leave without the client assertion, and be let go of with its signal', async () => {
    const endpoint = fakeEndpoint(() => token);
    const none = { ...base, clientSecret: undefined, fetch: endpoint.fetch };
    await expect(ask(clientCredentials({ ...none, clientAssertion: () => null }))).rejects.toThrow(
      'option "clientAssertion" gave no string, or an empty one',
    );
    await expect(
      ask(clientCredentials({ ...none, clientAssertion: () => throwError(() => new Error('the KMS is down')) })),
    ).rejects.toThrow('the KMS is down');
    const controller = new AbortController();
    const asked = ask(clientCredentials({ ...none, clientAssertion: () => NEVER }), { signal: controller.signal });
    controller.abort(new Error('too slow'));
    await expect(asked).rejects.toThrow('too slow');
    expect(endpoint.seen).toEqual([]);
  });

  it("should carry the signal of the fetch, so that a timeout ends it and the client knows it for the source's own", async () => {
    const signals: AbortSignal[] = [];
    const fetch = (_url: unknown, init?: RequestInit) => {
      signals.push(init?.signal as AbortSignal);
      return Promise.resolve(Response.json(token));
    };
    const fetcher = {};
    const signal = Object.assign(new AbortController().signal, { [ON_BEHALF_OF]: fetcher });
    await ask(clientCredentials({ ...base, fetch }), { signal });
    expect(signals).toHaveLength(1);
    for (const each of signals) expect(fetcherBehind(each)).toBe(fetcher);
  });

  it('should fail when the signal aborts', async () => {
    const fetch = () => new Promise<Response>(() => undefined);
    await expect(ask(clientCredentials({ ...base, fetch }), { signal: AbortSignal.timeout(10) })).rejects.toThrow(
      'did not answer before the request was aborted',
    );
  });
});

describe('jwtBearer', () => {
  it('should make an assertion for each fetch', async () => {
    const endpoint = fakeEndpoint(() => token);
    let made = 0;
    const source = jwtBearer({
      ...base,
      assertion: () => Promise.resolve(`assertion-${String(++made)}`),
      fetch: endpoint.fetch,
    });
    await ask(source);
    await ask(source);
    expect(endpoint.seen.map(({ form }) => form)).toEqual([
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'assertion-1' },
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'assertion-2' },
    ]);
  });

  it.each<[string, () => never]>([
    ['nothing', () => [] as never],
    ['an empty string', () => '' as never],
    ['a number', () => Promise.resolve(7) as never],
    ['what RxJS cannot read, and would quote', () => 123_456_789 as never],
    ['a function, which RxJS would quote', () => (() => 'secret') as never],
    ['null', () => null as never],
  ])('should fail when the function gives %s', async (_what, assertion) => {
    const endpoint = fakeEndpoint(() => token);
    await expect(ask(jwtBearer({ ...base, assertion, fetch: endpoint.fetch }))).rejects.toThrow(
      'option "assertion" gave no string, or an empty one',
    );
    expect(endpoint.seen).toEqual([]);
  });

  it('should fail at once when the function gives the bytes of a file, or a token as an object', async () => {
    const endpoint = fakeEndpoint(() => token);
    for (const given of [Promise.resolve(Buffer.from('a.b.c')), of({ value: 'a.b.c' })]) {
      const assertion = jest.fn(() => given as never);
      const token$ = createTokenStream(jwtBearer({ ...base, assertion, fetch: endpoint.fetch }));
      await expect(firstValueFrom(token$)).rejects.toThrow('failed permanently');
      expect(assertion).toHaveBeenCalledTimes(1);
    }
  });

  it('should take a string that a function returns for a string, not for its first character', async () => {
    const endpoint = fakeEndpoint(() => token);
    await ask(jwtBearer({ ...base, assertion: () => 'whole', fetch: endpoint.fetch }));
    expect(endpoint.seen[0]?.form.assertion).toBe('whole');
  });
});

describe('what a supplier is asked for', () => {
  const suppliers: [string, (supplier: () => Observable<string>, fetch: typeof globalThis.fetch) => TokenSource][] = [
    ['assertion', (assertion, fetch) => jwtBearer({ ...base, assertion, fetch })],
    ['subjectToken', (subjectToken, fetch) => tokenExchange({ ...base, subjectToken, fetch })],
    ['actorToken', (actorToken, fetch) => tokenExchange({ ...base, subjectToken: 's', actorToken, fetch })],
  ];

  it.each(suppliers)(
    'should be let go of when the request is aborted, and fail with the reason of that: %s',
    async (_option, create) => {
      const endpoint = fakeEndpoint(() => token);
      let watched = 0;
      const supplier = () => new Observable<string>(() => (watched++, () => watched--));
      const controller = new AbortController();
      const asked = ask(create(supplier, endpoint.fetch), { signal: controller.signal });
      await new Promise((resolve) => setImmediate(resolve));
      expect(watched).toBe(1);
      controller.abort(new Error('too slow'));
      expect(watched).toBe(0);
      await expect(asked).rejects.toThrow('too slow');
      expect(endpoint.seen).toEqual([]);
    },
  );

  it.each(suppliers)(
    'should be let go of when the stream times out, and when it is closed: %s',
    async (_option, create) => {
      const endpoint = fakeEndpoint(() => token);
      const watched = { now: 0, ever: 0 };
      const supplier = () => new Observable<string>(() => (watched.now++, watched.ever++, () => watched.now--));
      const token$ = createTokenStream(create(supplier, endpoint.fetch), {
        fetchTimeout: 20,
        backoff: { initial: 1, max: 1 },
      });
      const all = token$.subscribe();
      while (watched.ever < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      const { now } = watched;
      token$.close();
      expect([now <= 1, all.closed, watched.now]).toEqual([true, true, 0]);
    },
  );
});

describe('tokenExchange', () => {
  const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

  it.each([
    [{ subjectToken: 's' }, { subject_token: 's', subject_token_type: ACCESS_TOKEN }],
    [
      { subjectToken: () => 's', actorToken: 'a' },
      { subject_token: 's', subject_token_type: ACCESS_TOKEN, actor_token: 'a', actor_token_type: ACCESS_TOKEN },
    ],
    [
      {
        subjectToken: 's',
        subjectTokenType: 'urn:s',
        actorToken: 'a',
        actorTokenType: 'urn:a',
        requestedTokenType: 'urn:r',
        audience: 'api',
      },
      {
        subject_token: 's',
        subject_token_type: 'urn:s',
        actor_token: 'a',
        actor_token_type: 'urn:a',
        requested_token_type: 'urn:r',
        audience: 'api',
      },
    ],
  ])('should send of %j: %j', async (options, form) => {
    const endpoint = fakeEndpoint(() => token);
    await ask(tokenExchange({ ...base, ...options, fetch: endpoint.fetch }));
    expect(endpoint.seen[0]?.form).toEqual({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', ...form });
  });
});

describe('an answer that asks for another try (guarantee 28)', () => {
  const html = { 'content-type': 'text/html' };
  it.each<[string, number, Record<string, string>, string]>([
    ['the page of a firewall', 403, html, '<!DOCTYPE html><title>Just a moment...</title>'],
    ['a page that names no type', 403, {}, '<html><title>Request Rejected</title></html>'],
    ['a used-up rate limit', 403, { 'x-ratelimit-remaining': '0' }, '{"message":"API rate limit exceeded"}'],
    ['a used-up rate limit of the draft', 403, { ratelimit: '"default";r=0;t=1' }, '{}'],
    ['Retry-After', 404, { 'retry-after': '0' }, ''],
  ])('should be temporary, of the token endpoint and of discovery: %s', async (_what, status, headers, body) => {
    const answer = () => new Response(new TextEncoder().encode(body), { status, headers });
    const { fetch } = fakeEndpoint(answer);
    for (const options of [base, byIssuer]) {
      const failure = await failureOf(ask(clientCredentials({ ...options, fetch })));
      expect(failure).toMatchObject({ status, error: 'temporarily_unavailable' });
      expect(isPermanentFailure(failure)).toBe(false);
    }
  });

  it.each<[string, number, Record<string, string>, string]>([
    ['a code of OAuth', 400, { 'x-ratelimit-remaining': '0' }, '{"error":"invalid_grant"}'],
    ['a 404 with a page', 404, html, '<html>'],
    ['a 403 without a page', 403, {}, '{"message":"Forbidden"}'],
    ['a limit with requests left', 403, { 'x-ratelimit-remaining': '10' }, '{}'],
  ])('should not be seen in %s', async (_what, status, headers, body) => {
    const { fetch } = fakeEndpoint(() => new Response(new TextEncoder().encode(body), { status, headers }));
    const failure = await failureOf(ask(clientCredentials({ ...base, fetch })));
    expect(isPermanentFailure(failure)).toBe(true);
  });

  it('should not hide that the refresh token is over', async () => {
    const limit = { headers: { 'x-ratelimit-remaining': '0' }, status: 400 };
    const { fetch } = fakeEndpoint(() => Response.json({ message: 'Invalid refresh token' }, limit));
    const failure = await failureOf(ask(refreshToken({ ...base, refreshToken: 'r1', fetch })));
    expect(failure).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('discovery', () => {
  it('should happen once', async () => {
    const endpoint = fakeEndpoint((seen) => (isDiscovery(seen) ? metadata(ENDPOINT) : token));
    const source = clientCredentials({ ...byIssuer, fetch: endpoint.fetch });
    await ask(source);
    await ask(source);
    expect(endpoint.seen.map(({ url }) => url)).toEqual([
      `${ISSUER}/.well-known/openid-configuration`,
      ENDPOINT,
      ENDPOINT,
    ]);
  });

  it('should not be repeated after an answer with a code of OAuth, temporary or not', async () => {
    const endpoint = fakeEndpoint((seen) =>
      isDiscovery(seen) ? metadata(ENDPOINT) : refuse(400, 'temporarily_unavailable'),
    );
    const source = clientCredentials({ ...byIssuer, fetch: endpoint.fetch });
    for (let i = 0; i < 2; i++) await expect(ask(source)).rejects.toMatchObject({ error: 'temporarily_unavailable' });
    expect(endpoint.seen.filter(isDiscovery)).toHaveLength(1);
  });

  it('should fall back to RFC 8414 where there is no OpenID Connect', async () => {
    const endpoint = fakeEndpoint(({ url }) =>
      url.includes('openid') ? refuse(404) : url.includes('well-known') ? metadata(ENDPOINT) : token,
    );
    await ask(clientCredentials({ ...byIssuer, fetch: endpoint.fetch }));
    expect(endpoint.seen.map(({ url }) => url)).toEqual([
      `${ISSUER}/.well-known/openid-configuration`,
      `${ISSUER}/.well-known/oauth-authorization-server`,
      ENDPOINT,
    ]);
  });

  it('should be repeated with the token when it failed', async () => {
    const endpoint = fakeEndpoint((seen, index) =>
      index === 0 ? refuse(503, undefined, { 'retry-after': '2' }) : isDiscovery(seen) ? metadata(ENDPOINT) : token,
    );
    const source = clientCredentials({ ...byIssuer, fetch: endpoint.fetch });
    await expect(ask(source)).rejects.toMatchObject({ status: 503, retryAfter: 2000 });
    await expect(ask(source)).resolves.toMatchObject(token);
  });

  it('should be given up, and begun anew, when all who asked have left', async () => {
    const signals: AbortSignal[] = [];
    const fetch: typeof globalThis.fetch = (_url, init) => {
      signals.push(init?.signal as AbortSignal);
      return new Promise(() => undefined);
    };
    const source = clientCredentials({ ...byIssuer, fetch });
    for (const round of [0, 1]) {
      await ask(source, { signal: AbortSignal.timeout(10) }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect([signals.length, signals[round]?.aborted]).toEqual([round + 1, true]);
    }
  });

  it('should use the aliases for mTLS (RFC 8705 section 5)', async () => {
    const mtls_endpoint_aliases = { token_endpoint: 'https://mtls.example/token' };
    const endpoint = fakeEndpoint((seen) =>
      isDiscovery(seen) ? metadata(ENDPOINT, { mtls_endpoint_aliases }) : token,
    );
    await ask(clientCredentials({ ...byIssuer, clientAuth: 'tls_client_auth', fetch: endpoint.fetch }));
    await ask(clientCredentials({ ...byIssuer, fetch: endpoint.fetch }));
    expect(endpoint.seen.filter((seen) => !isDiscovery(seen)).map(({ url }) => url)).toEqual([
      'https://mtls.example/token',
      ENDPOINT,
    ]);
  });

  it.each([['text/plain'], ['application/octet-stream'], ['binary/octet-stream'], ['']])(
    'should read metadata of the type %j, as storage services serve them',
    async (type) => {
      const document = JSON.stringify(metadata(ENDPOINT));
      const endpoint = fakeEndpoint((seen) =>
        isDiscovery(seen)
          ? new Response(new TextEncoder().encode(document), { headers: type === '' ? {} : { 'content-type': type } })
          : token,
      );
      await expect(ask(clientCredentials({ ...byIssuer, fetch: endpoint.fetch }))).resolves.toMatchObject(token);
    },
  );

  it.each<[string, unknown, RegExp]>([
    [
      'HTML',
      new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      /the discovery document of https:\/\/id\.example\/ answered 200 with text\/html, but is no authorization server metadata/,
    ],
    ['an array', [], /is no authorization server metadata/],
    ['an issuer that is no URL', { issuer: 'evil', token_endpoint: ENDPOINT }, /is no authorization server metadata/],
  ])('should fail clearly on %s, and may be repeated', async (_what, document, message) => {
    const endpoint = fakeEndpoint(() => (document instanceof Response ? document.clone() : document));
    const error = await failureOf(ask(clientCredentials({ ...byIssuer, fetch: endpoint.fetch })));
    expect(error).toMatchObject({ name: 'TokenEndpointError', message: expect.stringMatching(message) as string });
    expect(error).not.toHaveProperty('cause');
    expect(isPermanentFailure(error)).toBe(false);
  });

  it.each<[string, object, RegExp, Partial<OAuthOptions>?]>([
    [
      'another issuer',
      { issuer: 'https://evil.example', token_endpoint: ENDPOINT },
      /^the discovery document of https:\/\/id\.example\/ names another issuer: https:\/\/evil\.example\/, not https:\/\/id\.example\/ \(a slash at the end counts\)\. .* give tokenEndpoint/,
    ],
    [
      'the issuer with a slash at its end',
      { issuer: `${ISSUER}/a/`, token_endpoint: ENDPOINT },
      /: https:\/\/id\.example\/a\/, not https:\/\/id\.example\/a \(a slash/,
      { issuer: `${ISSUER}/a` },
    ],
    [
      'an issuer with what may be a secret: neither is shown',
      { issuer: 'https://user:password@evil.example/a?key=value#part', token_endpoint: ENDPOINT },
      /: https:\/\/evil\.example\/a, not/,
    ],
    [
      'an issuer without end: its beginning is shown',
      { issuer: `https://evil.example/${'a'.repeat(9999)}`, token_endpoint: ENDPOINT },
      /^.{99,400}$/,
    ],
    [
      'a template in the place of the issuer',
      { issuer: `${ISSUER}/{tenantid}/v2.0`, token_endpoint: ENDPOINT },
      /: https:\/\/id\.example\/%7Btenantid%7D\/v2\.0, not/,
    ],
    ['no token endpoint', metadata(undefined), /names no token_endpoint/],
    [
      'a token endpoint that is no URL',
      metadata('/token'),
      /names a token_endpoint that cannot be used: it must be a URL/,
    ],
    [
      'a token endpoint without TLS',
      metadata('http://id.example/token'),
      /names a token_endpoint that cannot be used: it must be an https: URL/,
    ],
    [
      'a token endpoint on loopback, of an issuer elsewhere',
      metadata('http://localhost/token'),
      /it must be an https: URL/,
    ],
    [
      'a token endpoint without TLS, of an issuer with it, though http: may be named',
      metadata('http://keycloak:8080/token'),
      /it must be an https: URL, since the issuer is one/,
      { allowInsecureRequests: true },
    ],
  ])('should fail permanently on a document that names %s', async (_what, document, message, more = {}) => {
    const endpoint = fakeEndpoint(() => document);
    const error = await failureOf(ask(clientCredentials({ ...byIssuer, ...more, fetch: endpoint.fetch })));
    expect(error).toMatchObject({
      code: 'ERR_INVALID_TOKEN_RESPONSE',
      message: expect.stringMatching(message) as string,
    });
    expect(isPermanentFailure(error)).toBe(true);
  });

  it.each(['http://keycloak:8080/token', 'https://keycloak/token'])(
    'should follow an http: issuer to the endpoint that it names, if that is allowed: %s',
    async (endpointUrl) => {
      const issuer = 'http://keycloak:8080';
      const endpoint = fakeEndpoint((seen) => (isDiscovery(seen) ? { issuer, token_endpoint: endpointUrl } : token));
      const source = clientCredentials({ ...byIssuer, issuer, allowInsecureRequests: true, fetch: endpoint.fetch });
      await expect(ask(source)).resolves.toMatchObject(token);
      expect(endpoint.seen.map(({ url }) => url)).toEqual([`${issuer}/.well-known/openid-configuration`, endpointUrl]);
    },
  );

  it('should not follow a loopback issuer to another machine without TLS, unless that is allowed', async () => {
    const endpoint = fakeEndpoint(() => ({ issuer: 'http://localhost', token_endpoint: 'http://id.example/token' }));
    const source = clientCredentials({ ...byIssuer, issuer: 'http://localhost', fetch: endpoint.fetch });
    await expect(ask(source)).rejects.toThrow('names a token_endpoint that cannot be used');
  });

  it('should not be repeated after an error that the token endpoint itself gave', async () => {
    const endpoint = fakeEndpoint((seen) => (isDiscovery(seen) ? metadata(ENDPOINT) : refuse(400, 'invalid_scope')));
    const source = clientCredentials({ ...byIssuer, fetch: endpoint.fetch });
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_scope' });
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_scope' });
    expect(endpoint.seen.map(isDiscovery)).toEqual([true, false, false]);
  });

  it.each<[string, () => unknown]>([
    ['a web page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['JSON that is no token', () => ({ status: 'gone' })],
    ['404', () => refuse(404)],
    ["404 and a router's error", () => Response.json({ error: 'Not Found' }, { status: 404 })],
    ['a redirect', () => refuse(301)],
    ['503', () => refuse(503)],
  ])('should be repeated with the next attempt when a cached token endpoint answers with %s', async (_what, page) => {
    let home = ENDPOINT;
    const endpoint = fakeEndpoint((seen) => (isDiscovery(seen) ? metadata(home) : seen.url === home ? token : page()));
    const source = clientCredentials({ ...byIssuer, fetch: endpoint.fetch });
    await ask(source);
    home = `${ISSUER}/moved`;
    await expect(ask(source)).rejects.toThrow('the token endpoint');
    await expect(ask(source)).resolves.toMatchObject(token);
    expect(endpoint.seen.filter((seen) => !isDiscovery(seen)).map(({ url }) => url)).toEqual([
      ENDPOINT,
      ENDPOINT,
      home,
    ]);
  });

  it('should be repeated once for a token endpoint that redirects, and not where it was just named', async () => {
    const endpoint = fakeEndpoint((seen) => (isDiscovery(seen) ? metadata(ENDPOINT) : answers()));
    let answers: () => unknown = () => token;
    const source = clientCredentials({ ...byIssuer, fetch: endpoint.fetch });
    await ask(source);
    answers = () => refuse(308);
    expect(isPermanentFailure(await failureOf(ask(source)))).toBe(false);
    expect(isPermanentFailure(await failureOf(ask(source)))).toBe(true);
    expect(endpoint.seen.filter(isDiscovery)).toHaveLength(2);
  });

  it('should fail at once when its document redirects', async () => {
    const endpoint = fakeEndpoint(() => refuse(302));
    const error = await failureOf(ask(clientCredentials({ ...byIssuer, fetch: endpoint.fetch })));
    expect(error).toMatchObject({ name: 'TokenEndpointError', status: 302 });
    expect(isPermanentFailure(error)).toBe(true);
  });

  it.each([null, 'http://internal.corp/revoke', '/revoke', 7])(
    'should not mind a revocation_endpoint that cannot be used: %j',
    async (revocation_endpoint) => {
      const endpoint = fakeEndpoint((seen) =>
        isDiscovery(seen) ? metadata(ENDPOINT, { revocation_endpoint }) : token,
      );
      const source = clientCredentials({ ...byIssuer, revokeOnClose: true, fetch: endpoint.fetch });
      await expect(ask(source)).resolves.toMatchObject(token);
      // Nor when it would be needed: an unhandled rejection would fail this file.
      (source as SourceHooks)[ON_CLOSE]?.({ value: 'T1' } as AccessToken);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(endpoint.seen.map(({ url }) => url).filter((url) => !url.includes('well-known'))).toEqual([ENDPOINT]);
    },
  );

  it('should take null for none', async () => {
    const endpoint = fakeEndpoint(() => metadata(null));
    await expect(ask(clientCredentials({ ...byIssuer, fetch: endpoint.fetch }))).rejects.toThrow(
      'names no token_endpoint',
    );
  });
});

describe('a server whose clock is off', () => {
  const date = (offset: number) => ({ date: new Date(Date.now() + offset).toUTCString() });
  const iat = ({ form, headers }: Seen) =>
    Number(payloadOf(form.client_assertion ?? headers.dpop).iat) - Date.now() / 1000;
  /** Refuses what was not signed by its own clock. */
  const strict = (offset: number, error: string, answer: unknown) =>
    fakeEndpoint((seen) => (Math.abs(iat(seen) - offset / 1000) > 5 ? refuse(401, error, date(offset)) : answer));

  it.each([
    [600_000, 'invalid_client'],
    [-600_000, 'unauthorized_client'], // older versions of Keycloak
  ])('should be met by its own clock: %p ms, private_key_jwt, %s', async (offset, error) => {
    const endpoint = strict(offset, error, token);
    const source = clientCredentials({
      ...base,
      clientAuth: 'private_key_jwt',
      privateKey: keys.privateKey,
      fetch: endpoint.fetch,
    });
    await expect(ask(source)).resolves.toMatchObject(token);
    await expect(ask(source)).resolves.toMatchObject(token);
    expect(endpoint.seen).toHaveLength(3); // the skew is remembered
  });

  it.each([1500, 2000, 10_500, 29_000])(
    'should be met by its own clock though it is only %p ms behind ours, and tolerates nothing',
    async (behind) => {
      const endpoint = fakeEndpoint((seen) => {
        const now = Math.floor((Date.now() - behind) / 1000);
        const { iat: signedAt } = payloadOf(seen.form.client_assertion ?? seen.headers.dpop);
        const headers = { date: new Date(now * 1000).toUTCString() };
        if (Number(signedAt) <= now) return Response.json(dpopToken, { headers });
        return refuse(400, seen.headers.dpop ? 'invalid_dpop_proof' : 'invalid_client', headers);
      });
      const { fetch } = endpoint;
      const byKey = { ...base, clientAuth: 'private_key_jwt', privateKey: keys.privateKey, fetch } as const;
      for (const options of [byKey, { ...base, dpop: true, fetch }]) {
        const source = clientCredentials(options);
        await expect(ask(source)).resolves.toMatchObject({ access_token: 'T1' });
        await expect(ask(source)).resolves.toMatchObject({ access_token: 'T1' });
      }
      expect(endpoint.seen).toHaveLength(6); // each time the skew is remembered
    },
  );

  it('should be met by its own clock where it demands a nonce too', async () => {
    const endpoint = fakeEndpoint((seen) => {
      const { nonce } = payloadOf(seen.headers.dpop);
      return Math.abs(iat(seen) - 600) > 5 || nonce !== 'n'
        ? refuse(400, 'use_dpop_nonce', { 'dpop-nonce': 'n', ...date(600_000) })
        : dpopToken;
    });
    await expect(ask(clientCredentials({ ...base, dpop: true, fetch: endpoint.fetch }))).resolves.toMatchObject({
      token_type: 'dpop',
    });
    expect(endpoint.seen).toHaveLength(3);
  });

  it('should be learnt from an answer that did not mind, for the proofs of requests', async () => {
    const endpoint = fakeEndpoint(() => Response.json(dpopToken, { headers: date(600_000) }));
    const source = clientCredentials({ ...base, dpop: true, fetch: endpoint.fetch });
    await ask(source);
    const headers = await (source as SourceHooks)[PROOF]?.sign({
      method: 'GET',
      url: 'https://api.example',
      token: { value: 'T1', type: 'DPoP' } as AccessToken,
    });
    expect(Number(payloadOf(headers?.dpop).iat) - Date.now() / 1000).toBeGreaterThan(590);
  });

  it('should be met by its own clock: DPoP', async () => {
    const endpoint = strict(600_000, 'invalid_dpop_proof', dpopToken);
    await expect(ask(clientCredentials({ ...base, dpop: true, fetch: endpoint.fetch }))).resolves.toMatchObject({
      token_type: 'dpop',
    });
    expect(endpoint.seen).toHaveLength(2);
  });

  it.each([
    ['refused', () => refuse(401, 'invalid_client', date(86_400_000))],
    ['not answered', () => refuse(503, undefined, date(86_400_000))],
  ])('should not set our clock if the repeat is %s: the Date may be that of a cache', async (_how, repeated) => {
    let isRegistered = false;
    const endpoint = fakeEndpoint((seen) => {
      if (Math.abs(iat(seen)) > 5) return repeated();
      return isRegistered
        ? Response.json(token, { headers: date(86_400_000) })
        : refuse(401, 'invalid_client', date(86_400_000));
    });
    const { privateKey } = keys;
    const source = clientCredentials({ ...base, clientAuth: 'private_key_jwt', privateKey, fetch: endpoint.fetch });
    await expect(ask(source)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT' });
    isRegistered = true;
    await expect(ask(source)).resolves.toMatchObject(token);
    expect(endpoint.seen).toHaveLength(3);
  });

  it.each([
    ['invalid_grant', 400],
    ['temporarily_unavailable', 503],
  ])('should stay met if the repeat is refused with %s: the signature was accepted', async (error, status) => {
    const endpoint = fakeEndpoint((seen) =>
      Math.abs(iat(seen) - 600) > 5 ? refuse(401, 'invalid_client', date(600_000)) : refuse(status, error),
    );
    const { privateKey } = keys;
    const source = clientCredentials({ ...base, clientAuth: 'private_key_jwt', privateKey, fetch: endpoint.fetch });
    for (const seen of [2, 3]) {
      await expect(ask(source)).rejects.toMatchObject({ error });
      expect(endpoint.seen).toHaveLength(seen);
    }
  });

  it('should be met by its own clock at last, though it refused the client before', async () => {
    let isRegistered = false;
    const endpoint = fakeEndpoint((seen) =>
      Math.abs(iat(seen) - 600) > 5 || !isRegistered ? refuse(401, 'invalid_client', date(600_000)) : token,
    );
    const { privateKey } = keys;
    const source = clientCredentials({ ...base, clientAuth: 'private_key_jwt', privateKey, fetch: endpoint.fetch });
    await expect(ask(source)).rejects.toMatchObject({ error: 'invalid_client' });
    isRegistered = true;
    await expect(ask(source)).resolves.toMatchObject(token);
    await expect(ask(source)).resolves.toMatchObject(token);
    expect(endpoint.seen).toHaveLength(5);
  });

  it('should not be asked twice when the clock is not to blame', async () => {
    const right = fakeEndpoint(() => refuse(401, 'invalid_client', date(1000)));
    await expect(
      ask(
        clientCredentials({ ...base, clientAuth: 'private_key_jwt', privateKey: keys.privateKey, fetch: right.fetch }),
      ),
    ).rejects.toMatchObject({ error: 'invalid_client' });
    const unsigned = fakeEndpoint(() => refuse(401, 'invalid_client', date(600_000)));
    await expect(ask(clientCredentials({ ...base, fetch: unsigned.fetch }))).rejects.toMatchObject({
      error: 'invalid_client',
    });
    expect([right.seen.length, unsigned.seen.length]).toEqual([1, 1]);
  });
});

describe('DPoP at the token endpoint', () => {
  it('should repeat once with the nonce that the server demands, and keep it', async () => {
    const endpoint = fakeEndpoint(({ headers }) =>
      payloadOf(headers.dpop).nonce === 'n1' ? dpopToken : refuse(400, 'use_dpop_nonce', { 'dpop-nonce': 'n1' }),
    );
    const source = clientCredentials({ ...base, dpop: true, fetch: endpoint.fetch });
    await expect(ask(source)).resolves.toMatchObject({ access_token: 'T1', token_type: 'dpop' });
    await ask(source);
    expect(endpoint.seen.map(({ headers }) => payloadOf(headers.dpop))).toEqual([
      expect.not.objectContaining({ nonce: expect.anything() as unknown }),
      expect.objectContaining({ nonce: 'n1', htm: 'POST', htu: ENDPOINT }),
      expect.objectContaining({ nonce: 'n1' }),
    ]);
  });

  it('should know the demand, though a secret of the request is a piece of that word', async () => {
    const endpoint = fakeEndpoint(({ headers }) =>
      payloadOf(headers.dpop).nonce === 'n1' ? dpopToken : refuse(400, 'use_dpop_nonce', { 'dpop-nonce': 'n1' }),
    );
    await expect(
      ask(clientCredentials({ ...base, clientSecret: 's', dpop: true, fetch: endpoint.fetch })),
    ).resolves.toMatchObject({ token_type: 'dpop' });
  });

  it('should not repeat twice', async () => {
    const endpoint = fakeEndpoint((_seen, index) =>
      refuse(400, 'use_dpop_nonce', { 'dpop-nonce': `n${String(index)}` }),
    );
    await expect(ask(clientCredentials({ ...base, dpop: true, fetch: endpoint.fetch }))).rejects.toMatchObject({
      error: 'use_dpop_nonce',
    });
    expect(endpoint.seen).toHaveLength(2);
  });

  it('should sign with the key that was handed in', async () => {
    const endpoint = fakeEndpoint(() => dpopToken);
    await ask(clientCredentials({ ...base, dpop: keys, fetch: endpoint.fetch }));
    const header = JSON.parse(
      Buffer.from(endpoint.seen[0]?.headers.dpop?.split('.')[0] ?? '', 'base64url').toString(),
    ) as { jwk: JsonWebKey };
    const { x, y } = await crypto.subtle.exportKey('jwk', keys.publicKey);
    expect(header.jwk).toEqual({ kty: 'EC', crv: 'P-256', x, y });
  });

  it('should refuse a token that is not bound (RFC 9449 section 5), and ask for no other', async () => {
    const endpoint = fakeEndpoint(() => token);
    const error = await failureOf(ask(clientCredentials({ ...base, dpop: true, fetch: endpoint.fetch })));
    expect(error).toMatchObject({
      name: 'InvalidTokenResponseError',
      message: expect.stringContaining('answered 200 with application/json and a token that is not bound to') as string,
    });
    expect(isPermanentFailure(error)).toBe(true);
  });
});
