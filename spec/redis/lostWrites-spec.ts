import { firstValueFrom, from, map, of, type Observable } from 'rxjs';
import type { AccessToken, StoredToken, TokenResponse, TokenStore } from 'rx-fresh-token';
import { redisTokenStore, type RedisTokenStoreOptions } from '../../src/redis/index.js';
import { connect, freshKey, KINDS, type Connection } from './clients.js';
import { cutOff } from './cutOff.js';
import { until } from './fleet/fleet.js';
import { withoutPushes } from './withoutPushes.js';

jest.setTimeout(20_000);
const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

// What a replica lacks that is promoted, or a snapshot from which Redis starts.
describe.each(KINDS)('when Redis has lost its last writes, with %s,', (kind) => {
  let connection: Connection;
  let key: string;
  let presented: string[];
  beforeEach(async () => {
    connection = await connect(kind, process.env.REDIS_URL!);
    dispose.push(connection.close);
    key = freshKey();
    presented = [];
  });
  const store = (options: Partial<RedisTokenStoreOptions> = {}) =>
    redisTokenStore({ client: connection.client, key, forceCooldown: 0, lease: 600, ...options });
  const hash = () => `rx-fresh-token:{${key}}`;
  const field = async (name: string) => ((await connection.command('HMGET', hash(), name)) as string[])[0];
  /** Returns a function that sets the hash back to what it is now. */
  async function snapshot(): Promise<() => Promise<void>> {
    const fields = await connection.command('HGETALL', hash());
    const flat = Array.isArray(fields) ? (fields as string[]) : Object.entries(fields as object).flat();
    return async () => {
      await connection.command('DEL', hash());
      await connection.command('HSET', hash(), ...(flat as string[]));
    };
  }
  /** Asks for the token after that of this value; null: for the first one. Each fetch presents a refresh token. */
  function ask(from$: TokenStore, value: string | null, answer$: Observable<unknown> = of(null), expires_in = 60) {
    const fetch = (last?: TokenResponse | null) => {
      const n = String(presented.push(last?.refresh_token ?? 'R0'));
      return answer$.pipe(map(() => ({ access_token: `T${n}`, refresh_token: `R${n}`, expires_in })));
    };
    const previous = value === null ? null : ({ value } as AccessToken);
    const reason = value === null ? 'initial' : 'manual';
    const request = { reason, attempt: 2, previous, signal: new AbortController().signal } as const;
    return firstValueFrom(from(from$.refresh(request, fetch)));
  }
  const valueOf = ({ response }: StoredToken) => response.access_token;

  it('should hold up nobody who has no refresh token', async () => {
    const one = store({ lease: 10_000 });
    const fetch = (n: number) => () => of({ access_token: `T${String(n)}`, expires_in: 3600 });
    const request = { reason: 'manual', attempt: 2, previous: null, signal: new AbortController().signal } as const;
    const next = (n: number, value: string | null) =>
      firstValueFrom(
        from(one.refresh({ ...request, previous: value === null ? null : ({ value } as AccessToken) }, fetch(n))),
      );
    await next(1, null);
    await connection.command('DEL', hash());
    const begun = performance.now();
    expect(valueOf(await next(2, 'T1'))).toBe('T2');
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  it('should take no older token for a newer one', async () => {
    const [behind, ahead] = [store({ client: withoutPushes(connection.client) }), store()];
    await ask(behind, null);
    await ask(ahead, null);
    await ask(ahead, 'T1');
    const newest = await field('gen');
    expect(valueOf(await ask(behind, 'T1'))).toBe('T2');
    expect(await field('gen')).toBe(newest);
  });

  it('should not present the refresh token of a session that this process has signed out', async () => {
    const one = store();
    await ask(one, null);
    const restore = await snapshot();
    await one.signOut!();
    await restore();
    expect(valueOf(await ask(one, null))).toBe('T2');
    expect(presented).toEqual(['R0', 'R0']);
  });

  it('should get a sign-out beyond the token of its session, though it is not told at once', async () => {
    const { client, cut, heal } = cutOff(connection.client);
    const one = store({ client });
    // Redis' clock was set back since.
    await connection.command('HSET', hash(), 'fence', String(Date.now() + 3_600_000));
    await ask(one, null);
    const generation = Number(await field('gen'));
    cut();
    void one.signOut!();
    await connection.command('DEL', hash());
    heal();
    await until(async () => Number(await field('ended')) > 0);
    expect(Number(await field('ended'))).toBeGreaterThan(generation);
  });
});
