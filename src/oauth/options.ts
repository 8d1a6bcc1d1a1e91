import { endpointOption, parse } from './secureUrl.js';

/** How the client proves who it is (RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8705 section 2). */
export type ClientAuthMethod = (typeof CLIENT_AUTH)[number];

const CLIENT_AUTH = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'tls_client_auth',
  'none',
] as const;

/** What every source of `rx-fresh-token/oauth` takes. `undefined` means the default; a value out of range is a TypeError at creation. */
export interface OAuthOptions {
  /**
   * The authorization server's issuer identifier: its metadata is discovered (OpenID Connect Discovery 1.0, else
   * RFC 8414) with the first token and kept. Either this or `tokenEndpoint`. `https:`, or `http:` to a loopback host.
   */
  issuer?: string | URL;
  /** The token endpoint, without discovery. Either this or `issuer`. `https:`, or `http:` to a loopback host. */
  tokenEndpoint?: string | URL;
  /** Where `revokeOnClose` goes when there is no `issuer` to name it (RFC 7009). */
  revocationEndpoint?: string | URL;
  /** The client's identifier. Not empty. */
  clientId: string;
  /** Needed by `client_secret_basic` and `client_secret_post`. */
  clientSecret?: string;
  /**
   * Default `client_secret_basic`. `tls_client_auth` needs a `fetch` that presents the client certificate, and uses
   * the `mtls_endpoint_aliases` of a discovered server.
   */
  clientAuth?: ClientAuthMethod;
  /** Needed by `private_key_jwt`: a private key that may sign, with its `kid` if the server tells keys apart. */
  privateKey?: CryptoKey | { readonly key: CryptoKey; readonly kid?: string };
  /** Scopes, separated by spaces. Default: what the server grants by itself. */
  scope?: string;
  /** The API or APIs that the token is for: absolute URIs without a fragment (RFC 8707). */
  resource?: string | readonly string[];
  /** The API or APIs that the token is for, by logical name (RFC 8693 section 2.1; Auth0 and others for every grant). */
  audience?: string | readonly string[];
  /** Further form parameters, as the server's manual asks for. They cannot replace what the grant itself sends. */
  parameters?: Readonly<Record<string, string>>;
  /** Sends the requests: for a proxy, a client certificate, a test. Default `globalThis.fetch`. Must not follow redirects when told not to. */
  fetch?: typeof globalThis.fetch;
  /**
   * Binds the tokens to a key (RFC 9449), so that a stolen one is useless. `true` makes a key pair that lives as long
   * as the source; hand in your own to keep a public client's refresh token usable beyond that. Default false.
   */
  dpop?: boolean | CryptoKeyPair;
  /** Whether `http:` is allowed, to loopback hosts only. Default true; false demands `https:` there too. */
  allowInsecureRequests?: boolean;
  /** When the stream is closed its access token is revoked (RFC 7009), best effort, within 2 seconds. Default false. */
  revokeOnClose?: boolean;
}

/** The form parameters that a grant sets itself. */
const RESERVED = [
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'refresh_token',
  'assertion',
];
const RESERVED_PREFIX = /^(subject|actor)_token(_type)?$/;

/** For callers without types: before anything is read from it. */
export function requireOptions(caller: string, options: unknown): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${caller} takes an object of options, got ${kindOf(options)}`);
}

/** Checks every option once, so that a mistake is named where it was made. Never quotes a secret. */
export function checkOptions(options: OAuthOptions): void {
  const { issuer, tokenEndpoint, revocationEndpoint, allowInsecureRequests: insecure } = options;
  if ((issuer === undefined) === (tokenEndpoint === undefined)) {
    throw new TypeError(
      `options "issuer" and "tokenEndpoint": exactly one must be given, got ${issuer === undefined ? 'neither' : 'both'}`,
    );
  }
  if (issuer !== undefined && endpointOption('issuer', issuer, insecure).search !== '') {
    throw new TypeError('option "issuer" must have no query (RFC 8414 section 2)');
  }
  if (tokenEndpoint !== undefined) endpointOption('tokenEndpoint', tokenEndpoint, insecure);
  if (revocationEndpoint !== undefined) endpointOption('revocationEndpoint', revocationEndpoint, insecure);
  if (options.revokeOnClose === true && issuer === undefined && revocationEndpoint === undefined) {
    throw new TypeError('option "revocationEndpoint" must be given for revokeOnClose, since no issuer can name it');
  }
  text('clientId', options.clientId);
  if (options.scope !== undefined) text('scope', options.scope);
  if (options.fetch !== undefined && typeof options.fetch !== 'function')
    throw wrong('fetch', 'a function', options.fetch);
  for (const name of ['allowInsecureRequests', 'revokeOnClose'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean')
      throw wrong(name, 'true or false', options[name]);
  }
  checkClientAuth(options);
  checkTargets(options);
  checkDpop(options.dpop);
}

/** Options that {@link checkOptions} let pass, as they are now: what is changed later was never checked. */
export function copyOf(options: OAuthOptions): OAuthOptions {
  const {
    issuer,
    tokenEndpoint,
    revocationEndpoint,
    clientId,
    clientSecret,
    clientAuth,
    privateKey,
    scope,
    fetch,
    dpop,
    revokeOnClose,
  } = options;
  return {
    issuer: issuer?.toString(),
    tokenEndpoint: tokenEndpoint?.toString(),
    revocationEndpoint: revocationEndpoint?.toString(),
    clientId,
    clientSecret,
    clientAuth,
    privateKey,
    scope,
    resource: [...listOf(options.resource)],
    audience: [...listOf(options.audience)],
    parameters: { ...options.parameters },
    fetch,
    dpop,
    revokeOnClose,
  };
}

function checkClientAuth({ clientAuth = 'client_secret_basic', clientSecret, privateKey, fetch }: OAuthOptions): void {
  if (!CLIENT_AUTH.includes(clientAuth)) {
    throw new TypeError(
      `option "clientAuth" must be one of ${CLIENT_AUTH.join(', ')}, got ${typeof clientAuth === 'string' ? 'another string' : kindOf(clientAuth)}`,
    );
  }
  if (clientAuth.startsWith('client_secret_') && (typeof clientSecret !== 'string' || clientSecret === '')) {
    throw new TypeError(
      `option "clientSecret" must be a string that is not empty, since clientAuth is ${clientAuth}, got ${kindOf(clientSecret)}`,
    );
  }
  if (clientAuth === 'private_key_jwt' && !isSigningKey(privateKey)) {
    throw new TypeError(
      `option "privateKey" must be a private CryptoKey that may sign ${ALGORITHMS}, since clientAuth is private_key_jwt, got ${kindOf(privateKey)}`,
    );
  }
  const kid: unknown = (privateKey as { kid?: unknown } | undefined)?.kid;
  if (kid !== undefined) text('privateKey.kid', kid);
  if (clientAuth === 'tls_client_auth' && fetch === undefined) {
    throw new TypeError(
      'option "fetch" must be given, since clientAuth is tls_client_auth: it presents the certificate',
    );
  }
}

function checkTargets({ resource, audience, parameters }: OAuthOptions): void {
  for (const [name, value] of Object.entries({ resource, audience })) {
    if (value !== undefined && typeof value !== 'string' && !Array.isArray(value))
      throw wrong(name, 'a string or an array of strings', value);
  }
  for (const value of listOf(resource)) {
    if (parse(value)?.hash !== '')
      throw new TypeError('option "resource" must be absolute URIs without a fragment (RFC 8707 section 2)');
  }
  for (const value of listOf(audience)) text('audience', value);
  if (parameters === undefined) return;
  if (Object(parameters) !== parameters) throw wrong('parameters', 'an object of strings', parameters);
  // Its entries are no properties: they would be left out.
  if (Symbol.iterator in parameters)
    throw new TypeError('option "parameters" must be an object of strings, got a collection');
  for (const [name, value] of Object.entries(parameters)) {
    if (RESERVED.includes(name) || RESERVED_PREFIX.test(name))
      throw new TypeError(`option "parameters" must not set "${name}": the grant does`);
    if (typeof value !== 'string') throw wrong(`parameters.${name}`, 'a string', value);
  }
}

function checkDpop(dpop: OAuthOptions['dpop']): void {
  if (dpop === undefined || typeof dpop === 'boolean') return;
  const { privateKey, publicKey } = Object(dpop) as Partial<CryptoKeyPair>;
  if (
    !isSigningKey(privateKey) ||
    !(publicKey instanceof CryptoKey) ||
    publicKey.type !== 'public' ||
    !publicKey.extractable
  ) {
    throw new TypeError(
      `option "dpop" must be true, false or a CryptoKeyPair that may sign ${ALGORITHMS}, with an extractable public key, got ${kindOf(dpop)}`,
    );
  }
}

const isSigningKey = (value: unknown): boolean => {
  const { key = value } = Object(value) as { key?: unknown };
  return key instanceof CryptoKey && key.type === 'private' && key.usages.includes('sign') && hasAlgorithm(key);
};

const ALGORITHMS = 'by an algorithm of RFC 7518 (RSA of 2048 bits or more with SHA-256 to SHA-512, ECDSA, Ed25519)';

/** What oauth4webapi can sign with; it would say so only with the first token. */
function hasAlgorithm({ algorithm }: CryptoKey): boolean {
  if (!algorithm.name.startsWith('RSA')) return true;
  const { hash, modulusLength } = algorithm as RsaHashedKeyAlgorithm;
  return /^SHA-(256|384|512)$/.test(hash.name) && modulusLength >= 2048;
}

/** A string option that must say something. */
export function text(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw wrong(name, 'a string that is not empty', value);
}

export const wrong = (name: string, range: string, value: unknown): TypeError =>
  new TypeError(`option "${name}" must be ${range}, got ${kindOf(value)}`);

export const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** Says what a value is without showing it: it may be a secret in the wrong place. */
const kindOf = (value: unknown): string =>
  value === null ? 'null' : value === '' ? 'an empty string' : Array.isArray(value) ? 'an array' : typeof value;
