// Run by memory-spec.ts in a process of its own, with --expose-gc --no-opt. Prints the bytes of heap per key that is
// idle or was dropped, as JSON.
import { setTimeout as wait } from 'node:timers/promises';
import { firstValueFrom, of } from 'rxjs';
import { takeToken, type TokenSource } from 'rx-fresh-token';
import { clientCredentials, refreshToken } from 'rx-fresh-token/oauth';
import { createTokenPool, type TokenPoolOptions } from 'rx-fresh-token/pool';

interface Tenant {
  readonly id: string;
  readonly audience: string;
}

const KEYS = 1000;
let issued = 0;
const response = () => ({ access_token: `T${String(++issued)}`, token_type: 'Bearer', expires_in: 3600 });
const optionsOf = ({ id, audience }: Tenant) => ({
  tokenEndpoint: `https://id.example/${id}/token`,
  clientId: 'orders',
  clientSecret: 's',
  audience,
  fetch: () => Promise.resolve(Response.json(response())),
});
const withRevocation = (tenant: Tenant) =>
  clientCredentials({ ...optionsOf(tenant), revocationEndpoint: 'https://id.example/revoke' });

const sources: Record<string, (tenant: Tenant) => TokenSource> = {
  function: () => () => of(response()),
  dropped: () => () => of(response()),
  clientCredentials: (tenant) => clientCredentials(optionsOf(tenant)),
  clientCredentialsPerCall: (tenant) => (request) => clientCredentials(optionsOf(tenant))(request),
  clientCredentialsPerCallThatRevokes: (tenant) => (request) => withRevocation(tenant)(request),
  refreshToken: (tenant) => refreshToken({ ...optionsOf(tenant), refreshToken: () => 'R' }),
};

async function heap(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await wait(30);
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

async function use(source: (tenant: Tenant) => TokenSource, keys: number, options?: TokenPoolOptions<Tenant>) {
  const tokens = createTokenPool(source, options);
  for (let i = 0; i < keys; i++) {
    await firstValueFrom(takeToken(tokens.get({ id: `tenant-${String(i)}`, audience: 'orders' })));
    if (i % 100 === 0) await wait(1);
  }
  return tokens;
}

const options: Record<string, TokenPoolOptions<Tenant>> = { dropped: { max: 1, chainOf: ({ id }) => id } };
const bytes: Record<string, number> = {};
for (const [name, source] of Object.entries(sources)) {
  (await use(source, 200, options[name])).close();
  const before = await heap();
  const tokens = await use(source, KEYS, options[name]);
  bytes[name] = Math.round(((await heap()) - before) / KEYS);
  tokens.close();
}
console.log(JSON.stringify(bytes));
