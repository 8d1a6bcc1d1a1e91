// All specs that watch over what is mutated, in one file: a mutant costs the loading of one file, and not of the module
// graph of a hundred specs. Small specs first, of which the model is one: they notice most. Those that wait for real
// time last.
import { buildSync } from 'esbuild';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The specs of a folder, or one spec: `http`, `http/redirects`. */
const specsIn = (name) => {
  const path = join(here, '..', name);
  if (existsSync(`${path}-spec.ts`)) return [`${path}-spec.ts`];
  return readdirSync(path)
    .filter((file) => file.endsWith('-spec.ts'))
    .map((file) => join(path, file));
};

// These load modules anew, mock them, or start processes: a bundle has each module once.
const needsModules = (file) =>
  /jest\.(isolateModules|resetModules|doMock|mock)|__dirname/.test(readFileSync(file, 'utf8'));

/** These take two thirds of the time of all. */
const SLOW = /(httpClient|garbageCollection|createFetch|policy|clock)-spec\.ts$/;

const sorted = (names) =>
  names
    .flatMap(specsIn)
    .filter((file) => !needsModules(file))
    .sort((a, b) => statSync(a).size - statSync(b).size);
const all = sorted(['model/model', 'token', 'answers', 'internal', 'guarantees', 'http']);

/** `MUTATION_SPECS='http/proof http'`: those that watch over the files of `--mutate`, the nearest first. */
const chosen = process.env.MUTATION_SPECS?.split(' ').flatMap((name) => sorted([name]));
const specs = [
  ...new Set(chosen ?? [...all.filter((file) => !SLOW.test(file)), ...all.filter((file) => SLOW.test(file))]),
];

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
