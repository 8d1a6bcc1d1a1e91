import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle, type Bundle } from '../setup/bundle.js';
import { startRedis, type RedisServer } from '../setup/redis/server.cjs';
import { KINDS } from './clients.js';
import { startCluster } from './clusterNodes.js';

const alive = bundle(join(__dirname, 'alive.main.ts'), 'external');
const died = bundle(join(__dirname, 'died.main.ts'), 'external');
afterAll(() => {
  for (const program of [alive, died]) program.remove();
});

const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

/** Ends when the process does; rejects when that fails. */
const run = ({ file }: Bundle, ...args: string[]) =>
  promisify(execFile)(process.execPath, [file, ...args], {
    timeout: 25_000,
    env: { ...process.env, NODE_OPTIONS: '' },
  });

it.each(KINDS)('should not keep a process alive when its client, of %s, is closed', async (kind) => {
  const server = await startRedis();
  dispose.push(server.stop);
  const { stdout, stderr } = await run(alive, kind, server.url);
  expect(stderr).toBe('');
  expect(stdout).toBe('T1 ended');
});

/** What clients connect to, and the servers that die. */
const PLACES: Record<string, () => Promise<{ port: number; dying: readonly RedisServer[] }>> = {
  single: async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    return { port: server.port, dying: [server] };
  },
  cluster: async () => {
    const { nodes, stop } = await startCluster(3);
    dispose.push(stop);
    return { port: nodes[0]!.port, dying: nodes };
  },
  sentinel: async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const watcher = await startRedis({ sentinelOf: server.port });
    dispose.push(watcher.stop);
    return { port: watcher.port, dying: [server] };
  },
};

it.each(Object.keys(PLACES))(
  'should not keep a process alive that closes its streams and clients while Redis dies: %s',
  async (topology) => {
    const { port, dying } = await PLACES[topology]!();
    const { stderr } = await run(died, topology, String(port), ...dying.map(({ child }) => String(child.pid)));
    expect(stderr).toBe('');
  },
);
