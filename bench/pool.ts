import { bench, do_not_optimize, run } from 'mitata';
import { firstValueFrom, of } from 'rxjs';
import { takeToken } from 'rx-fresh-token';
import { createTokenPool } from 'rx-fresh-token/pool';

interface Tenant {
  readonly id: string;
  readonly audience: string;
}

const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

const KEYS = 10_000;
const tenant = (i: number): Tenant => ({ id: `tenant-${String(i)}`, audience: 'orders' });

/** What a pool costs: memory per key, the time to find one, and whether it grows. */
export async function pool(): Promise<void> {
  let fetches = 0;
  const source = ({ id }: Tenant) => {
    return () => {
      fetches++;
      return of({ access_token: `a-token-of-some-forty-characters-of-${id}`, expires_in: 3600 });
    };
  };
  const before = heap();
  const tokens = createTokenPool(source, { idleTimeout: 0 });
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < KEYS; i++) await firstValueFrom(takeToken(tokens.get(tenant(i))));
  const perKey = (heap() - before) / KEYS;

  const names = createTokenPool((id: string) => source({ id, audience: 'orders' }));
  for (let i = 0; i < KEYS; i++) void names.get(`tenant-${String(i)}`);
  let next = 0;
  const known = Array.from({ length: KEYS }, (_, i) => ({ key: tenant(i), name: `tenant-${String(i)}` }));
  const following = () => known[(next += 7919) % KEYS]!;
  bench('get by a string', () => do_not_optimize(names.get(following().name)));
  bench('get by an object of two members', () => do_not_optimize(tokens.get(following().key)));
  await run();

  const small = createTokenPool(source, { max: 1000, idleTimeout: 0 });
  const sizes: number[] = [];
  for (let i = 0; i < 10 * KEYS; i++) {
    await firstValueFrom(takeToken(small.get(tenant(i))));
    if (i % (2 * KEYS) === 2 * KEYS - 1) sizes.push(heap());
  }
  const megabytes = sizes.map((bytes) => (bytes / 1e6).toFixed(1)).join(', ');
  console.log(`
a pool of ${String(KEYS)} keys: ${String(fetches - 10 * KEYS)} fetches, ${(perKey / 1000).toFixed(1)} kB of heap per key  (goal: 2)
${String(10 * KEYS)} keys through a pool of 1000: ${megabytes} MB of heap after each fifth, ${String(small.size)} streams`);
  for (const each of [tokens, names]) each.close();
  small.close();
}
