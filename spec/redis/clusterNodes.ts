import { Redis } from 'ioredis';
import { freePort, startRedis, type RedisServer } from '../setup/redis/server.cjs';
import { pause, until } from './fleet/fleet.js';

export interface ClusterNode extends RedisServer {
  readonly admin: Redis;
  readonly id: string;
}

const SLOTS = 16_384;

/** Nodes of one cluster that share all slots, and replicas of some of them, by index. `stop` ends them all. */
export async function startCluster(masters: number, replicasOf: readonly number[] = []) {
  const nodes: ClusterNode[] = [];
  const stop = async () => {
    for (const { admin, stop: end } of nodes) {
      admin.disconnect();
      await end();
    }
  };
  for (let index = 0; index < masters + replicasOf.length; index++) {
    // The port of the cluster's own bus is 10 000 higher by default, and may not exist.
    const bus = String(await freePort());
    const args = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-port', bus];
    const server = await startRedis({
      args: [...args, '--cluster-node-timeout', '1000', '--repl-diskless-sync-delay', '0'],
    });
    const admin = new Redis(server.url, { retryStrategy: () => null });
    admin.on('error', () => undefined);
    const id = String(await admin.call('CLUSTER', 'MYID'));
    nodes.push({ ...server, admin, id });
    if (index > 0) await nodes[0]!.admin.call('CLUSTER', 'MEET', '127.0.0.1', String(server.port), bus);
    if (index < masters) {
      const [first, next] = [index, index + 1].map((one) => Math.floor((one * SLOTS) / masters));
      await admin.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String(next! - 1));
    }
  }
  await everyNode(
    nodes,
    'CLUSTER',
    'INFO',
    (info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${String(nodes.length)}`),
  );
  for (const [index, of] of replicasOf.entries())
    await nodes[masters + index]!.admin.call('CLUSTER', 'REPLICATE', nodes[of]!.id);
  for (const replica of nodes.slice(masters))
    await everyNode([replica], 'INFO', 'replication', (info) => info.includes('master_link_status:up'));
  return { nodes, stop };
}

async function everyNode(
  nodes: readonly ClusterNode[],
  command: string,
  about: string,
  isDone: (answer: string) => boolean,
): Promise<void> {
  for (const { admin } of nodes) while (!isDone(String(await admin.call(command, about)))) await pause(20);
}

/** Moves one slot with what lies in it, as `redis-cli --cluster reshard` does; `between` runs after each step. */
export async function moveSlot(
  nodes: readonly ClusterNode[],
  from: ClusterNode,
  to: ClusterNode,
  slot: number,
  between: () => Promise<void>,
): Promise<void> {
  const number = String(slot);
  await to.admin.call('CLUSTER', 'SETSLOT', number, 'IMPORTING', from.id);
  await from.admin.call('CLUSTER', 'SETSLOT', number, 'MIGRATING', to.id);
  await between();
  const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', number, '100')) as string[];
  for (const key of keys) await from.admin.call('MIGRATE', '127.0.0.1', String(to.port), key, '0', '1000');
  await between();
  for (const { admin } of [to, from]) await admin.call('CLUSTER', 'SETSLOT', number, 'NODE', to.id);
  await until(async () => (await ownerOf(nodes, from, slot)) === to);
  await between();
}

/** Who has the slot, as one node sees it. */
export async function ownerOf(nodes: readonly ClusterNode[], seenBy: ClusterNode, slot: number): Promise<ClusterNode> {
  const ranges = (await seenBy.admin.call('CLUSTER', 'SLOTS')) as [number, number, [string, number, string]][];
  const range = ranges.find(([first, last]) => first <= slot && slot <= last);
  return nodes.find(({ id }) => id === range?.[2][2])!;
}

export const slotOf = async ({ admin }: ClusterNode, key: string): Promise<number> =>
  Number(await admin.call('CLUSTER', 'KEYSLOT', key));
