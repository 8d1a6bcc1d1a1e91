/** Checks the options that all grants have in common. */
import { refuseUnknown, requireFunctions } from '../../internal/values/validate.js';
import { checkText, wrongKind } from './textOption.js';
import { CLIENT_AUTH, type ClientAuthMethod, type OAuthOptions } from '../options.js';
import { endpointOption, toUrl } from '../endpoint/secureUrl.js';
import { checkSupplied } from './supplied.js';

/** Options that `checkedOptions` let pass. */
export type CheckedOptions = ReturnType<typeof checkedOptions>;

/** The options of every grant. Each grant takes out its own before. */
const KNOWN: Record<keyof OAuthOptions, true> = {
  issuer: true,
  tokenEndpoint: true,
  revocationEndpoint: true,
  clientId: true,
  clientSecret: true,
  clientAuth: true,
  privateKey: true,
  clientAssertion: true,
  scope: true,
  resource: true,
  audience: true,
  parameters: true,
  fetch: true,
  dpop: true,
  allowInsecureRequests: true,
  revokeOnClose: true,
};

const ALLOWED =
  `: each grant has ${Object.keys(KNOWN).join(', ')}, and its own; ` +
  'maxWait and the like are options of createTokenStream';

/** The form parameters that a grant sets itself. */
const RESERVED =
  /^(grant_type|client_(id|secret|assertion(_type)?)|refresh_token|assertion|(subject|actor)_token(_type)?)$/;

/**
 * Checks every option once, so that a mistake is named where it was made. Never quotes a secret.
 *
 * @returns the options as they are now, with the default of `clientAuth`: what is changed later was never checked
 */
export function checkedOptions(given: OAuthOptions) {
  const options = { ...given };
  refuseUnknown(options, KNOWN, ALLOWED);
  checkServer(options);
  checkText('clientId', options.clientId);
  if (options.scope !== undefined) checkText('scope', options.scope);
  requireFunctions({ fetch: options.fetch });
  for (const name of ['allowInsecureRequests', 'revokeOnClose'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean')
      throw wrongKind(name, options[name], 'true or false');
  }
  const clientAuth = checkedClientAuth(options);
  checkTargets(options);
  checkDpop(options.dpop);
  // Not by a spread: a pool has a source for each key, and V8 gives an object that was made by one far more memory.
  const { issuer, tokenEndpoint, revocationEndpoint, resource, audience, parameters, ...rest } = options;
  return {
    clientAuth,
    issuer: issuer?.toString(),
    tokenEndpoint: tokenEndpoint?.toString(),
    revocationEndpoint: revocationEndpoint?.toString(),
    resource: listOf(resource),
    audience: listOf(audience),
    parameters: parameters && { ...parameters },
    clientId: rest.clientId,
    clientSecret: rest.clientSecret,
    privateKey: rest.privateKey,
    clientAssertion: rest.clientAssertion,
    scope: rest.scope,
    fetch: rest.fetch,
    dpop: rest.dpop,
    allowInsecureRequests: rest.allowInsecureRequests,
    revokeOnClose: rest.revokeOnClose,
  };
}

function checkServer(options: OAuthOptions): void {
  const { issuer, tokenEndpoint, revocationEndpoint, allowInsecureRequests: insecure } = options;
  if ((issuer === undefined) === (tokenEndpoint === undefined)) {
    throw new TypeError(
      `options "issuer" and "tokenEndpoint": exactly one must be given, got ${issuer === undefined ? 'neither' : 'both'}`,
    );
  }
  if (issuer !== undefined) {
    const { search, pathname } = endpointOption('issuer', issuer, insecure);
    if (search !== '') throw new TypeError('option "issuer" must have no query (RFC 8414 section 2)');
    if (pathname.includes('/.well-known/'))
      throw new TypeError('option "issuer" must be the issuer identifier, without /.well-known/: it is added');
  }
  if (tokenEndpoint !== undefined) endpointOption('tokenEndpoint', tokenEndpoint, insecure);
  if (revocationEndpoint !== undefined) endpointOption('revocationEndpoint', revocationEndpoint, insecure);
  if (options.revokeOnClose === true && issuer === undefined && revocationEndpoint === undefined) {
    throw new TypeError('option "revocationEndpoint" must be given for revokeOnClose, since no issuer can name it');
  }
}

function checkedClientAuth(options: OAuthOptions): ClientAuthMethod {
  const { clientSecret, privateKey, clientAssertion, fetch } = options;
  const hasKey = clientAssertion !== undefined || (privateKey !== undefined && clientSecret === undefined);
  const { clientAuth = hasKey ? 'private_key_jwt' : 'client_secret_basic' } = options;
  if (!CLIENT_AUTH.includes(clientAuth)) throw wrongKind('clientAuth', clientAuth, `one of ${CLIENT_AUTH.join(', ')}`);
  // Public clients of Cloud Foundry and Reddit send one that is empty. Without the other option it is a variable that
  // is not set.
  const isMeantEmpty = options.clientAuth === 'client_secret_basic' && clientSecret === '';
  if (clientAuth.startsWith('client_secret_') && !isMeantEmpty)
    checkText('clientSecret', clientSecret, `, since clientAuth is ${clientAuth}`);
  if (clientAssertion !== undefined) {
    if (clientAuth !== 'private_key_jwt' || privateKey !== undefined)
      throw new TypeError('option "clientAssertion" goes with clientAuth private_key_jwt, and without a privateKey');
    checkSupplied('clientAssertion', clientAssertion);
  } else if (clientAuth === 'private_key_jwt' && !isSigningKey(privateKey)) {
    throw wrongKind(
      'privateKey',
      privateKey,
      'a private CryptoKey that may sign, since clientAuth is private_key_jwt and there is no clientAssertion',
    );
  }
  const kid: unknown = (privateKey as { kid?: unknown } | undefined)?.kid;
  if (kid !== undefined) checkText('privateKey.kid', kid);
  if (clientAuth === 'tls_client_auth' && fetch === undefined)
    throw new TypeError('option "fetch" must be given, since clientAuth is tls_client_auth: it has the certificate');
  return clientAuth;
}

function checkTargets({ resource, audience, parameters }: OAuthOptions): void {
  for (const value of listOf(resource)) {
    if (toUrl(value)?.hash !== '')
      throw new TypeError('option "resource" must be absolute URIs without a fragment (RFC 8707 section 2)');
  }
  for (const value of listOf(audience)) checkText('audience', value);
  if (parameters === undefined) return;
  // The entries of a collection are no properties: they would be left out.
  if (Object(parameters) !== parameters || Symbol.iterator in parameters)
    throw wrongKind('parameters', parameters, 'an object of strings, not a collection');
  for (const [name, value] of Object.entries(parameters)) {
    if (RESERVED.test(name)) throw new TypeError(`option "parameters" must not set "${name}": the grant does`);
    if (typeof value !== 'string') throw wrongKind(`parameters.${name}`, value, 'a string');
  }
}

function checkDpop(dpop: OAuthOptions['dpop']): void {
  if (dpop === undefined || typeof dpop === 'boolean') return;
  const { privateKey, publicKey } = Object(dpop) as Partial<CryptoKeyPair>;
  if (!isSigningKey(privateKey) || publicKey?.type !== 'public' || !publicKey.extractable)
    throw wrongKind('dpop', dpop, 'true, false or a CryptoKeyPair that may sign, with an extractable public key');
}

const isSigningKey = (value: unknown): boolean => {
  const { key = value } = Object(value) as { key?: unknown };
  return key instanceof CryptoKey && key.type === 'private' && key.usages.includes('sign');
};

const NONE: readonly string[] = [];

/** One or several, as a new array. */
const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? NONE : Array.isArray(value) ? [...(value as readonly string[])] : [value as string];
