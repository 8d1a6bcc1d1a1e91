import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run.mjs';

/**
 * Moves what stands under `[Unreleased]` below the version and the day.
 *
 * @param day as in `2026-11-28`
 */
export function releaseOf(changelog, version, day) {
  const heading = '## [Unreleased]\n';
  const [before, after] = changelog.split(heading);
  if (after === undefined) throw new Error('CHANGELOG.md has no [Unreleased]');
  if (changelog.includes(`## [${version}]`)) throw new Error(`CHANGELOG.md has ${version} already`);
  if (/^\s*(## |$)/.test(after)) throw new Error('CHANGELOG.md has nothing under [Unreleased]');
  return `${before}${heading}\n## [${version}] - ${day}\n${after}`;
}

// `npm version minor` calls it, after it has set the version and before it commits and tags.
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = join(root, 'CHANGELOG.md');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(file, releaseOf(readFileSync(file, 'utf8'), version, new Date().toISOString().slice(0, 10)));
}
