import { defer, firstValueFrom, from, of } from 'rxjs';
import type { AccessToken, TokenStore } from 'rx-fresh-token';
import { ACQUIRE } from '../../src/redis/scripts/acquireScript.js';
import { COMMIT } from '../../src/redis/scripts/commitScript.js';
import { redisTokenStore } from '../../src/redis/index.js';
import { connect, freshKey, KINDS } from './clients.js';
import { until } from './fleet/fleet.js';
import { heldUp } from './heldUp.js';
import { withoutPushes } from './withoutPushes.js';

const dispose: (() => unknown)[] = [];
afterEach(() => {
  for (const one of dispose.splice(0).reverse()) one();
});

const fetch = (store: TokenStore, access_token: string, previous: AccessToken | null = null) =>
  firstValueFrom(
    from(
      store.refresh({ reason: 'scheduled', attempt: 1, previous, signal: new AbortController().signal }, () =>
        of({ access_token, expires_in: 3600 }),
      ),
    ),
  );

describe.each(KINDS)('the changes of a store, with %s,', (kind) => {
  it.each([
    ['not been answered yet', 5000],
    ['been given up', 100],
  ])('should not include its own token, found in Redis while its commit has %s', async (_when, storeDeadline) => {
    const key = freshKey();
    const connection = await connect(kind, process.env.REDIS_URL!);
    dispose.push(connection.close);
    const { client, hold, release, replies } = heldUp(connection.client, 'replies', COMMIT);
    const store = redisTokenStore({ client, key, storeDeadline });
    hold();
    let fetched: unknown;
    const refresh = fetch(store, 'T1').then((token) => (fetched = token));
    await until(() => replies.includes('O') && (storeDeadline === 5000 || fetched !== undefined));

    const told: string[] = [];
    const watching = store.changes!.subscribe(({ response }) => told.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    // The look at the hash when the channel is connected: it finds T1.
    await until(() => replies.includes('T'));
    release();
    expect(await refresh).toMatchObject({ origin: 'fetched', response: { access_token: 'T1' } });
    const other = redisTokenStore({ client: connection.client, key });
    await fetch(other, 'T2', { value: 'T1' } as AccessToken);
    await until(() => told.includes('T2'));
    expect(told).toEqual(['T2']);
  });

  it('should include, without pushes, the newer token that Redis has when it hears of its own', async () => {
    const key = freshKey();
    const connection = await connect(kind, process.env.REDIS_URL!);
    dispose.push(connection.close);
    const { client, hold, release } = heldUp(withoutPushes(connection.client));
    const store = redisTokenStore({ client, key, storeDeadline: 100, lease: 500 });
    const told: string[] = [];
    const watching = store.changes!.subscribe(({ response }) => told.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    const request = { reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal } as const;
    const answer$ = defer(() => {
      hold();
      return of({ access_token: 'T1', expires_in: 3600 });
    });
    expect(await firstValueFrom(from(store.refresh(request, () => answer$)))).toMatchObject({
      response: { access_token: 'T1' },
    });
    const other = redisTokenStore({ client: connection.client, key });
    await until(async () => (await fetch(other, 'T2')).response.access_token === 'T2');
    expect(told).toEqual([]);
    release();
    await until(() => told.length > 0);
    expect(told).toEqual(['T2']);
  });

  it('should leave the store with no token when nobody listens any more: one may have been rejected since', async () => {
    const key = freshKey();
    const { client, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const [store, other] = [redisTokenStore({ client, key }), redisTokenStore({ client, key })];
    const watching = store.changes!.subscribe();
    await fetch(store, 'T1');
    watching.unsubscribe();
    await fetch(other, 'T2', { value: 'T1' } as AccessToken);
    expect(await fetch(store, 'T3')).toMatchObject({ origin: 'shared', response: { access_token: 'T2' } });
  });

  it('should leave it with none, though the look at the hash was answered only then', async () => {
    const key = freshKey();
    const connection = await connect(kind, process.env.REDIS_URL!);
    dispose.push(connection.close);
    const { client, hold, release, replies } = heldUp(connection.client, 'replies', ACQUIRE);
    const [store, other] = [redisTokenStore({ client, key }), redisTokenStore({ client: connection.client, key })];
    await fetch(other, 'T1');
    hold();
    const watching = store.changes!.subscribe();
    await until(() => replies.includes('T'));
    watching.unsubscribe();
    release();
    await fetch(other, 'T2', { value: 'T1' } as AccessToken);
    expect(await fetch(store, 'T3')).toMatchObject({ origin: 'shared', response: { access_token: 'T2' } });
  });

  it('should not include a token older than its own, whose push comes late', async () => {
    const key = freshKey();
    const { client, command, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const [store, first, third] = Array.from({ length: 3 }, () => redisTokenStore({ client, key }));
    await fetch(first!, 'T1');
    const fields = ['hashId', 'gen', 'issued', 'life', 'hashId', 'token'];
    const pushed = (await command('HMGET', `rx-fresh-token:{${key}}`, ...fields)) as string[];
    await fetch(store!, 'T2', { value: 'T1' } as AccessToken);

    const told: string[] = [];
    const watching = store!.changes!.subscribe(({ response }) => told.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    const channel = `rx-fresh-token:{${key}}:push`;
    const heard = async () => Number(await command('PUBLISH', channel, ['T', Date.now(), ...pushed].join('\n'))) > 0;
    await until(heard);
    await fetch(third!, 'T3', { value: 'T2' } as AccessToken);
    await until(() => told.includes('T3'));
    expect(told).toEqual(['T3']);
  });

  describe('whatever is pushed,', () => {
    const FIELDS = ['hashId', 'gen', 'issued', 'life', 'hashId', 'token'];
    async function setUp() {
      const key = freshKey();
      const { client, command, close } = await connect(kind, process.env.REDIS_URL!);
      dispose.push(close);
      const [listening, fetching] = [redisTokenStore({ client, key }), redisTokenStore({ client, key })];
      const told: string[] = [];
      const watching = listening.changes!.subscribe(({ response, origin }) =>
        told.push(`${response.access_token} ${origin}`),
      );
      dispose.push(() => {
        watching.unsubscribe();
      });
      /** Fetches a token, and returns the fields of its push. */
      const next = async (n: number) => {
        await fetch(fetching, `T${String(n)}`, n > 1 ? ({ value: `T${String(n - 1)}` } as AccessToken) : null);
        await until(() => told.includes(`T${String(n)} shared`));
        return (await command('HMGET', `rx-fresh-token:{${key}}`, ...FIELDS)) as string[];
      };
      const push = (fields: readonly string[]) =>
        command('PUBLISH', `rx-fresh-token:{${key}}:push`, ['T', Date.now(), ...fields].join('\n'));
      return { told, next, push };
    }

    it('should include each token once, and none that is older than one before', async () => {
      const { told, next, push } = await setUp();
      const pushes = [await next(1), await next(2)];
      for (const fields of pushes) await push(fields);
      await next(3);
      expect(told).toEqual(['T1 shared', 'T2 shared', 'T3 shared']);
    });

    it.each<[string, (fields: string[]) => string[]]>([
      ['of another hash', ([, gen, ...rest]) => ['another', String(Number(gen) + 1000), ...rest]],
      ['from the future', ([hashId, gen, ...rest]) => [hashId!, String(Number(gen) + 86_400_000), ...rest]],
    ])('should include no token %s', async (_what, forge) => {
      const { told, next, push } = await setUp();
      const first = await next(1);
      await next(2);
      await push(forge(first));
      await next(3);
      expect(told).toEqual(['T1 shared', 'T2 shared', 'T3 shared']);
    });
  });
});
