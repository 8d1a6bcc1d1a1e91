import { Cluster, Redis } from 'ioredis';
import { createClientPool, createCluster } from 'redis';
import { firstValueFrom, from, NEVER, of, throwError, timeout } from 'rxjs';
import type { AccessToken, StoredToken, TokenRequest, TokenStore } from 'rx-fresh-token';
import { redisTokenStore } from '../../src/redis/index.js';
import { startRedis, type RedisServer } from '../setup/redis/server.cjs';
import {
  connect,
  freshKey,
  KINDS,
  openCluster,
  openSentinel,
  type Connection,
  type Kind,
  type Opened,
} from './clients.js';
import { startCluster } from './clusterNodes.js';
import { pause, until } from './fleet/fleet.js';

jest.setTimeout(40_000);
const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

const initial = (): TokenRequest => ({
  reason: 'initial',
  attempt: 1,
  previous: null,
  signal: new AbortController().signal,
});
const ask = (store: TokenStore, access_token: string, previous: AccessToken | null = null): Promise<StoredToken> =>
  firstValueFrom(
    from(
      store.refresh(
        { reason: previous ? 'scheduled' : 'initial', attempt: 1, previous, signal: new AbortController().signal },
        () => of({ access_token, expires_in: 3600 }),
      ),
    ),
  );

/** What clients connect to, the Redis that has the token, and how a client of it is opened. */
interface Place {
  readonly server: RedisServer;
  readonly data: RedisServer;
  readonly open: (kind: Kind) => Promise<Opened>;
}

/** One node that has all slots: enough to see that all keys of a call lie in one, and that pushes come. */
async function cluster(): Promise<Place> {
  const { nodes, stop } = await startCluster(1);
  dispose.push(stop);
  const server = nodes[0]!;
  return { server, data: server, open: (kind) => openCluster(kind, [server.port]) };
}

/** One that watches a server of its own. */
async function sentinel(): Promise<Place> {
  const data = await startRedis();
  dispose.push(data.stop);
  const server = await startRedis({ sentinelOf: data.port });
  dispose.push(server.stop);
  return { server, data, open: (kind) => openSentinel(kind, server.port) };
}

async function single(): Promise<Place> {
  const server = await startRedis();
  dispose.push(server.stop);
  return { server, data: server, open: (kind) => connect(kind, server.url) };
}

const MANY = KINDS.flatMap((kind) => [
  [`a cluster, with ${kind}`, cluster, kind] as const,
  [`a sentinel, with ${kind}`, sentinel, kind] as const,
]);

it.each(MANY)('should share and push through %s', async (_what, start, kind) => {
  const { open } = await start();
  const [one, other] = await Promise.all([open(kind), open(kind)]);
  dispose.push(one.close, other.close);
  const key = freshKey();
  const stores = [one, other].map(({ client }) => redisTokenStore({ client, key }));
  const heard: string[] = [];
  const watching = from(stores[1]!.changes!).subscribe(({ response }) => heard.push(response.access_token));
  dispose.push(() => {
    watching.unsubscribe();
  });
  await pause(500);
  expect(await ask(stores[0]!, 'T1')).toMatchObject({ origin: 'fetched' });
  await until(() => heard.includes('T1'));
  expect(await ask(stores[1]!, 'T2')).toMatchObject({ origin: 'shared', response: { access_token: 'T1' } });
});

it.each([...KINDS.map((kind) => [`one server, with ${kind}`, single, kind] as const), ...MANY])(
  'should leave no connection behind when the last one stops listening while it is made, or subscribes, through %s',
  async (_what, start, kind) => {
    const { data, open } = await start();
    const admin = await connect('ioredis', data.url);
    dispose.push(admin.close);
    const connections = async () => String(await admin.command('CLIENT', 'LIST')).match(/^id=/gm)!.length;
    for (const method of ['duplicate', 'subscribe']) {
      const { client, close } = await open(kind);
      dispose.push(close);
      const stopAfter = (owner: object, name: string) => {
        const original = (Reflect.get(owner, name) as (...args: unknown[]) => object).bind(owner);
        const wrapped = (...args: unknown[]) => {
          const answer = original(...args);
          if (name !== method) stopAfter(answer, method);
          else
            queueMicrotask(() => {
              watching.unsubscribe();
            });
          return answer;
        };
        Object.assign(owner, { [name]: wrapped });
      };
      stopAfter(client, 'duplicate');
      const before = await connections();
      const watching = redisTokenStore({ client, key: freshKey() }).changes!.subscribe();
      await until(() => watching.closed);
      // One that is made after all comes within this time, and goes again.
      await pause(500);
      await until(async () => (await connections()) === before);
    }
  },
);

it('should have deleted the token in a cluster of `redis` that is closed one turn after the sign-out', async () => {
  const { server, open } = await cluster();
  const { client, close } = await open('redis');
  dispose.push(close);
  const closing = createCluster({ rootNodes: [{ url: server.url }] });
  await closing.connect();
  const key = freshKey();
  const [one, other] = [redisTokenStore({ client: closing, key }), redisTokenStore({ client, key })];
  await ask(one, 'T1');
  expect((await ask(other, 'T2')).origin).toBe('shared');
  void one.signOut!();
  await new Promise(setImmediate);
  await closing.close();
  expect(await ask(redisTokenStore({ client, key }), 'T3')).toMatchObject({ origin: 'fetched' });
});

it.each(KINDS)('should need no more of a cluster than docs/fleet.md says, with %s', async (kind) => {
  const { server } = await cluster();
  const admin = await connect('ioredis', server.url);
  dispose.push(admin.close);
  const allowed =
    '~rx-fresh-token:* &rx-fresh-token:* -@all +eval +evalsha +time +hmget +hset +hdel +pttl +pexpire +publish +subscribe +unsubscribe +cluster|slots +asking';
  await admin.command('ACL', 'SETUSER', 'fleet', 'on', '>word', ...allowed.split(' '));
  const user = { username: 'fleet', password: 'word' };
  const warned = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const client =
    kind === 'redis'
      ? createCluster({ rootNodes: [{ url: server.url }], defaults: user })
      : new Cluster([server.url], { enableReadyCheck: false, redisOptions: { ...user, enableReadyCheck: false } });
  client.on('error', () => undefined);
  dispose.push(() => {
    if (client instanceof Cluster) client.disconnect();
    else client.destroy();
  });
  if (!(client instanceof Cluster)) await client.connect();
  const key = freshKey();
  await ask(redisTokenStore({ client, key }), 'T1');
  expect(await ask(redisTokenStore({ client, key }), 'T2')).toMatchObject({ origin: 'shared' });
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});

it('should share through a pool, without pushes', async () => {
  const pool = createClientPool({ url: process.env.REDIS_URL! });
  pool.on('error', () => undefined);
  await pool.connect();
  dispose.push(() => {
    pool.destroy();
  });
  const key = freshKey();
  const [one, other] = [redisTokenStore({ client: pool, key }), redisTokenStore({ client: pool, key })];
  const watching = from(other.changes!).subscribe();
  dispose.push(() => {
    watching.unsubscribe();
  });
  await ask(one, 'T1');
  expect(await ask(other, 'T2')).toMatchObject({ origin: 'shared', response: { access_token: 'T1' } });
});

/** Those who name the token alike, where two hashes have that name: [of which client, the one place, the other]. */
const namesakes: [string, () => Promise<[here: Connection, there: Connection]>][] = [
  ...KINDS.map((kind): (typeof namesakes)[number] => [
    `databases of one server, with ${kind}`,
    () => Promise.all([connect(kind, process.env.REDIS_URL!), connect(kind, `${process.env.REDIS_URL!}/1`)]),
  ]),
  [
    'key prefixes of ioredis',
    () => {
      const open = (keyPrefix: string): Connection => {
        const client = new Redis(process.env.REDIS_URL!, { keyPrefix });
        return {
          client,
          command: (...args) => client.call(...(args as [string, ...string[]])),
          close: () => {
            client.disconnect();
          },
        };
      };
      return Promise.resolve([open('here:'), open('there:')]);
    },
  ],
];

it.each(namesakes)(
  'should take no token from a namesake that shares the channel, and still hear its own: %s',
  async (_what, open) => {
    const [here, there] = await open();
    dispose.push(here.close, there.close);
    const key = freshKey();
    const stores = (connection: Connection) =>
      [0, 1].map(() => redisTokenStore({ client: connection.client, key, forceCooldown: 0 }));
    const [one, listening] = stores(here);
    const [other] = stores(there);
    const heard: string[] = [];
    const watching = from(listening!.changes!).subscribe(({ response }) => heard.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    await pause(400);
    // Before there is anything here, and after.
    await ask(other!, 'THEIRS');
    await pause(200);
    await ask(one!, 'OURS');
    await until(() => heard.length > 0);
    await ask(other!, 'THEIRS2', { value: 'THEIRS' } as AccessToken);
    await pause(200);
    await ask(one!, 'OURS2', { value: 'OURS' } as AccessToken);
    await until(() => heard.length > 1);
    expect(heard).toEqual(['OURS', 'OURS2']);
    expect(await ask(listening!, 'x')).toMatchObject({ origin: 'shared', response: { access_token: 'OURS2' } });
  },
);

describe.each(KINDS)('with %s', (kind) => {
  let connection: Connection;
  let key: string;
  let store: TokenStore;
  const hash = () => `rx-fresh-token:{${key}}`;
  const field = async (name: string) => Number(((await connection.command('HMGET', hash(), name)) as string[])[0]);
  beforeEach(async () => {
    connection = await connect(kind, process.env.REDIS_URL!);
    dispose.push(connection.close);
    key = freshKey();
    store = redisTokenStore({ client: connection.client, key });
  });
  /** As the hash stands after Redis' clock was set back: what was a time lies that far ahead. */
  const setBack = async (ms: number) => {
    const names = ['gen', 'issued', 'at', 'until', 'fence', 'committed', 'rejected', 'retry', 'since', 'paused'];
    const values = (await connection.command('HMGET', hash(), ...names)) as (string | null)[];
    const moved = names.flatMap((name, index) =>
      Number(values[index]) > 1e12 ? [name, String(Number(values[index]) + ms)] : [],
    );
    await connection.command('HSET', hash(), ...moved);
  };
  /** A token as it lies in Redis without an encryption key. */
  const plain = (generation: number, issued: number, life: number, access_token: string) =>
    `0.${JSON.stringify({ generation, issued, life, response: { access_token, expires_in: life / 1000 } })}`;
  const newcomer = () => redisTokenStore({ client: connection.client, key });

  it('should not trust a token from the future, of a clock that was set back, and still count up', async () => {
    await ask(store, 'T1');
    const generation = (await field('gen')) + 3_600_000;
    const time = String(generation);
    const token = plain(generation, generation, 3_600_000, 'T1');
    const fields = { gen: time, fence: time, committed: time, at: time, issued: time, token };
    await connection.command('HSET', hash(), ...Object.entries(fields).flat());
    const { response, age } = await ask(newcomer(), 'T2');
    expect([response.access_token, age < 1000]).toEqual(['T2', true]);
    expect(await field('gen')).toBe(generation + 1);
    expect(await field('fence')).toBe(generation + 1);
  });

  it.each(['lease', 'pause'])(
    'should be held up by a %s no longer than it was meant to last, when the clock was set back an hour meanwhile',
    async (what) => {
      const held = from(
        store.refresh(initial(), () =>
          what === 'lease' ? NEVER : throwError(() => Object.assign(new Error('busy'), { retryAfter: 60_000 })),
        ),
      ).subscribe({ error: () => undefined });
      dispose.push(() => {
        held.unsubscribe();
      });
      await pause(200);
      const others = () =>
        firstValueFrom(
          from(newcomer().refresh(initial(), () => of({ access_token: 'T2', expires_in: 3600 }))).pipe(timeout(1000)),
        );
      await expect(others()).rejects.toThrow();
      await setBack(3_600_000);
      expect(await others()).toMatchObject({ origin: 'fetched', response: { access_token: 'T2' } });
    },
  );

  it('should take a token for older than it is, and never for younger, when the clock was set forward', async () => {
    await ask(store, 'T1');
    const issued = await field('issued');
    // As if Redis' clock had gone on by a quarter of an hour at once.
    await connection.command('HSET', hash(), 'issued', String(issued - 900_000), 'at', String(issued - 900_000));
    const { age } = await ask(newcomer(), 'T2');
    expect(age).toBeGreaterThanOrEqual(900_000);
  });

  it('should take a pushed token for no younger than it is, when a message shows that the clock was set forward', async () => {
    const ages: number[] = [];
    const watching = from(newcomer().changes!).subscribe(({ age }) => ages.push(age));
    dispose.push(() => {
      watching.unsubscribe();
    });
    await pause(300);
    await ask(store, 'T1');
    await until(() => ages.length === 1);
    const generation = (await field('gen')) + 1;
    const said = (await connection.command('HMGET', hash(), 'hashId', 'at')) as string[];
    // A token of 20 s, from a Redis whose clock was set forward an hour, which then stands in the hash too.
    const now = Number(said[1]) + 3_600_000;
    const encrypted = plain(generation, now - 20_000, 7_200_000, 'T2');
    await connection.command(
      'HSET',
      hash(),
      'gen',
      String(generation),
      'token',
      encrypted,
      'life',
      '7200000',
      'issued',
      String(Number(said[1]) - 20_000),
    );
    await connection.command(
      'PUBLISH',
      `${hash()}:push`,
      ['T', now, said[0], generation, now - 20_000, 7_200_000, 'other.1', encrypted].join('\n'),
    );
    await until(() => ages.length === 2);
    expect(ages[1]).toBeGreaterThanOrEqual(20_000);
  });

  it('should hold its lease when someone else writes nonsense into the hash, and say what it cannot read', async () => {
    await connection.command('HSET', hash(), 'gen', '5', 'token', 'nonsense', 'issued', '1', 'life', '-1', 'at', '1');
    await expect(ask(store, 'T1')).rejects.toMatchObject({ code: 'ERR_TOKEN_STORE' });
  });

  it('should leave a hash that ends by itself', async () => {
    await ask(store, 'T1');
    expect(Number(await connection.command('PTTL', hash()))).toBeGreaterThan(3_600_000);
  });
});
