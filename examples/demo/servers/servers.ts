import { randomUUID } from 'node:crypto';
import type { ClientSettings } from '../client.js';
import { startAuthorizationServer } from './authorizationServer.js';
import { startOrdersApi, type OrderCounts } from './ordersApi.js';

const AUDIENCE = 'https://orders.example';
const SCOPE = 'orders:write';

export interface Servers {
  /** What a client has to know. */
  settingsOf(clientId: string): ClientSettings;
  /** What the API counted of a client. */
  countsOf(clientId: string): OrderCounts;
  tokensIssuedTo(clientId: string): number;
  close(): void;
}

export interface ServersOptions {
  readonly clients: readonly string[];
  /** Seconds. */
  readonly tokenLifetime: number;
  /** Milliseconds. */
  readonly latency: { readonly token: number; readonly api: number };
}

/** An authorization server and a protected API beside it, on loopback. The secrets are made up for this run. */
export async function startServers({ clients, tokenLifetime, latency }: ServersOptions): Promise<Servers> {
  const secrets = new Map(clients.map((id) => [id, randomUUID()]));
  const authorization = await startAuthorizationServer({
    clients: [...secrets].map(([id, secret]) => ({ id, secret })),
    audience: AUDIENCE,
    scope: SCOPE,
    tokenLifetime,
    latency: latency.token,
  });
  const api = await startOrdersApi({
    issuer: authorization.issuer,
    jwksUri: authorization.jwksUri,
    audience: AUDIENCE,
    latency: latency.api,
  });
  return {
    settingsOf: (clientId) => ({
      tokenEndpoint: authorization.tokenEndpoint,
      clientId,
      clientSecret: secrets.get(clientId) ?? '',
      scope: SCOPE,
      url: api.url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    }),
    countsOf: (clientId) => api.countsOf(clientId),
    tokensIssuedTo: (clientId) => authorization.tokensIssuedTo(clientId),
    close: () => {
      authorization.close();
      api.close();
    },
  };
}
