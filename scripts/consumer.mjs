// Compiles every entry point and every snippet of the docs in a user's project: Node without the DOM library, strict,
// `exactOptionalPropertyTypes`, declarations checked. `node scripts/consumer.mjs [tarball]`.
import { readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import ts from 'typescript';
import { entries, inUsersProject, manifest, specifierOf } from './packed.mjs';
import { root } from './run.mjs';

const BROWSER_ENTRIES = ['./angular', './tabs'];
const BROWSER_PAGES = ['docs/angular.md', 'docs/tabs.md'];

const node = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts'],
  module: ts.ModuleKind.NodeNext,
  // The snippets of docs/testing.md are specs.
  types: ['node', 'jest'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  // As Nest's own projects are compiled: it injects into parameters of constructors.
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  esModuleInterop: true,
  skipLibCheck: false,
  noEmit: true,
};
/** Some projects have no ES2022: the declarations need none of its names. */
const oldest = { ...node, target: ts.ScriptTarget.ES2017, lib: ['lib.es2017.d.ts', 'lib.dom.d.ts'] };
const browser = { ...node, lib: [...node.lib, 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'], skipLibCheck: true };

/** Every ```ts block of the documents, with the line it begins at. */
function snippets() {
  const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)].flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(/^```ts\n(.*?)^```/gms)].map(({ 1: code, index }) => ({
      page,
      code,
      line: text.slice(0, index).split('\n').length,
      usesDom: BROWSER_PAGES.includes(page) || /\b(document|location)\b/.test(code),
    }));
  });
}

/** Writes the files into the folder of the project. The map leads from each path to the name that a report gives it. */
function write(folder, files) {
  const names = new Map();
  for (const [file, { name, code }] of Object.entries(files)) {
    writeFileSync(join(folder, file), code);
    names.set(join(folder, file), name);
  }
  return names;
}

const nodeEntries = entries.filter((entry) => !BROWSER_ENTRIES.includes(entry));
const importsOf = (list) =>
  list.map((entry, i) => `import * as e${i} from '${specifierOf(entry)}';\nexport { e${i} };\n`).join('');
const snippetFiles = (list) =>
  Object.fromEntries(
    list.map(({ page, line, code }, i) => [
      `snippet${i}.mts`,
      { name: (at) => `${page}:${line + at}`, code: `${code}\nexport {};\n` },
    ]),
  );

/**
 * What is wrong in the files, in this package's declarations, or with the program as a whole. Other packages' faults
 * are theirs: of their declarations, only what these files use is checked.
 */
function problemsOf(folder, names, options) {
  const program = ts.createProgram([...names.keys()], options, {
    ...ts.createCompilerHost(options),
    getCurrentDirectory: () => folder,
  });
  const own = join(folder, 'node_modules', manifest.name) + sep;
  const reported = program.getSourceFiles().filter(({ fileName }) => names.has(fileName) || fileName.startsWith(own));
  const diagnostics = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...reported.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  const problems = diagnostics.map((diagnostic) => {
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    const { file, start } = diagnostic;
    if (file === undefined) return text;
    const line = file.getLineAndCharacterOfPosition(start).line + 1;
    return `${names.get(file.fileName)?.(line) ?? `${relative(own, file.fileName)}:${line}`}: ${text}`;
  });
  for (const { fileName, text } of program.getSourceFiles()) {
    if (fileName.startsWith(own) && /^import (type )?(?!type )\w+(,| from)/m.test(text))
      problems.push(`${relative(own, fileName)}: a default import needs esModuleInterop in the user's project`);
  }
  const withDom = options.lib.includes('lib.dom.d.ts');
  if (!withDom && program.getSourceFiles().some(({ fileName }) => fileName.endsWith('/lib.dom.d.ts')))
    problems.push('a declaration brings the DOM library in (/// <reference lib="dom" />)');
  return problems;
}

const all = snippets();
const [tarball] = process.argv.slice(2);
await inUsersProject(
  (linked) => {
    const folder = realpathSync(linked);
    const entryFile = (format) => ({
      name: () => `import of every entry point (${format})`,
      code: importsOf(nodeEntries),
    });
    const inNode = write(folder, {
      'entries.mts': entryFile('ES module'),
      'entries.cts': entryFile('CommonJS'),
      ...snippetFiles(all.filter(({ usesDom }) => !usesDom)),
    });
    const problems = problemsOf(folder, inNode, node);
    const inOldest = write(folder, { 'oldest.mts': entryFile('ES2017') });
    problems.push(...problemsOf(folder, inOldest, oldest));
    const inBrowser = write(folder, snippetFiles(all.filter(({ usesDom }) => usesDom)));
    problems.push(...problemsOf(folder, inBrowser, browser));
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) process.exitCode = 1;
    console.log(`${nodeEntries.length} entry points and ${all.length} snippets compiled: ${problems.length} errors`);
  },
  { others: Object.keys(manifest.devDependencies), tarball },
);
