// Reads [{ filePath, code, others }] from stdin, and writes the names of all rules on imports, and of those that each file breaks.
// A process of its own, because dependency-cruiser is an ES module. The files lie in a tree of their own, beside empty
// files for what they import; a path that several plants need has one of them in each tree.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';
import { cruise } from 'dependency-cruiser';

const root = join(import.meta.dirname, '../..');
const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
const { enhancedResolveOptions, tsPreCompilationDeps, doNotFollow } = options;

const plants = JSON.parse(await text(process.stdin)).map(({ filePath, ...plant }, index) => ({
  ...plant,
  index,
  filePath: filePath.replace(/\/a\.ts$/, `/a${index}.ts`),
}));

const trees = [];
for (const plant of plants) {
  const free = trees.find((tree) => !tree.some(({ filePath }) => filePath === plant.filePath));
  if (free) free.push(plant);
  else trees.push([plant]);
}

function write(base, plants) {
  const files = new Map();
  for (const { filePath, code } of plants)
    for (const [, target] of code.matchAll(/'(\.[^']+)\.js'/g))
      files.set(`${normalize(join(dirname(filePath), target))}.ts`, 'export {};\n');
  for (const { filePath, code, others = {} } of plants)
    for (const [path, content] of [[filePath, code], ...Object.entries(others)]) files.set(path, content);
  for (const [path, content] of files) {
    mkdirSync(join(base, dirname(path)), { recursive: true });
    writeFileSync(join(base, path), content);
  }
  symlinkSync(join(root, 'node_modules'), join(base, 'node_modules'));
}

const broken = plants.map(() => new Set());
for (const tree of trees) {
  const baseDir = mkdtempSync(join(tmpdir(), 'borders-'));
  try {
    write(baseDir, tree);
    const folders = [...new Set(tree.map(({ filePath }) => filePath.split('/')[0]))];
    const { output } = await cruise(
      folders,
      { tsPreCompilationDeps, doNotFollow, baseDir, validate: true, ruleSet: { forbidden } },
      enhancedResolveOptions,
    );
    for (const { from, rule } of output.summary.violations)
      for (const { filePath, index } of tree) if (from === filePath) broken[index].add(rule.name);
  } finally {
    rmSync(baseDir, { recursive: true });
  }
}
process.stdout.write(
  JSON.stringify({ rules: forbidden.map(({ name }) => name), broken: broken.map((names) => [...names].sort()) }),
);
