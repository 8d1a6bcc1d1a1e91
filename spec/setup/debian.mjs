import { spawnSync } from 'node:child_process';

/**
 * Installs what is missing, where this runs as root on Debian; else names the command to run. The specs that need it are never skipped.
 * `needed` maps a package to a function that tells whether it is there.
 */
export function ensurePackages(needed) {
  const missing = () =>
    Object.entries(needed)
      .filter(([, isThere]) => !isThere())
      .map(([name]) => name);
  const names = missing();
  if (names.length === 0) return;
  process.stderr.write(`${names.join(', ')}: missing, installing with apt-get …\n`);
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...names]]) {
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 300_000,
    });
  }
  const left = missing().join(' ');
  if (left) throw new Error(`These specs need ${left}, which could not be installed. Run: apt-get install -y ${left}`);
}

/** Whether a program is on the PATH. */
export const isOnPath = (program) => spawnSync('which', [program]).status === 0;
