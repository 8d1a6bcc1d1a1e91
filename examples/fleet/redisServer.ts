import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'redis';
import { explain } from '../demo/explain.js';
import { UsageError } from '../demo/usageError.js';

export interface RedisServer {
  readonly url: string;
  stop(): void;
}

/** A redis-server of one's own, on a free port, that writes nothing to disk. */
export async function startRedis(): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'fleet-redis-'));
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    { stdio: 'ignore' },
  );
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const stop = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; tries < 200; tries += 1) {
    if (failure) break;
    if (await listens(port)) return { url: `redis://127.0.0.1:${port}`, stop };
    await pause(25);
  }
  stop();
  throw new Error(
    'redis-server did not start: install it (apt-get install redis-server), or name one of yours with --redis',
    { cause: failure },
  );
}

/** @throws UsageError if no Redis answers there. The URL is not printed: it may hold a password. */
export async function requireRedis(url: string): Promise<void> {
  try {
    const client = createClient({ url, socket: { connectTimeout: 2_000, reconnectStrategy: false } });
    client.on('error', () => undefined);
    await client.connect();
    client.destroy();
  } catch (error) {
    throw new UsageError(`no Redis answers at the URL of --redis: ${explain(error)}`);
  }
}

const freePort = (): Promise<number> =>
  new Promise((found) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => found(port));
    });
  });

const listens = (port: number): Promise<boolean> =>
  new Promise((settle) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      settle(true);
    });
    socket.once('error', () => settle(false));
  });
