import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { bench, do_not_optimize, run } from 'mitata';
import { firstValueFrom, of } from 'rxjs';
import { takeToken, type TokenSource } from 'rx-fresh-token';
import { clientCredentials, refreshToken } from 'rx-fresh-token/oauth';
import { createTokenPool } from 'rx-fresh-token/pool';

interface Tenant {
  readonly id: string;
  readonly audience: string;
}

/** Streams that nobody uses any more become idle when a timer runs, and those that nobody holds go with the garbage. */
async function heap(): Promise<number> {
  for (let round = 0; round < 2; round++) {
    await wait(50);
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

const kB = (bytes: number): string => (bytes / 1000).toFixed(1);
const KEYS = 10_000;
/** Of a JWT: 800 characters. */
const TOKEN_BYTES = 600;
const TOKEN_LENGTH = (TOKEN_BYTES * 4) / 3;
const tenant = (i: number): Tenant => ({ id: `tenant-${String(i)}`, audience: 'orders' });

const response = () => ({
  access_token: randomBytes(TOKEN_BYTES).toString('base64url'),
  token_type: 'Bearer',
  expires_in: 3600,
});

/** A pool of keys that are idle, and the heap that each of them takes without its token. */
async function idleKeys(source: (key: Tenant) => TokenSource) {
  const before = await heap();
  const tokens = createTokenPool<Tenant>(source);
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < KEYS; i++) {
      await firstValueFrom(takeToken(tokens.get(tenant(i))));
      // As a source that answers later gives others their turn.
      if (i % 100 === 0) await wait(1);
    }
  return { tokens, perKey: ((await heap()) - before) / KEYS - TOKEN_LENGTH };
}

/** Idle keys as people make them: a source of `./oauth` for each. In kB. */
async function withSources(): Promise<string> {
  const fetch = () => Promise.resolve(Response.json(response()));
  const client = { tokenEndpoint: 'https://id.example.com/token', clientId: 'orders', clientSecret: 's', fetch };
  const sources: Record<string, (key: Tenant) => TokenSource> = {
    clientCredentials: ({ audience }) => clientCredentials({ ...client, audience }),
    'clientCredentials at each fetch':
      ({ audience }) =>
      (request) =>
        clientCredentials({ ...client, audience })(request),
    refreshToken: ({ audience }) => refreshToken({ ...client, audience, refreshToken: () => 'R' }),
  };
  const sizes: string[] = [];
  for (const [name, source] of Object.entries(sources)) {
    const { tokens, perKey } = await idleKeys(source);
    sizes.push(`${name} ${kB(perKey)}`);
    tokens.close();
  }
  return sizes.join(', ');
}

/** What a pool costs: memory per key, the time to find one, and whether it grows. */
export async function pool(): Promise<void> {
  let fetches = 0;
  const source = () => () => {
    fetches++;
    return of(response());
  };
  const { tokens, perKey } = await idleKeys(source);

  const names = createTokenPool<string>(source);
  for (let i = 0; i < KEYS; i++) void names.get(`tenant-${String(i)}`);
  let next = 0;
  const known = Array.from({ length: KEYS }, (_, i) => `tenant-${String(i)}`);
  const following = () => known[(next += 7919) % KEYS]!;
  bench('get by a string', () => do_not_optimize(names.get(following())));
  bench('get by one string, again and again', () => do_not_optimize(names.get('tenant-1')));
  bench('get by an object of two members', () => do_not_optimize(tokens.get({ id: following(), audience: 'orders' })));
  const fewer = createTokenPool<Tenant>(source);
  const object = 'get by an object of two members, one of 10 keys';
  bench(object, () => do_not_optimize(fewer.get({ id: known[(next += 7) % 10]!, audience: 'orders' })));
  await run();

  const small = createTokenPool<Tenant>(source, { max: 1000, idleTimeout: 0 });
  const sizes: number[] = [];
  for (let i = 0; i < 10 * KEYS; i++) {
    await firstValueFrom(takeToken(small.get(tenant(i))));
    if (i % 100 === 0) await wait(1);
    if (i % (2 * KEYS) === 2 * KEYS - 1) sizes.push(await heap());
  }
  const megabytes = sizes.map((bytes) => (bytes / 1e6).toFixed(1)).join(', ');
  console.log(`
a pool of ${String(KEYS)} keys: ${String(fetches - 10 * KEYS)} fetches, ${kB(perKey)} kB of heap per idle key  (goal: 2), and its token of ${kB(TOKEN_LENGTH)} kB
with its source: ${await withSources()} kB
${String(10 * KEYS)} keys through a pool of 1000: ${megabytes} MB of heap after each fifth, ${String(small.size)} streams`);
  for (const each of [tokens, fewer, names]) each.close();
  small.close();
}
