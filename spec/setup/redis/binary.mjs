import { spawnSync } from 'node:child_process';

const isThere = () => spawnSync('redis-server', ['--version']).status === 0;

/** Installs redis-server where it is missing and apt can; else says what to do. The specs of `src/redis` are never skipped. */
export function ensureRedisServer() {
  if (isThere()) return;
  process.stderr.write('redis-server is missing: installing it with apt-get …\n');
  for (const args of [['update'], ['install', '-y', 'redis-server']]) {
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 300_000,
    });
  }
  if (!isThere())
    throw new Error(
      'The specs of src/redis need redis-server (6.2 or later) on the PATH, and apt-get could not install it.',
    );
}
