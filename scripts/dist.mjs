// Preload for examples and benchmarks: `node --import ./scripts/dist.mjs examples/demo/main.ts`.
// They import the package by its name, and so run against dist, which is built first when it is absent or older than the sources.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { root, runNode } from './run.mjs';

const modified = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;

function isStale() {
  const inputs = ['tsconfig.json', 'tsconfig.esm.json', 'tsconfig.cjs.json', 'scripts/build.mjs'];
  const sources = readdirSync(join(root, 'src'), { recursive: true }).map((path) => join('src', path));
  const built = Math.min(modified('dist/esm/package.json'), modified('dist/cjs/package.json'));
  return [...inputs, 'src', ...sources].some((path) => modified(path) > built);
}

try {
  import.meta.resolve('tsx');
} catch {
  process.stderr.write('error: what this needs is not installed: run "npm ci" first\n');
  process.exit(1);
}

if (isMainThread && isStale()) {
  process.stderr.write('Building rx-fresh-token …\n');
  const code = await runNode([join(root, 'scripts/build.mjs')], { stdio: ['ignore', 2, 2] });
  if (code !== 0) process.exit(code);
}

// A reader may go away, as in `npm start | head`. What runs goes on: it may have records to deliver.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});

// Without this, tsx would follow the `paths` of tsconfig.json to the sources.
process.env.TSX_TSCONFIG_PATH = join(root, 'tsconfig.run.json');
await import('tsx');
