import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { startRedis, type RedisServer } from '../setup/redis/server.cjs';
import { KINDS } from './clients.js';
import { startCluster } from './clusterNodes.js';

const ROOT = resolve(__dirname, '../..');
const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

/** Ends when the process does; rejects when that fails. */
const run = (file: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', join(__dirname, file), ...args], {
    cwd: ROOT,
    timeout: 25_000,
    env: { ...process.env, NODE_OPTIONS: '', TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json') },
  });

it.each(KINDS)('should not keep a process alive when its client, of %s, is closed', async (kind) => {
  const server = await startRedis();
  dispose.push(server.stop);
  const { stdout, stderr } = await run('alive.main.ts', kind, server.url);
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
    const { stderr } = await run(
      'died.main.ts',
      topology,
      String(port),
      ...dying.map(({ child }) => String(child.pid)),
    );
    expect(stderr).toBe('');
  },
);
