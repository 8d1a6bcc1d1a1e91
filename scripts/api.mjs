// The public types of every entry, as text: api/<entry>.txt. `npm run api` writes them; with --check it says what differs.
// A changed option or return type shows as a diff, where spec/publicNames.json shows names only.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { entries, manifest } from './packed.mjs';
import { root } from './run.mjs';

const folder = join(root, 'api');
const dist = join(root, 'dist/esm/');
const printer = ts.createPrinter({ removeComments: true });
const indexOf = (entry) => join(root, manifest.exports[entry].import.types);
const program = ts.createProgram(entries.map(indexOf), { module: ts.ModuleKind.NodeNext, noLib: true, types: [] });
const checker = program.getTypeChecker();

/** The names that an entry exports, and every declaration that they lead to, without comments. */
function reportOf(entry) {
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(indexOf(entry))));
  const texts = new Map();
  const visit = (symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const statements = statementsOf(target);
    if (statements.length === 0 || texts.has(target)) return;
    texts.set(target, statements.map(print).join('\n'));
    statements.forEach(visitNames);
  };
  const visitNames = (node) => {
    const symbol = ts.isIdentifier(node) && checker.getSymbolAtLocation(node);
    if (symbol) visit(symbol);
    ts.forEachChild(node, visitNames);
  };
  exported.forEach(visit);
  const names = exported.map(({ name }) => `    ${name},\n`).sort();
  const declarations = [...texts].sort(([one], [other]) => (one.name < other.name ? -1 : 1)).map(([, text]) => text);
  return `${[`export {\n${names.join('')}};`, ...declarations].join('\n\n')}\n`;
}

const print = (node) => printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());

/** The statements of this package that declare a name. */
const statementsOf = ({ declarations = [] }) =>
  declarations
    .map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node))
    .filter((node) => ts.isSourceFile(node.parent) && node.getSourceFile().fileName.startsWith(dist));

mkdirSync(folder, { recursive: true });
const changed = entries.filter((entry) => {
  const file = join(folder, `${entry === '.' ? 'index' : entry.slice(2)}.txt`);
  const report = reportOf(entry);
  if (existsSync(file) && readFileSync(file, 'utf8') === report) return false;
  if (!process.argv.includes('--check')) writeFileSync(file, report);
  return true;
});
if (process.argv.includes('--check') && changed.length > 0) {
  console.error(`The public types of ${changed.join(', ')} have changed: look at them, and run "npm run api".`);
  process.exitCode = 1;
}
