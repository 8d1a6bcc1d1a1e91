import { createLocalJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { AUDIENCE } from './authority.mjs';
import { clientKey } from './clientKey.mjs';

// oidc-provider warns on Node 20 that it was made for later ones, and about settings that suit tests only.
const { warn, info } = console;
console.warn = console.info = () => undefined;
const { default: Provider, errors } = await import('oidc-provider');
Object.assign(console, { warn, info });

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const SCOPE = 'read write';
const HOUR = 3600;
const lifetime = (_ctx, token) => token.resourceServer?.accessTokenTTL ?? HOUR;

/** In the form of a private key set; {@link publicKeys} leaves the secret parts out. */
export async function signingKeys() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { keys: [{ ...(await exportJWK(privateKey)), kid: 'k1', alg: 'ES256', use: 'sig' }] };
}

export const publicKeys = ({ keys }) => createLocalJWKSet({ keys: keys.map((jwk) => ({ ...jwk, d: undefined })) });

/** One client per way to authenticate; `app` and `cli` have users and refresh tokens. */
const clients = () => {
  const service = (client_id, more) => ({
    client_id,
    client_secret: `secret-of-${client_id}-6f1c`,
    grant_types: ['client_credentials', JWT_BEARER, TOKEN_EXCHANGE],
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: 'ES256',
    scope: SCOPE,
    ...more,
  });
  const user = {
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['https://app.invalid/back'],
    response_types: ['code'],
    scope: `openid offline_access ${SCOPE}`,
  };
  return [
    service('basic', { token_endpoint_auth_method: 'client_secret_basic' }),
    service('post', { token_endpoint_auth_method: 'client_secret_post', scope: 'read' }),
    service('key', {
      client_secret: undefined,
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [clientKey.publicJwk] },
    }),
    service('app', { token_endpoint_auth_method: 'client_secret_basic', ...user }),
    service('cli', { client_secret: undefined, token_endpoint_auth_method: 'none', ...user }),
  ];
};

export async function createProvider(issuer, { ttl, format, nonce, keys, database }) {
  console.warn = console.info = () => undefined;
  const resourceServer = {
    scope: SCOPE,
    audience: AUDIENCE,
    accessTokenFormat: format,
    accessTokenTTL: ttl,
    jwt: { sign: { alg: 'ES256' } },
  };
  const provider = new Provider(issuer, {
    clients: clients(),
    adapter: database,
    jwks: keys,
    scopes: ['openid', 'offline_access', ...SCOPE.split(' ')],
    rotateRefreshToken: true,
    ttl: { AccessToken: lifetime, ClientCredentials: lifetime, Grant: HOUR, RefreshToken: HOUR },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32), requireNonce: () => nonce === true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, resource) => ({ ...resourceServer, audience: resource }),
      },
    },
  });
  Object.assign(console, { warn, info });

  /** Both custom grants trade a JWT in for a service token; `subjectOf` says whose it is, or throws. */
  const trade = (subjectOf) => async (ctx) => {
    const { client, params } = ctx.oidc;
    let subject;
    try {
      subject = await subjectOf(params);
    } catch (cause) {
      throw new errors.InvalidGrant('the token to trade in is not valid', { cause });
    }
    const token = new provider.ClientCredentials({ client, scope: params.scope, extra: { traded: subject } });
    token.resourceServer = new provider.ResourceServer(AUDIENCE, resourceServer);
    ctx.body = {
      access_token: await token.save(),
      token_type: 'Bearer',
      expires_in: token.expiration,
      scope: token.scope,
      traded_for: subject,
    };
  };
  provider.registerGrantType(
    JWT_BEARER,
    trade(async ({ assertion }) => (await jwtVerify(assertion, clientKey.publicKey, { audience: issuer })).payload.sub),
    ['assertion', 'scope'],
  );
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    trade(async ({ subject_token: subject, actor_token: actor }) => {
      const { payload } = await jwtVerify(subject, publicKeys(keys), { issuer });
      return actor === undefined ? payload.sub : `${payload.sub} by ${decodeJwt(actor).sub}`;
    }),
    [
      'subject_token',
      'subject_token_type',
      'actor_token',
      'actor_token_type',
      'requested_token_type',
      'scope',
      'audience',
      'resource',
    ],
    ['audience', 'resource'],
  );
  return provider;
}

export async function seedRefreshToken(provider, clientId, { jkt, resources = [AUDIENCE] }) {
  const client = await provider.Client.find(clientId);
  const grant = new provider.Grant({ accountId: 'alice', clientId });
  grant.addOIDCScope('openid offline_access');
  for (const resource of resources) grant.addResourceScope(resource, SCOPE);
  const grantId = await grant.save();
  const token = new provider.RefreshToken({
    accountId: 'alice',
    client,
    grantId,
    gty: 'authorization_code',
    scope: `offline_access ${SCOPE}`,
    resource: resources,
    authTime: Math.floor(Date.now() / 1000),
    iiat: Math.floor(Date.now() / 1000),
    jkt,
  });
  return token.save();
}
