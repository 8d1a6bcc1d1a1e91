import { spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wait } from './support.js';

export { freePort } from '../../setup/redis/server.cjs';

/** The user that a server runs as, where root may choose one. A server like PostgreSQL does not run as root. */
export type Account = { uid: number; gid: number } | Record<string, never>;

export function accountOf(name: string): Account {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout);
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** A new folder that belongs to an account. */
export function temporaryFolder({ uid, gid }: Account = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-server-'));
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return folder;
}

interface Server {
  port: number;
  folder: string;
  isReady?: () => boolean | Promise<boolean>;
}

/**
 * Starts a server, and waits until it is ready: by default, until it listens on the port. The function that is returned
 * ends it and removes its folder.
 */
export async function startServer(
  program: string,
  args: readonly string[],
  { port, folder, isReady = () => listens(port), ...options }: Server & SpawnOptions,
): Promise<() => Promise<void>> {
  const child = spawn(program, args, { cwd: folder, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (output += text.toString()));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((done) => child.once('error', done).once('exit', done));
  const stop = async () => {
    kill();
    await ended;
    process.off('exit', kill);
    rmSync(folder, { recursive: true, force: true });
  };
  for (const end = Date.now() + 60_000; !(await isReady()); await wait(50)) {
    if (child.exitCode === null && child.pid !== undefined && Date.now() < end) continue;
    await stop();
    throw new Error(`${program} did not start: ${output.slice(-2000)}`);
  }
  return stop;
}

/** Whether something listens on a port of this machine. */
export const listens = (port: number) =>
  new Promise<boolean>((done) => {
    const socket = connect(port, '127.0.0.1', () => settle(true));
    const settle = (value: boolean) => {
      socket.destroy();
      done(value);
    };
    socket.once('error', () => settle(false));
  });
