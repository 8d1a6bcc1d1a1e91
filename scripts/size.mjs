import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './run.mjs';

// What an application pays for each import, minified and gzipped, without rxjs. The goals are of the second edition of
// docs/guarantees.md; the limits are what its guarantees cost today, and must not grow unnoticed. Bytes.
const imports = [
  { names: 'createTokenStream, withToken', limit: 17_527, goal: 7_680 },
  { names: 'createTokenStream, withToken, createFetch', limit: 21_300, goal: 9_728 },
  { names: '*', limit: 23_447 },
  { from: 'pool', names: '*', limit: 20_372 },
  { from: 'otel', names: '*', limit: 1_649 },
];
const fileOf = (from = '') => join(root, 'dist/esm', from, 'index.js');
const entry = fileOf();

async function bundle(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    external: ['rxjs'],
    logLevel: 'error',
  });
  return outputFiles[0].contents;
}

const failures = [];

for (const { from, names, limit, goal } of imports) {
  const exported = (names === '*' ? '*' : `{ ${names} }`) + (from ? ` of ${from}` : '');
  const minified = await bundle(`export ${names === '*' ? '*' : `{ ${names} }`} from ${JSON.stringify(fileOf(from))};`);
  const bytes = gzipSync(minified, { level: 9 }).length;
  const aim = goal === undefined ? '' : `, goal ${goal}`;
  console.log(`${exported}: ${bytes} bytes minified and gzipped (${minified.length} minified), limit ${limit}${aim}`);
  if (bytes > limit) failures.push(`${exported} is ${bytes - limit} bytes over its limit`);
}

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
