import { Redis } from 'ioredis';
import { firstValueFrom, from, of, timeout } from 'rxjs';
import type { AccessToken, TokenStore } from 'rx-fresh-token';
import { redisTokenStore } from '../../src/redis/index.js';
import { startRedis } from '../setup/redis/server.cjs';
import { moveSlot, ownerOf, slotOf, startCluster, type ClusterNode } from './clusterNodes.js';
import { freshKey, KINDS, openCluster, openSentinel, type Opened } from './clients.js';
import { pause, until } from './fleet/fleet.js';

jest.setTimeout(45_000);
const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

/** Stores with clients of both packages: each new token is fetched by one and heard by all others. */
function fleet(clients: readonly Opened[], key = freshKey()) {
  const stores = clients.map(({ client }) => redisTokenStore({ client, key, forceCooldown: 0 }));
  const heard: string[][] = stores.map(() => []);
  stores.forEach(({ changes }, index) => {
    const watching = changes!.subscribe(({ response }) => heard[index]!.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
  });
  let n = 0;
  let asked = 0;
  const ask = (store: TokenStore, previous: string | null) =>
    firstValueFrom(
      from(
        store.refresh(
          {
            reason: previous === null ? 'initial' : 'scheduled',
            attempt: 1,
            previous: previous === null ? null : ({ value: previous } as AccessToken),
            signal: new AbortController().signal,
          },
          () => {
            asked++;
            return of({ access_token: `T${String(n)}`, expires_in: 3600 });
          },
        ),
      ).pipe(timeout(20_000)),
    );
  return {
    key,
    asked: () => asked,
    /** The next token, asked for by all at once. */
    next: async () => {
      const previous = n === 0 ? null : `T${String(n)}`;
      n++;
      const answers = await Promise.all(stores.map((store) => ask(store, previous)));
      expect(answers.map(({ response }) => response.access_token)).toEqual(stores.map(() => `T${String(n)}`));
    },
    /** Pushes come, of whoever has fetched: a token of one is heard by all others. */
    hear: async () => {
      for (const [index, store] of stores.entries()) {
        const previous = `T${String(n++)}`;
        await ask(store, previous);
        await until(() => heard.every((mine, other) => other === index || mine.includes(`T${String(n)}`)));
      }
    },
  };
}

/** The nodes on which somebody has subscribed. */
async function subscribed(nodes: readonly ClusterNode[]): Promise<ClusterNode[]> {
  const lists = await Promise.all(nodes.map(({ admin }) => admin.client('LIST', 'TYPE', 'PUBSUB')));
  return nodes.filter((_, index) => String(lists[index]).includes('id='));
}

it.each([
  ['redis', 0],
  ['ioredis', 1],
] as const)(
  'should share one token through a cluster of three nodes, while its slot moves, and when the node dies that has it and over which the pushes to %s come',
  async (_kind, index) => {
    const { nodes, stop } = await startCluster(3, [0, 1, 2]);
    dispose.push(stop);
    const ports = nodes.slice(0, 3).map(({ port }) => port);
    const clients = await Promise.all(KINDS.map((kind) => openCluster(kind, ports)));
    dispose.push(...clients.map(({ close }) => close));
    // The node that will die is the one over which the pushes come.
    const pushedBy = async () => (await subscribed(nodes))[0];
    let target: ClusterNode | undefined;
    const probe = redisTokenStore({ client: clients[index]!.client, key: 'probe' }).changes!.subscribe();
    await until(async () => (target = await pushedBy()) !== undefined);
    dispose.push(() => {
      probe.unsubscribe();
    });
    let key = freshKey();
    const slotOfKey = () => slotOf(nodes[0]!, `rx-fresh-token:{${key}}`);
    while ((await ownerOf(nodes, nodes[0]!, await slotOfKey())) === target) key = freshKey();
    const { next, hear, asked } = fleet(clients, key);
    await pause(500);
    await next();
    await hear();
    const slot = await slotOfKey();
    const source = await ownerOf(nodes, nodes[0]!, slot);
    await moveSlot(nodes, source, target!, slot, next);
    await hear();
    const before = asked();
    // As long as it takes to replicate a write.
    await pause(200);
    target!.signal('SIGKILL');
    await next();
    await until(async () => (await ownerOf(nodes, source, slot)) !== target);
    await next();
    await hear();
    // One for each token: nobody has fetched for itself.
    expect(asked() - before).toBe(4);
  },
);

it('should share one token through a sentinel that fails over', async () => {
  const main = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  dispose.push(main.stop);
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(main.port)] });
  dispose.push(replica.stop);
  const admin = new Redis(replica.url);
  dispose.push(() => {
    admin.disconnect();
  });
  await until(async () => (await admin.info('replication')).includes('master_link_status:up'));
  const sentinel = await startRedis({ sentinelOf: main.port });
  dispose.push(sentinel.stop);
  const watcher = new Redis(sentinel.url);
  dispose.push(() => {
    watcher.disconnect();
  });
  await until(async () => ((await watcher.call('SENTINEL', 'REPLICAS', 'main')) as unknown[]).length > 0);
  const clients = await Promise.all(KINDS.map((kind) => openSentinel(kind, sentinel.port)));
  dispose.push(...clients.map(({ close }) => close));
  const { next, hear, asked } = fleet(clients);
  await pause(500);
  await next();
  await hear();
  const before = asked();
  await pause(200);
  main.signal('SIGKILL');
  await next();
  await until(async () => (await admin.info('replication')).includes('role:master'));
  await hear();
  expect(asked() - before).toBe(3);
});
