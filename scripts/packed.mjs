import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { root } from './run.mjs';

export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');

/** `rx-fresh-token/oauth` for `./oauth`. */
export const specifierOf = (entry) => manifest.name + entry.slice(1);

/**
 * A user's project: the packed tarball beside links to its declared dependencies and to `others`, and nothing else.
 * `use` is given its folder, which is gone when that has ended. Without a `tarball`, the library is packed for it.
 */
export async function inUsersProject(use, { others = [], tarball } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-smoke-'));
  try {
    install(folder, others, tarball ? resolve(tarball) : pack(folder));
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const run = (folder, command, ...args) =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** Packs the library into the folder; returns the tarball's path. */
export function pack(folder) {
  const [{ filename }] = JSON.parse(
    run(folder, 'npm', 'pack', root, '--json', '--loglevel=error', '--foreground-scripts=false'),
  );
  return join(folder, filename);
}

function install(folder, others, tarball) {
  const target = join(folder, 'node_modules', manifest.name);
  mkdirSync(target, { recursive: true });
  run(folder, 'tar', '-xzf', tarball, '--strip-components=1', '-C', target);
  // Angular's packages are compiled in part; out of an Angular build, the compiler does the rest.
  for (const name of [
    ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    '@angular/compiler',
    ...others,
  ]) {
    const source = join(root, 'node_modules', name);
    const link = join(folder, 'node_modules', name);
    if (!existsSync(source) || existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(source, link, 'junction');
  }
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
}
