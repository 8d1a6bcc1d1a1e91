// The public types of every entry, as text: api/<entry>.txt. `npm run api` writes them; with --check it says what differs.
// A changed option or return type shows as a diff, where spec/publicNames.json shows names only.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { entries, manifest } from './packed.mjs';
import { root } from './run.mjs';

const folder = join(root, 'api');
const printer = ts.createPrinter({ removeComments: true });

/** The declarations that an entry reaches, file after file, without comments. */
function reportOf(index) {
  const seen = new Set();
  const parts = [];
  const visit = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
    const imports = source.statements.map(({ moduleSpecifier }) => moduleSpecifier?.text).filter(Boolean);
    parts.push(`// ${relative(join(root, 'dist/esm'), file)}\n${printer.printFile(source)}`);
    for (const name of imports) if (name.startsWith('.')) visit(resolve(dirname(file), name.replace(/\.js$/, '.d.ts')));
  };
  visit(index);
  return parts.join('\n');
}

mkdirSync(folder, { recursive: true });
const changed = entries.filter((entry) => {
  const file = join(folder, `${entry === '.' ? 'index' : entry.slice(2)}.txt`);
  const report = reportOf(join(root, manifest.exports[entry].import.types));
  if (existsSync(file) && readFileSync(file, 'utf8') === report) return false;
  if (!process.argv.includes('--check')) writeFileSync(file, report);
  return true;
});
if (process.argv.includes('--check') && changed.length > 0) {
  console.error(`The public types of ${changed.join(', ')} have changed: look at them, and run "npm run api".`);
  process.exitCode = 1;
}
