import { inspect } from 'node:util';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import { jwtBearer } from '../../src/oauth/jwtBearer.js';
import type { OAuthOptions } from '../../src/oauth/options.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { tokenExchange } from '../../src/oauth/tokenExchange.js';
import type { Supplied } from '../../src/oauth/checks/supplied.js';
import type { TokenSource } from '../../src/token/types.js';
import { ask, fakeEndpoint } from './fakeEndpoint.js';

const SECRET = 'the-client-secret-5d41402a';
const good: OAuthOptions = { tokenEndpoint: 'https://id.example/token', clientId: 'orders', clientSecret: SECRET };
const wrong = (value: unknown) => value as never;

const newKeys = () => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
let keys: CryptoKeyPair;
beforeAll(async () => {
  keys = await newKeys();
});

type Change = Partial<OAuthOptions> | (() => Partial<OAuthOptions> | Promise<Partial<OAuthOptions>>);

const mistakes: [what: string, change: Change, message: RegExp][] = [
  [
    'neither issuer nor tokenEndpoint',
    { tokenEndpoint: undefined },
    /"issuer" and "tokenEndpoint": exactly one must be given, got neither/,
  ],
  ['both of them', { issuer: 'https://id.example' }, /exactly one must be given, got both/],
  [
    'a URL without http://',
    { tokenEndpoint: 'localhost:8080/token' },
    /"tokenEndpoint" must be an absolute URL such as https:\/\/id.example.com, got another string$/,
  ],
  [
    'a relative tokenEndpoint',
    { tokenEndpoint: '/token' },
    /"tokenEndpoint" must be an absolute URL such as https:\/\/id.example.com, got another string$/,
  ],
  [
    'the discovery document of OpenID Connect as issuer',
    { tokenEndpoint: undefined, issuer: 'https://id.example/realms/a/.well-known/openid-configuration' },
    /"issuer" must be the issuer identifier, without \/\.well-known\/: it is added$/,
  ],
  [
    'the discovery document of RFC 8414 as issuer',
    { tokenEndpoint: undefined, issuer: 'https://id.example/.well-known/oauth-authorization-server/realms/a' },
    /"issuer" must be the issuer identifier, without \/\.well-known\/: it is added$/,
  ],
  [
    'no URL at all',
    { tokenEndpoint: wrong(42) },
    /"tokenEndpoint" must be an absolute URL such as https:\/\/id.example.com, got number/,
  ],
  [
    'a secret in a broken URL',
    { tokenEndpoint: `//user:${SECRET}@host/token?key=${SECRET}` },
    /"tokenEndpoint" must be an absolute URL such as https:\/\/id.example.com, got another string$/,
  ],
  [
    'a secret instead of a URL',
    { tokenEndpoint: SECRET },
    /"tokenEndpoint" must be an absolute URL such as https:\/\/id.example.com, got another string$/,
  ],
  [
    'a secret that parses as a URL',
    { tokenEndpoint: `basic:${SECRET}` },
    /"tokenEndpoint" must be an absolute URL such as https:\/\/id.example.com, got another string$/,
  ],
  [
    'http: to another machine',
    { tokenEndpoint: `http://id.example/token?key=${SECRET}` },
    /"tokenEndpoint" must be an https: URL \(http: goes to loopback only, unless allowInsecureRequests is true\), got http:\/\/id\.example\/token$/,
  ],
  [
    'http: to a host that only looks like loopback',
    { tokenEndpoint: 'http://127.0.0.1.example/token' },
    /"tokenEndpoint" must be an https: URL/,
  ],
  [
    'another scheme',
    { tokenEndpoint: 'ftp://localhost/token' },
    /"tokenEndpoint" must be an absolute URL such as https:\/\/id.example.com, got another string$/,
  ],
  [
    'a user in the URL',
    { tokenEndpoint: `https://orders:${SECRET}@id.example/token` },
    /"tokenEndpoint" must carry no user or password, got https:\/\/id\.example\/token$/,
  ],
  ['a fragment', { tokenEndpoint: `https://id.example/token#${SECRET}` }, /"tokenEndpoint" must have no fragment/],
  [
    'http: to a name for which Node asks the network',
    { tokenEndpoint: 'http://id.localhost/token' },
    /"tokenEndpoint" must be an https: URL/,
  ],
  [
    'http: to another machine when that is refused',
    { tokenEndpoint: 'http://keycloak:8080/token', allowInsecureRequests: false },
    /"tokenEndpoint" must be an https: URL/,
  ],
  [
    'another scheme, whatever is allowed',
    { tokenEndpoint: 'ftp://keycloak/token', allowInsecureRequests: true },
    /"tokenEndpoint" must be an absolute URL such as https:\/\/id.example.com, got another string$/,
  ],
  ['an http: issuer', { tokenEndpoint: undefined, issuer: 'http://id.example' }, /"issuer" must be an https: URL/],
  [
    'an issuer with a query',
    { tokenEndpoint: undefined, issuer: `https://id.example?${SECRET}` },
    /"issuer" must have no query \(RFC 8414 section 2\)$/,
  ],
  [
    'an http: revocationEndpoint',
    { revocationEndpoint: 'http://id.example/revoke' },
    /"revocationEndpoint" must be an https: URL/,
  ],
  ['revokeOnClose without a place', { revokeOnClose: true }, /"revocationEndpoint" must be given for revokeOnClose/],
  [
    'revokeOnClose that is no boolean',
    { revokeOnClose: wrong('yes') },
    /"revokeOnClose" must be true or false, got string/,
  ],
  [
    'allowInsecureRequests that is no boolean',
    { allowInsecureRequests: wrong(1) },
    /"allowInsecureRequests" must be true or false, got number/,
  ],
  ['no clientId', { clientId: wrong(undefined) }, /"clientId" must be a string that is not empty, got undefined/],
  [
    'a clientId with the line break of its file',
    { clientId: 'orders\n' },
    /"clientId" must have no line break and no other control character$/,
  ],
  [
    'a clientSecret with the line break of its file',
    { clientSecret: `${SECRET}\r\n` },
    /"clientSecret" must have no line break and no other control character$/,
  ],
  [
    'a clientSecret in UTF-16',
    { clientSecret: Buffer.from(SECRET, 'utf16le').toString() },
    /"clientSecret" must have no line break and no other control character$/,
  ],
  ['scopes on lines', { scope: 'read\nwrite' }, /"scope" must have no line break and no other control character$/],
  ['an empty clientId', { clientId: '' }, /"clientId" must be a string that is not empty, got an empty string/],
  [
    'no clientSecret',
    { clientSecret: undefined },
    /"clientSecret" .* since clientAuth is client_secret_basic, got undefined/,
  ],
  [
    'an empty clientSecret',
    { clientSecret: '', clientAuth: 'client_secret_post' },
    /"clientSecret" .* since clientAuth is client_secret_post, got an empty string/,
  ],
  [
    'an empty clientSecret, as of a variable that is not set',
    { clientSecret: '' },
    /"clientSecret" .* since clientAuth is client_secret_basic, got an empty string$/,
  ],
  [
    'no clientSecret for a clientAuth that is given',
    { clientSecret: undefined, clientAuth: 'client_secret_basic' },
    /"clientSecret" .* since clientAuth is client_secret_basic, got undefined$/,
  ],
  [
    'an unknown clientAuth',
    { clientAuth: wrong('client_secret_jwt') },
    /"clientAuth" must be one of client_secret_basic, .*, none, got string$/,
  ],
  [
    'a secret as clientAuth',
    { clientAuth: wrong(SECRET) },
    /"clientAuth" must be one of client_secret_basic, .*, none, got string$/,
  ],
  ['a clientAuth of null', { clientAuth: wrong(null) }, /"clientAuth" must be one of .*, got null$/],
  ['a clientAuth that is no string', { clientAuth: wrong({}) }, /"clientAuth" must be one of .*, got object/],
  [
    'no privateKey',
    { clientAuth: 'private_key_jwt' },
    /"privateKey" must be a private CryptoKey that may sign.* got undefined/,
  ],
  [
    'a privateKey that is text',
    { clientAuth: 'private_key_jwt', privateKey: wrong(SECRET) },
    /"privateKey" .* got string/,
  ],
  [
    'a clientAssertion and a privateKey',
    () => ({ clientAuth: 'private_key_jwt', clientAssertion: SECRET, privateKey: keys.privateKey }),
    /"clientAssertion" goes with clientAuth private_key_jwt, and without a privateKey$/,
  ],
  [
    'a clientAssertion for another clientAuth',
    { clientAuth: 'client_secret_basic', clientAssertion: SECRET },
    /"clientAssertion" goes with clientAuth private_key_jwt/,
  ],
  [
    'an empty clientAssertion',
    { clientAssertion: '' },
    /"clientAssertion" must be a string that is not empty, or a function/,
  ],
  ['a clientAssertion of null', { clientAssertion: wrong(null) }, /"clientAssertion" must be .* got null/],
  [
    'a privateKey that is public',
    () => ({ clientAuth: 'private_key_jwt', privateKey: keys.publicKey }),
    /"privateKey" must be a private CryptoKey/,
  ],
  [
    'a privateKey in PEM, without more',
    { clientSecret: undefined, privateKey: wrong(SECRET) },
    /"privateKey" must be a private CryptoKey/,
  ],
  [
    'a kid that is no string',
    () => ({ clientAuth: 'private_key_jwt', privateKey: wrong({ key: keys.privateKey, kid: 5 }) }),
    /"privateKey.kid" must be a string that is not empty, got number/,
  ],
  [
    'mTLS without a fetch',
    { clientAuth: 'tls_client_auth' },
    /"fetch" must be given, since clientAuth is tls_client_auth/,
  ],
  ['an empty scope', { scope: '' }, /"scope" must be a string that is not empty/],
  ['a list of scopes', { scope: wrong(['read']) }, /"scope" must be a string that is not empty, got an array/],
  ['a relative resource', { resource: 'orders' }, /"resource" must be absolute URIs without a fragment \(RFC 8707/],
  ['a resource with a fragment', { resource: ['https://api.example', 'https://api.example#x'] }, /"resource" must be/],
  ['a number as resource', { resource: wrong(5) }, /"resource" must be absolute URIs/],
  ['a set of resources', { resource: wrong(new Set(['https://api.example'])) }, /"resource" must be absolute URIs/],
  ['an object as audience', { audience: wrong({}) }, /"audience" must be a string that is not empty, got object/],
  ['an audience of null', { audience: wrong(null) }, /"audience" must be a string that is not empty, got null/],
  ['an empty audience', { audience: ['a', ''] }, /"audience" must be a string that is not empty/],
  ['a parameter of the grant', { parameters: { grant_type: 'password' } }, /"parameters" must not set "grant_type"/],
  [
    'a parameter that is no string',
    { parameters: wrong({ tenant: 7 }) },
    /"parameters.tenant" must be a string, got number/,
  ],
  [
    'parameters that are no object',
    { parameters: wrong('a=b') },
    /"parameters" must be an object of strings, not a collection, got string/,
  ],
  [
    'parameters in a Map',
    { parameters: wrong(new Map([['tenant', 'x']])) },
    /"parameters" must be an object of strings, not a collection, got object$/,
  ],
  [
    'parameters in URLSearchParams',
    { parameters: wrong(new URLSearchParams('tenant=x')) },
    /"parameters" must be an object of strings, not a collection, got object$/,
  ],
  ['a fetch that is none', { fetch: wrong('node-fetch') }, /"fetch" must be a function, got string/],
  [
    'a dpop that is no key pair',
    { dpop: wrong({ privateKey: SECRET }) },
    /"dpop" must be true, false or a CryptoKeyPair .* got object/,
  ],
  [
    'a dpop whose public key is none',
    () => ({ dpop: wrong({ privateKey: keys.privateKey, publicKey: { extractable: true } }) }),
    /"dpop" must be .* got object/,
  ],
  [
    'a dpop with its private key twice',
    () => ({ dpop: wrong({ privateKey: keys.privateKey, publicKey: keys.privateKey }) }),
    /"dpop" must be .* got object/,
  ],
  ['a dpop of null', { dpop: wrong(null) }, /"dpop" must be true, false or a CryptoKeyPair .* got null/],
];

const grants: [name: string, create: (options: OAuthOptions) => unknown][] = [
  ['clientCredentials', clientCredentials],
  ['refreshToken', (options) => refreshToken({ ...options, refreshToken: 'r' })],
  ['jwtBearer', (options) => jwtBearer({ ...options, assertion: 'a' })],
  ['tokenExchange', (options) => tokenExchange({ ...options, subjectToken: 's' })],
];

const thrownBy = (create: () => unknown): unknown => {
  try {
    return create();
  } catch (error) {
    return error;
  }
};

describe('the options of an OAuth source', () => {
  it.each(mistakes)('should be refused by a TypeError at creation: %s', async (_what, change, message) => {
    const options = { ...good, ...(typeof change === 'function' ? await change() : change) };
    const error = thrownBy(() => clientCredentials(options));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(message);
    expect(inspect(error, { showHidden: true, depth: 10 })).not.toContain(SECRET);
  });

  it.each<[string, (options: never) => unknown]>([
    ['clientCredentials', clientCredentials],
    ['refreshToken', refreshToken],
    ['jwtBearer', jwtBearer],
    ['tokenExchange', tokenExchange],
  ])('should be asked for by %s', (_name, create) => {
    for (const nothing of [undefined, null, 'https://id.example'])
      expect(thrownBy(() => create(wrong(nothing)))).toEqual(new TypeError('options must be an object'));
  });

  it.each([
    ['RSASSA-PKCS1-v1_5', 'SHA-512'],
    ['RSA-PSS', 'SHA-256'],
    ['ECDSA', 'P-384'],
    ['Ed25519', ''],
  ])('should allow a key of %s %s', async (name, kind) => {
    const parameters =
      name === 'ECDSA'
        ? { name, namedCurve: kind }
        : name === 'Ed25519'
          ? { name }
          : { name, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: kind };
    const pair = await crypto.subtle.generateKey(parameters as EcKeyGenParams, false, ['sign', 'verify']);
    expect(() =>
      clientCredentials({ ...good, clientAuth: 'private_key_jwt', privateKey: pair.privateKey, dpop: pair }),
    ).not.toThrow();
  });

  it.each(grants)('should be checked by %s', (_name, create) => {
    expect(() => create({ ...good, clientId: '' })).toThrow(TypeError);
    expect(() => create(good)).not.toThrow();
  });

  it.each(grants)('should be named by %s if there is no such option', (_name, create) => {
    const all: Record<keyof OAuthOptions, undefined> = {
      issuer: undefined,
      tokenEndpoint: undefined,
      revocationEndpoint: undefined,
      clientId: undefined,
      clientSecret: undefined,
      clientAuth: undefined,
      privateKey: undefined,
      clientAssertion: undefined,
      scope: undefined,
      resource: undefined,
      audience: undefined,
      parameters: undefined,
      fetch: undefined,
      dpop: undefined,
      allowInsecureRequests: undefined,
      revokeOnClose: undefined,
    };
    for (const name of ['scopes', 'tokenUrl', 'client_secret', 'assertion_', 'maxWait']) {
      expect(thrownBy(() => create({ ...good, [name]: SECRET }))).toEqual(
        new TypeError(
          `unknown option "${name}": each grant has ${Object.keys(all).join(', ')}, and its own; ` +
            'maxWait and the like are options of createTokenStream',
        ),
      );
    }
    expect(() => create({ ...all, ...good })).not.toThrow();
  });

  it.each<[string, Partial<OAuthOptions> | (() => Partial<OAuthOptions>)]>([
    ['a URL object', { tokenEndpoint: new URL('https://id.example/token?tenant=1') }],
    ['an issuer', { tokenEndpoint: undefined, issuer: 'https://id.example/tenant' }],
    ['http: on localhost', { tokenEndpoint: 'http://localhost:3000/token' }],
    ['http: on 127.0.0.0/8', { tokenEndpoint: 'http://127.1.2.3/token' }],
    ['http: on ::1', { tokenEndpoint: 'http://[::1]:3000/token' }],
    [
      'http: on loopback, though it is not allowed elsewhere',
      { tokenEndpoint: 'http://localhost/token', allowInsecureRequests: false },
    ],
    [
      'http: to a host of a mesh, if that is allowed',
      { tokenEndpoint: 'http://keycloak:8080/token', allowInsecureRequests: true },
    ],
    [
      'an http: issuer, if that is allowed',
      {
        tokenEndpoint: undefined,
        issuer: 'http://id.default.svc',
        revocationEndpoint: 'http://id.default.svc/r',
        allowInsecureRequests: true,
      },
    ],
    ['a client assertion', { clientSecret: undefined, clientAssertion: 'e30.e30.s' }],
    [
      'a client assertion by its name',
      { clientSecret: undefined, clientAuth: 'private_key_jwt', clientAssertion: () => 'e30.e30.s' },
    ],
    ['no secret for a public client', { clientSecret: undefined, clientAuth: 'none' }],
    ['a key', () => ({ clientAuth: 'private_key_jwt', privateKey: keys.privateKey })],
    ['a key with its id', () => ({ clientAuth: 'private_key_jwt', privateKey: { key: keys.privateKey, kid: '1' } })],
    ['a key pair', () => ({ dpop: keys })],
    ['mTLS with a fetch', { clientAuth: 'tls_client_auth', fetch }],
    ['an URN as resource', { resource: 'urn:api:orders' }],
  ])('should allow %s', (_what, change) => {
    expect(() => clientCredentials({ ...good, ...(typeof change === 'function' ? change() : change) })).not.toThrow();
  });
});

describe('the options of a grant', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'no refresh token',
      () => refreshToken({ ...good, refreshToken: wrong(undefined) }),
      /"refreshToken" must be a string that is not empty, or a function that gives one, got undefined/,
    ],
    [
      'an empty refresh token',
      () => refreshToken({ ...good, refreshToken: '' }),
      /"refreshToken" .* got an empty string/,
    ],
    [
      'an onRotate that is no function',
      () => refreshToken({ ...good, refreshToken: 'r', onRotate: wrong('file') }),
      /"onRotate" must be a function, got string/,
    ],
    [
      'a reauthenticate that is no function',
      () => refreshToken({ ...good, refreshToken: 'r', reauthenticate: wrong({}) }),
      /"reauthenticate" must be a function, got object/,
    ],
    [
      'a refresh token of two lines',
      () => refreshToken({ ...good, refreshToken: 'r1\nr2\n' }),
      /"refreshToken" must have no line break and no other control character$/,
    ],
    [
      'a refresh token that is white space',
      () => refreshToken({ ...good, refreshToken: ' \n' }),
      /"refreshToken" must be a string that is not empty, or a function that gives one, got an empty string$/,
    ],
    ['no assertion', () => jwtBearer({ ...good, assertion: wrong(null) }), /"assertion" must be .* got null/],
    ['no subject token', () => tokenExchange({ ...good, subjectToken: '' }), /"subjectToken" must be/],
    [
      'an empty actor token',
      () => tokenExchange({ ...good, subjectToken: 's', actorToken: '' }),
      /"actorToken" must be/,
    ],
    [
      'an empty type of token',
      () => tokenExchange({ ...good, subjectToken: 's', subjectTokenType: '' }),
      /"subjectTokenType" must be/,
    ],
    [
      'an empty type of actor token',
      () => tokenExchange({ ...good, subjectToken: 's', actorTokenType: '' }),
      /"actorTokenType" must be/,
    ],
    [
      'an empty type of wanted token',
      () => tokenExchange({ ...good, subjectToken: 's', requestedTokenType: '' }),
      /"requestedTokenType" must be/,
    ],
  ])('should be refused by a TypeError at creation: %s', (_what, create, message) => {
    const error = thrownBy(create);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(message);
  });

  const { refresh_token, assertion, subject_token, actor_token, client_assertion } = {
    refresh_token: 'r1',
    assertion: 'e30.e30.a',
    subject_token: 'e30.e30.s',
    actor_token: 'e30.e30.b',
    client_assertion: 'e30.e30.c',
  };
  it.each<[string, (options: OAuthOptions, of: (value: string) => Supplied) => TokenSource, Record<string, string>]>([
    [
      'a refresh token',
      (options, of) => refreshToken({ ...options, refreshToken: of(refresh_token) }),
      { refresh_token },
    ],
    ['an assertion', (options, of) => jwtBearer({ ...options, assertion: of(assertion) }), { assertion }],
    [
      'tokens to exchange',
      (options, of) => tokenExchange({ ...options, subjectToken: of(subject_token), actorToken: of(actor_token) }),
      { subject_token, actor_token },
    ],
    [
      'a client assertion',
      (options, of) =>
        clientCredentials({ ...options, clientAuth: 'private_key_jwt', clientAssertion: of(client_assertion) }),
      { client_assertion },
    ],
  ])('should be sent without the white space of its file: %s', async (_what, create, expected) => {
    const ofFile: ((value: string) => Supplied)[] = [
      (value) => `${value}\n`,
      (value) => () => `\ufeff${value}\r\n`,
      (value) => () => Promise.resolve(` ${value}\n`),
    ];
    for (const of of ofFile) {
      const endpoint = fakeEndpoint(() => ({ access_token: 'T' }));
      await ask(create({ ...good, fetch: endpoint.fetch }, of));
      expect(endpoint.seen[0]?.form).toMatchObject(expected);
    }
  });

  it('should be nothing where its file is blank', async () => {
    const endpoint = fakeEndpoint(() => ({ access_token: 'T' }));
    for (const source of [
      jwtBearer({ ...good, fetch: endpoint.fetch, assertion: () => '\n' }),
      clientCredentials({ ...good, fetch: endpoint.fetch, clientAuth: 'private_key_jwt', clientAssertion: () => ' ' }),
    ])
      await expect(ask(source)).rejects.toThrow('ssertion" gave no string, or an empty one');
    expect(endpoint.seen).toEqual([]);
  });
});
