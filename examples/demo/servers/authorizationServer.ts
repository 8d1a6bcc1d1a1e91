import { setTimeout as pause } from 'node:timers/promises';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider/lib/provider.js';
import { listen } from './listen.js';
import { MemoryAdapter } from './memoryAdapter.js';

export interface AuthorizationServerOptions {
  readonly clients: readonly { readonly id: string; readonly secret: string }[];
  readonly audience: string;
  readonly scope: string;
  /** Seconds that an access token lives. */
  readonly tokenLifetime: number;
  /** Milliseconds before the token endpoint answers, as across a network. */
  readonly latency: number;
}

export interface AuthorizationServer {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly jwksUri: string;
  /** How many tokens this client was given, by the server's own count. */
  tokensIssuedTo(clientId: string): number;
  close(): void;
}

/** A real authorization server: OAuth client credentials, answered with ES256-signed JWT access tokens. */
export async function startAuthorizationServer(options: AuthorizationServerOptions): Promise<AuthorizationServer> {
  const server = await listen();
  const issued = new Map<string, number>();
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });

  const provider = new Provider(server.origin, {
    adapter: MemoryAdapter,
    ttl: { ClientCredentials: options.tokenLifetime },
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'demo' }] },
    clients: options.clients.map(({ id, secret }) => ({
      client_id: id,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: 'ES256',
    })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => options.audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: options.scope,
          audience: options.audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: options.tokenLifetime,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });

  provider.on('grant.success', ({ oidc }) => {
    const id = oidc.client?.clientId ?? '';
    issued.set(id, (issued.get(id) ?? 0) + 1);
  });

  const answer = provider.callback();
  server.handle((request, response) => {
    const wait = request.url === '/token' ? options.latency : 0;
    // A client that hung up in the meantime gets nothing.
    void pause(wait).then(() => (request.destroyed ? undefined : answer(request, response)));
  });

  return {
    issuer: server.origin,
    tokenEndpoint: `${server.origin}/token`,
    jwksUri: `${server.origin}/jwks`,
    tokensIssuedTo: (clientId) => issued.get(clientId) ?? 0,
    close: () => server.close(),
  };
}
