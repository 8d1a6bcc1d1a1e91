import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster, createSentinel } from 'redis';
import { redisTokenStore, type RedisClient, type RedisTokenStoreOptions } from '../../src/redis/index.js';

export const KINDS = ['redis', 'ioredis'] as const;
export type Kind = (typeof KINDS)[number];

/** A client as an application makes it, and how to be rid of it. */
export interface Connection {
  readonly client: RedisClient;
  readonly command: (...args: string[]) => Promise<unknown>;
  readonly close: () => void;
}

/** A client of several nodes, and how to be rid of it. */
export type Opened = Pick<Connection, 'client'> & { readonly close: () => unknown };

/** Reconnects within half a second, as docs/fleet.md advises. */
export async function connect(kind: Kind, url: string): Promise<Connection> {
  if (kind === 'redis') {
    const client = createClient({ url, socket: { reconnectStrategy: (retries) => Math.min(50 * (retries + 1), 500) } });
    client.on('error', () => undefined);
    await client.connect();
    return {
      client,
      command: (...args) => client.sendCommand(args),
      close: () => {
        client.destroy();
      },
    };
  }
  const client = new Redis(url, { retryStrategy: (times) => Math.min(50 * times, 500) });
  client.on('error', () => undefined);
  await client.ping();
  return {
    client,
    command: (...args) => client.call(...(args as [string, ...string[]])),
    close: () => {
      client.disconnect();
    },
  };
}

async function openIoredis(client: Cluster | Redis): Promise<Opened> {
  client.on('error', () => undefined);
  await client.ping();
  return {
    client,
    close: () => {
      client.disconnect();
    },
  };
}

/** Of a cluster that has these nodes. */
export async function openCluster(kind: Kind, ports: readonly number[]): Promise<Opened> {
  if (kind === 'redis') {
    const client = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${String(port)}` })) });
    client.on('error', () => undefined);
    await client.connect();
    return {
      client,
      close: () => {
        client.destroy();
      },
    };
  }
  return openIoredis(new Cluster(ports.map((port) => ({ host: '127.0.0.1', port }))));
}

/** Of the server that a sentinel on this port watches. */
export async function openSentinel(kind: Kind, port: number): Promise<Opened> {
  const sentinels = [{ host: '127.0.0.1', port }];
  if (kind === 'redis') {
    const client = createSentinel({ name: 'main', sentinelRootNodes: sentinels });
    client.on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.destroy() };
  }
  return openIoredis(new Redis({ name: 'main', sentinels }));
}

let keys = 0;
/** A key that no other spec uses. */
export const freshKey = (): string => `spec-${String(process.pid)}-${String(Date.now())}-${String(++keys)}`;

export interface Instance extends Connection {
  readonly store: ReturnType<typeof redisTokenStore>;
}

/** Stores that share a key, each with a client of its own, like as many processes. */
export async function instances(
  kind: Kind,
  count: number,
  options: Partial<RedisTokenStoreOptions> & { url?: string } = {},
): Promise<{ all: Instance[]; key: string; dispose: () => void }> {
  const { url = process.env.REDIS_URL ?? '', key = freshKey(), ...rest } = options;
  const all = await Promise.all(
    Array.from({ length: count }, async () => {
      const connection = await connect(kind, url);
      return { ...connection, store: redisTokenStore({ client: connection.client, key, ...rest }) };
    }),
  );
  return {
    all,
    key,
    dispose: () => {
      all.forEach(({ close }) => {
        close();
      });
    },
  };
}
