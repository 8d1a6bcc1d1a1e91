// One process of several that serve the session of one user, started by sessions-spec.ts. Told by SESSION what to do.
import { once } from 'node:events';
import { createFetch, type TokenStream } from 'rx-fresh-token';
import { refreshToken } from 'rx-fresh-token/oauth';
import { createTokenPool } from 'rx-fresh-token/pool';
import { redisTokenStore } from 'rx-fresh-token/redis';
import { clientOf } from '../oauth/authority.js';
import { connect } from '../redis/clients.js';
import type { SessionConfig, SessionReport } from './sessions.js';

const { issuer, url, session, seed, requests, lives } = JSON.parse(process.env.SESSION ?? '') as SessionConfig;
const { client, close } = await connect('redis', url);
let first: string | undefined;
const tokens = createTokenPool<string>(() => refreshToken({ ...clientOf({ issuer }, 'app'), refreshToken: seed }), {
  store: (id) => redisTokenStore({ client, key: id, encryptionKey: { id: 'k1', key: new Uint8Array(32).fill(7) } }),
  // The first token is over soon; the next one lives as long as the server says.
  lifetime: ({ access_token }) => ((first ??= access_token) === access_token ? lives : undefined),
  refreshBefore: 0,
  expiryMargin: 0,
  jitter: 0,
  idleTimeout: 0,
});
const signedOut: string[] = [];
tokens.events.subscribe(({ type }) => type === 'signedOut' && signedOut.push(type));

/** As a handler does it: it asks the pool for the stream of its session, and sends a request. */
async function request(): Promise<number> {
  const token$: TokenStream = tokens.get(session);
  const { status } = await createFetch(token$, { baseUrl: issuer })('/api/orders');
  return status;
}

async function run(): Promise<SessionReport> {
  const before = await request();
  const expiresAt = tokens.get(session).current?.expiresAt ?? NaN;
  // At the moment of expiry, some just before it and some just after.
  const outcomes = await Promise.all(
    Array.from({ length: requests }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, expiresAt - Date.now() + i - requests / 2));
      return request().catch(String);
    }),
  );
  return { before, outcomes, signedOut, first: first ?? '' };
}

process.send?.('ready');
await once(process, 'message');
const report = await run();
tokens.close();
close();
process.send?.(report, () => process.exit());
