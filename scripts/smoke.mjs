// Installs the packed tarball beside links to its declared dependencies, and nothing else, then uses it as its users do.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bin, root } from './run.mjs';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const expected = JSON.parse(readFileSync(join(root, 'spec/publicNames.json'), 'utf8'));
const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');

const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-smoke-'));
const run = (command, ...args) => execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

function install() {
  const [{ filename }] = JSON.parse(run('npm', 'pack', root, '--json', '--loglevel=error'));
  const target = join(folder, 'node_modules', manifest.name);
  mkdirSync(target, { recursive: true });
  run('tar', '-xzf', filename, '--strip-components=1', '-C', target);
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const source = join(root, 'node_modules', name);
    if (!existsSync(source)) continue;
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(source, link, 'junction');
  }
}

function checkNames(format, entry, names) {
  const wanted = JSON.stringify([...(expected[entry] ?? [])].sort());
  const found = JSON.stringify(names.filter((name) => name !== 'default' && name !== 'module.exports').sort());
  if (found !== wanted) throw new Error(`${format} names of ${entry}\n  found    ${found}\n  expected ${wanted} (spec/publicNames.json)`);
}

function checkRuntime() {
  const specifiers = entries.map((entry) => manifest.name + entry.slice(1));
  writeFileSync(join(folder, 'use.mjs'), `const out = [];\nfor (const name of ${JSON.stringify(specifiers)}) out.push(Object.keys(await import(name)));\nconsole.log(JSON.stringify(out));\n`);
  writeFileSync(join(folder, 'use.cjs'), `console.log(JSON.stringify(${JSON.stringify(specifiers)}.map((name) => Object.keys(require(name)))));\n`);
  for (const format of ['mjs', 'cjs']) {
    const names = JSON.parse(run(process.execPath, `use.${format}`));
    entries.forEach((entry, index) => checkNames(format, entry, names[index]));
  }
}

function checkTypes() {
  const code = entries.map((entry, index) => `import * as entry${index} from '${manifest.name}${entry.slice(1)}';\nexport { entry${index} };\n`).join('');
  writeFileSync(join(folder, 'types.mts'), code);
  writeFileSync(join(folder, 'types.cts'), code);
  const compilerOptions = { strict: true, noEmit: true, target: 'es2022', lib: ['es2022', 'dom', 'dom.iterable'], module: 'node16', types: [], skipDefaultLibCheck: true, skipLibCheck: false };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.mts', 'types.cts'] }));
  try {
    run(process.execPath, bin.tsc, '-p', '.');
  } catch (error) {
    throw new Error(`the declarations do not compile in a user's project\n${error.stdout}`, { cause: error });
  }
}

try {
  install();
  checkRuntime();
  checkTypes();
  console.log(`packed, installed, imported, required and compiled: ${entries.join(', ')}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
