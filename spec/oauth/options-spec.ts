import { inspect } from 'node:util';
import { clientCredentials } from '../../src/oauth/clientCredentials.js';
import { jwtBearer } from '../../src/oauth/jwtBearer.js';
import type { OAuthOptions } from '../../src/oauth/options.js';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { tokenExchange } from '../../src/oauth/tokenExchange.js';

const SECRET = 'the-client-secret-5d41402a';
const good: OAuthOptions = { tokenEndpoint: 'https://id.example/token', clientId: 'orders', clientSecret: SECRET };
const wrong = (value: unknown) => value as never;

const newKeys = () => crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
let keys: CryptoKeyPair;
beforeAll(async () => {
  keys = await newKeys();
});

const mistakes: [what: string, change: Partial<OAuthOptions> | (() => Partial<OAuthOptions>), message: RegExp][] = [
  ['neither issuer nor tokenEndpoint', { tokenEndpoint: undefined }, /"issuer" and "tokenEndpoint": exactly one must be given, got neither/],
  ['both of them', { issuer: 'https://id.example' }, /exactly one must be given, got both/],
  ['a relative tokenEndpoint', { tokenEndpoint: '/token' }, /"tokenEndpoint" must be an absolute https: URL, got "\/token"/],
  ['no URL at all', { tokenEndpoint: wrong(42) }, /"tokenEndpoint" must be an absolute https: URL, got number/],
  ['a secret in a broken URL', { tokenEndpoint: `//user:${SECRET}@host/token?key=${SECRET}` }, /"tokenEndpoint" must be an absolute https: URL, got "host\/token"/],
  ['http: to another machine', { tokenEndpoint: `http://id.example/token?key=${SECRET}` }, /"tokenEndpoint" must be an https: URL \(http: is allowed to loopback hosts only\), got http:\/\/id\.example\/token$/],
  ['http: to a host that only looks like loopback', { tokenEndpoint: 'http://127.0.0.1.example/token' }, /"tokenEndpoint" must be an https: URL/],
  ['another scheme', { tokenEndpoint: 'ftp://localhost/token' }, /"tokenEndpoint" must be an https: URL, got ftp:/],
  ['a user in the URL', { tokenEndpoint: `https://orders:${SECRET}@id.example/token` }, /"tokenEndpoint" must carry no user or password, got https:\/\/id\.example\/token$/],
  ['a fragment', { tokenEndpoint: `https://id.example/token#${SECRET}` }, /"tokenEndpoint" must have no fragment/],
  ['http: on loopback when that is not wanted', { tokenEndpoint: 'http://localhost/token', allowInsecureRequests: false }, /"tokenEndpoint" .* since allowInsecureRequests is false/],
  ['an http: issuer', { tokenEndpoint: undefined, issuer: 'http://id.example' }, /"issuer" must be an https: URL/],
  ['an issuer with a query', { tokenEndpoint: undefined, issuer: `https://id.example?${SECRET}` }, /"issuer" must have no query \(RFC 8414 section 2\)$/],
  ['an http: revocationEndpoint', { revocationEndpoint: 'http://id.example/revoke' }, /"revocationEndpoint" must be an https: URL/],
  ['revokeOnClose without a place', { revokeOnClose: true }, /"revocationEndpoint" must be given for revokeOnClose/],
  ['revokeOnClose that is no boolean', { revokeOnClose: wrong('yes') }, /"revokeOnClose" must be true or false, got string/],
  ['allowInsecureRequests that is no boolean', { allowInsecureRequests: wrong(1) }, /"allowInsecureRequests" must be true or false, got number/],
  ['no clientId', { clientId: wrong(undefined) }, /"clientId" must be a string that is not empty, got undefined/],
  ['an empty clientId', { clientId: '' }, /"clientId" must be a string that is not empty, got an empty string/],
  ['no clientSecret', { clientSecret: undefined }, /"clientSecret" .* since clientAuth is client_secret_basic, got undefined/],
  ['an empty clientSecret', { clientSecret: '', clientAuth: 'client_secret_post' }, /"clientSecret" .* since clientAuth is client_secret_post, got an empty string/],
  ['an unknown clientAuth', { clientAuth: wrong('client_secret_jwt') }, /"clientAuth" must be one of client_secret_basic, .*, none, got "client_secret_jwt"/],
  ['a clientAuth that is no string', { clientAuth: wrong({}) }, /"clientAuth" must be one of .*, got object/],
  ['no privateKey', { clientAuth: 'private_key_jwt' }, /"privateKey" must be a private CryptoKey that may sign, .* got undefined/],
  ['a privateKey that is text', { clientAuth: 'private_key_jwt', privateKey: wrong(SECRET) }, /"privateKey" .* got string/],
  ['a privateKey that is public', () => ({ clientAuth: 'private_key_jwt', privateKey: keys.publicKey }), /"privateKey" must be a private CryptoKey/],
  ['mTLS without a fetch', { clientAuth: 'tls_client_auth' }, /"fetch" must be given, since clientAuth is tls_client_auth/],
  ['an empty scope', { scope: '' }, /"scope" must be a string that is not empty/],
  ['a list of scopes', { scope: wrong(['read']) }, /"scope" must be a string that is not empty, got an array/],
  ['a relative resource', { resource: 'orders' }, /"resource" must be absolute URIs without a fragment \(RFC 8707/],
  ['a resource with a fragment', { resource: ['https://api.example', 'https://api.example#x'] }, /"resource" must be/],
  ['an empty audience', { audience: ['a', ''] }, /"audience" must be a string that is not empty/],
  ['a parameter of the grant', { parameters: { grant_type: 'password' } }, /"parameters" must not set "grant_type"/],
  ['a parameter that is no string', { parameters: wrong({ tenant: 7 }) }, /"parameters.tenant" must be a string, got number/],
  ['parameters that are no object', { parameters: wrong('a=b') }, /"parameters" must be an object of strings, got string/],
  ['a fetch that is none', { fetch: wrong('node-fetch') }, /"fetch" must be a function, got string/],
  ['a dpop that is no key pair', { dpop: wrong({ privateKey: SECRET }) }, /"dpop" must be true, false or a CryptoKeyPair .* got object/],
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
  it.each(mistakes)('should be refused by a TypeError at creation: %s', (_what, change, message) => {
    const options = { ...good, ...(typeof change === 'function' ? change() : change) };
    const error = thrownBy(() => clientCredentials(options));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(message);
    expect(inspect(error, { showHidden: true, depth: 10 })).not.toContain(SECRET);
  });

  it.each(grants)('should be checked by %s', (_name, create) => {
    expect(() => create({ ...good, clientId: '' })).toThrow(TypeError);
    expect(() => create(good)).not.toThrow();
  });

  it.each<[string, Partial<OAuthOptions> | (() => Partial<OAuthOptions>)]>([
    ['a URL object', { tokenEndpoint: new URL('https://id.example/token?tenant=1') }],
    ['an issuer', { tokenEndpoint: undefined, issuer: 'https://id.example/tenant' }],
    ['http: on localhost', { tokenEndpoint: 'http://localhost:3000/token' }],
    ['http: on 127.0.0.0/8', { tokenEndpoint: 'http://127.1.2.3/token' }],
    ['http: on ::1', { tokenEndpoint: 'http://[::1]:3000/token' }],
    ['no secret for a public client', { clientSecret: undefined, clientAuth: 'none' }],
    ['a key', () => ({ clientAuth: 'private_key_jwt', privateKey: keys.privateKey })],
    ['a key with its id', () => ({ clientAuth: 'private_key_jwt', privateKey: { key: keys.privateKey, kid: '1' } })],
    ['a key pair', () => ({ dpop: keys })],
    ['mTLS with a fetch', { clientAuth: 'tls_client_auth', fetch }],
    ['an URN as resource', { resource: 'urn:api:orders' }],
    ['undefined for everything optional', { clientAuth: undefined, scope: undefined, resource: undefined, audience: undefined, parameters: undefined, fetch: undefined, dpop: undefined, allowInsecureRequests: undefined, revokeOnClose: undefined }],
  ])('should allow %s', (_what, change) => {
    expect(() => clientCredentials({ ...good, ...(typeof change === 'function' ? change() : change) })).not.toThrow();
  });
});

describe('the options of a grant', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['no refresh token', () => refreshToken({ ...good, refreshToken: wrong(undefined) }), /"refreshToken" must be a string that is not empty, or a function that gives one, got undefined/],
    ['an empty refresh token', () => refreshToken({ ...good, refreshToken: '' }), /"refreshToken" .* got an empty string/],
    ['an onRotate that is no function', () => refreshToken({ ...good, refreshToken: 'r', onRotate: wrong('file') }), /"onRotate" must be a function, got string/],
    ['a reauthenticate that is no function', () => refreshToken({ ...good, refreshToken: 'r', reauthenticate: wrong({}) }), /"reauthenticate" must be a function, got object/],
    ['no assertion', () => jwtBearer({ ...good, assertion: wrong(null) }), /"assertion" must be .* got object/],
    ['no subject token', () => tokenExchange({ ...good, subjectToken: '' }), /"subjectToken" must be/],
    ['an empty actor token', () => tokenExchange({ ...good, subjectToken: 's', actorToken: '' }), /"actorToken" must be/],
    ['an empty type of token', () => tokenExchange({ ...good, subjectToken: 's', subjectTokenType: '' }), /"subjectTokenType" must be/],
    ['an empty type of actor token', () => tokenExchange({ ...good, subjectToken: 's', actorTokenType: '' }), /"actorTokenType" must be/],
    ['an empty type of wanted token', () => tokenExchange({ ...good, subjectToken: 's', requestedTokenType: '' }), /"requestedTokenType" must be/],
  ])('should be refused by a TypeError at creation: %s', (_what, create, message) => {
    const error = thrownBy(create);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(message);
  });
});
