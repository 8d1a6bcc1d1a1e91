import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifest } from '../packed.mjs';
import { root } from '../run.mjs';

/** Longer than any check takes. */
const LIMIT = 60_000;

const angular = (version, options) => ({
  packages: ['core', 'common', 'compiler'].map((name) => `@angular/${name}@${version}`),
  check: 'angular.mjs',
  ...options,
});
const axios = (version) => ({ packages: [`axios@${version}`], check: 'axios.mjs' });
const redis = (name, version) => ({ packages: [`${name}@${version}`], check: 'redis.mjs', args: [name], redis: true });
const nest = (version, httpVersion) => ({
  packages: [
    ...['common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@${version}`),
    `@nestjs/axios@${httpVersion}`,
    'axios@1',
    'reflect-metadata@0.2',
  ],
  check: 'nest.mjs',
});

/** The oldest and the newest major of each peer dependency, and those between that differ. */
export const peers = {
  'Angular 17': angular(17),
  'Angular 18': angular(18),
  'Angular 19': angular(19),
  'Angular 20': angular(20),
  'Angular 21': angular(21),
  // Its packages do not allow Node 20.
  'Angular 22': angular(22, { without: ['Node 20'] }),
  'axios 1.5': axios('1.5.0'),
  'axios 1': axios(1),
  'redis 5': redis('redis', 5),
  'redis 6': redis('redis', 6),
  'ioredis 5': redis('ioredis', 5),
  'ioredis 6': redis('ioredis', 6),
  'Nest 10': nest(10, 3),
  'Nest 11': nest(11, 4),
  'Nest 12': nest(12, 12),
};

/** Installs the packed library beside one peer dependency, as its user does, with npm's own check of the peer range. */
export function installPeer(folder, tarball, { packages }) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  npmInstall(folder, tarball, `rxjs@${manifest.peerDependencies.rxjs}`, ...packages);
  cpSync(join(root, 'scripts/smoke/peers'), folder, { recursive: true });
}

export function npmInstall(folder, ...packages) {
  const options = ['--no-audit', '--no-fund', '--loglevel=error', '--foreground-scripts'];
  execFileSync('npm', ['install', '--prefix', folder, ...options, ...packages], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Runs the check of a peer dependency by a runtime, given as a command; returns the version that was tried. */
export function checkPeer(folder, [command, ...args], { check, args: own = [], redis: needsRedis }, redisUrl) {
  const { status, signal, stdout, stderr, error } = spawnSync(
    command,
    [...args, check, ...own, ...(needsRedis ? [redisUrl] : [])],
    { cwd: folder, encoding: 'utf8', timeout: LIMIT },
  );
  if (error || status !== 0)
    throw new Error(`${check} failed (${error?.code ?? signal ?? `status ${status}`})\n${stdout}${stderr}`);
  return stdout.trim();
}
