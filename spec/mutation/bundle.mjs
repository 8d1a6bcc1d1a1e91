// All specs that watch over what is mutated, in one file: a mutant costs the loading of one file, and not of the module
// graph of a hundred specs. The model first, then small specs: they notice most. Those that wait for real time last.
import { buildSync } from 'esbuild';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const specsIn = (folder) => {
  const path = join(here, '..', folder);
  return readdirSync(path)
    .filter((name) => name.endsWith('-spec.ts'))
    .map((name) => join(path, name));
};

// These load modules anew, mock them, or start processes: a bundle has each module once.
const needsModules = (file) =>
  /jest\.(isolateModules|resetModules|doMock|mock)|__dirname/.test(readFileSync(file, 'utf8'));

/** These take two thirds of the time of all. */
const SLOW = /(httpClient|garbageCollection|createFetch|policy|clock)-spec\.ts$/;

const sorted = ['token', 'answers', 'internal', 'guarantees', 'http']
  .flatMap(specsIn)
  .filter((file) => !needsModules(file))
  .sort((a, b) => statSync(a).size - statSync(b).size);
const model = join(here, '../model/model-spec.ts');
const specs = [model, ...sorted.filter((file) => !SLOW.test(file)), ...sorted.filter((file) => SLOW.test(file))];

const entry = specs.map((file) => {
  const name = JSON.stringify(relative(join(here, '..'), file));
  return `describe(${name}, () => void require(${JSON.stringify(file)}));`;
});

buildSync({
  stdin: {
    // Enough of the model to notice what the examples do not: 300 histories, since this file has half of them. That a
    // mutant is noticed is enough: a shorter history is not looked for.
    contents: [
      "process.env.MODEL_RUNS ??= '600';",
      "require('fast-check').configureGlobal({ endOnFailure: true });",
      "require('./unhandled.cjs');",
      ...entry,
    ].join('\n'),
    resolveDir: here,
  },
  outfile: join(here, 'everything.bundle.cjs'),
  bundle: true,
  platform: 'node',
  target: 'node20',
  external: ['@jest/globals'],
  tsconfig: join(here, '../../tsconfig.json'),
  // Jest runs it as a script, which has no `import()`.
  supported: { 'dynamic-import': false },
  logLevel: 'error',
});
