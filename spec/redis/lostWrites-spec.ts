import { firstValueFrom, from, of, map, Subject, timer, type Observable } from 'rxjs';
import type { AccessToken, StoredToken, TokenResponse, TokenStore } from 'rx-fresh-token';
import { redisTokenStore, type RedisClient, type RedisTokenStoreOptions } from '../../src/redis/index.js';
import { connect, freshKey, KINDS, type Connection } from './clients.js';
import { pause, until } from './fleet/fleet.js';

jest.setTimeout(20_000);
const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

/** As a pool: it cannot be duplicated, so there are no pushes. */
const withoutPushes = (client: RedisClient): RedisClient =>
  new Proxy(client, {
    get: (target, name) => {
      if (name === 'duplicate') return undefined;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
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
  const listen = (to: TokenStore) => {
    const listening = to.changes!.subscribe();
    dispose.push(() => {
      listening.unsubscribe();
    });
  };
  const valueOf = ({ response }: StoredToken) => response.access_token;

  it('should get back the newest token from one who knows it, for one who knows an older one', async () => {
    const [ahead, behind] = [store(), store({ client: withoutPushes(connection.client) })];
    await ask(ahead, null);
    await ask(behind, null);
    const restore = await snapshot();
    await ask(ahead, 'T1');
    await restore();
    const renewed = ask(ahead, 'T2');
    await until(async () => String(await field('token')).includes('T2'));
    expect(valueOf(await ask(behind, 'T1'))).toBe('T2');
    await renewed;
    expect(valueOf(await ask(behind, 'T2'))).toBe('T3');
    expect(presented).toEqual(['R0', 'R1', 'R2']);
  });

  it('should get it back from one who only listens, as soon as that is connected, for newcomers', async () => {
    const one = store();
    await ask(one, null);
    await connection.command('DEL', hash());
    listen(one);
    await until(async () => String(await field('token')).includes('T1'));
    expect(await ask(store(), null)).toMatchObject({ origin: 'shared', response: { refresh_token: 'R1' } });
    expect(Number(await connection.command('PTTL', hash()))).toBeGreaterThan(80 * 24 * 3_600_000);
    expect(presented).toEqual(['R0']);
  });

  it('should get it back though one who knew nothing leads, and its failure should not count', async () => {
    const one = store();
    await ask(one, null);
    await connection.command('DEL', hash());
    const answer$ = new Subject();
    const late = store();
    listen(late);
    const newcomer = ask(late, null, answer$);
    await until(() => answer$.observed);
    const renewed = ask(one, 'T1');
    await until(async () => String(await field('token')).includes('T1'));
    answer$.error(Object.assign(new Error('used up'), { status: 400, error: 'invalid_grant' }));
    expect(valueOf(await newcomer)).toBe('T1');
    expect(await field('token')).toContain('T1');
    await renewed.catch(() => undefined);
    expect(presented.slice(0, 2)).toEqual(['R0', 'R0']);
    expect(presented.slice(2)).not.toContain('R0');
  });

  it.each(['an older snapshot', 'nothing'])(
    'should present a refresh token once, if it loses them in the middle of an exchange and has %s',
    async (what) => {
      const [one, other] = [store(), store()];
      await ask(one, null);
      const restore = await snapshot();
      await ask(one, 'T1');
      await ask(other, null);
      const renewed = ask(one, 'T2', timer(300));
      await pause(100);
      if (what === 'nothing') await connection.command('DEL', hash());
      else await restore();
      expect(valueOf(await ask(other, 'T2'))).toBe('T3');
      expect(valueOf(await renewed)).toBe('T3');
      expect(presented).toEqual(['R0', 'R1', 'R2']);
    },
  );

  it('should hold up nobody for longer than the lease of such tokens', async () => {
    const one = store({ lease: 10_000 });
    await ask(one, null, of(null), 1);
    await connection.command('DEL', hash());
    const begun = performance.now();
    await ask(one, 'T1', of(null), 1);
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(presented).toEqual(['R0', 'R1']);
  });

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

  describe('a sign-out among them,', () => {
    it('should forget the session when one who knows of it asks, and give nobody its refresh token', async () => {
      const [one, newcomer] = [store(), store()];
      await ask(one, null);
      const restore = await snapshot();
      await one.signOut!();
      await restore();
      expect(valueOf(await ask(one, null))).toBe('T2');
      expect(valueOf(await ask(newcomer, null))).toBe('T2');
      expect(presented).toEqual(['R0', 'R0']);
    });

    it('should forget it when one who knows of it is connected, and refuse the token of one who goes on', async () => {
      const [one, other] = [store(), store({ client: withoutPushes(connection.client) })];
      await ask(one, null);
      await ask(other, null);
      const restore = await snapshot();
      await one.signOut!();
      await restore();
      const answer$ = new Subject<null>();
      const ended = ask(other, 'T1', answer$).then(valueOf, (error: unknown) => (error as { code: string }).code);
      await until(() => answer$.observed);
      listen(one);
      await until(async () => !(await field('token')));
      answer$.next(null);
      expect(await ended).toBe('ERR_TOKEN_STORE');
      expect(await field('token')).toBeFalsy();
    });
  });
});
