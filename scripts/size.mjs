import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './run.mjs';

// The goal is 6 kB; what the guarantees cost today is more, and must not grow unnoticed.
const goal = 6 * 1024;
const limit = 12 * 1024;
const entry = join(root, 'dist/esm/index.js');

async function bundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    external: ['rxjs', 'cross-fetch'],
    logLevel: 'error',
  });
  return outputFiles[0].contents;
}

const failures = [];

const minified = await bundle(`export * from ${JSON.stringify(entry)};`);
const bytes = gzipSync(minified, { level: 9 }).length;
console.log(
  `root entry for browsers, without rxjs: ${bytes} bytes minified and gzipped (${minified.length} minified), limit ${limit}, goal ${goal}`,
);
if (bytes > limit) failures.push(`the root entry is ${bytes - limit} bytes over its limit`);

const names = Object.keys(await import(entry));
for (const unused of [
  `import ${JSON.stringify(entry)};`,
  ...names.map((name) => `import { ${name} } from ${JSON.stringify(entry)};`),
]) {
  const rest = Buffer.from(await bundle(unused))
    .toString()
    .trim();
  if (rest !== '') failures.push(`${unused} leaves ${rest.length} bytes behind: ${rest.slice(0, 80)}`);
}
if (failures.length === 0) console.log(`unused imports of any of its ${names.length} names bundle to nothing`);

for (const failure of failures) console.error(failure);
process.exitCode = failures.length === 0 ? 0 : 1;
