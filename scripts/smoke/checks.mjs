import { execFile } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { entries, manifest, specifierOf } from '../packed.mjs';
import { root } from '../run.mjs';

/** Longer than any check takes: a process that is kept alive by a timer of ours never ends. */
const LIMIT = 60_000;

const expected = JSON.parse(readFileSync(join(root, 'spec/publicNames.json'), 'utf8'));

/** Runs a file of the user's project with a runtime, given as a command; resolves to what it prints. */
export async function run(folder, [command, ...args], file) {
  try {
    const { stdout } = await promisify(execFile)(command, [...args, file], { cwd: folder, timeout: LIMIT });
    return stdout;
  } catch (error) {
    const how = error.signal ?? (typeof error.code === 'number' ? `status ${error.code}` : error.code);
    throw new Error(`${file} failed (${how})\n${error.stdout ?? ''}${error.stderr ?? ''}`, { cause: error });
  }
}

/** Every entry has the listed names and no other, imported and required. */
export async function checkNames(folder, runtime) {
  const specifiers = JSON.stringify(entries.map(specifierOf));
  // By its path, an entry is found without `exports`.
  const paths = JSON.stringify(entries.map((entry) => `./node_modules/${specifierOf(entry)}`));
  writeFileSync(
    join(folder, 'names.mjs'),
    `import '@angular/compiler';\nconst out = [];\nfor (const name of ${specifiers}) out.push(Object.keys(await import(name)));\nconsole.log(JSON.stringify(out));\n`,
  );
  for (const [file, list] of Object.entries({ 'names.cjs': specifiers, 'paths.cjs': paths }))
    writeFileSync(
      join(folder, file),
      `require('@angular/compiler');\nconsole.log(JSON.stringify(${list}.map((name) => Object.keys(require(name)))));\n`,
    );
  for (const file of ['names.mjs', 'names.cjs', 'paths.cjs']) {
    const lists = JSON.parse(await run(folder, runtime, file));
    entries.forEach((entry, index) => {
      const wanted = JSON.stringify([...(expected[entry] ?? [])].sort());
      const found = JSON.stringify(
        lists[index].filter((name) => name !== 'default' && name !== 'module.exports').sort(),
      );
      if (found !== wanted)
        throw new Error(
          `${file}: names of ${entry}\n  found    ${found}\n  expected ${wanted} (spec/publicNames.json)`,
        );
    });
  }
}

/**
 * It does what it should in both formats, and then the process ends by itself. Resolves to how many checks that were.
 * The formats and the runtimes are tried at the same time, as these checks mostly wait.
 */
export async function checkBehaviour(folder, ...runtimes) {
  copyFileSync(join(root, 'scripts/smoke/behaviour.cjs'), join(folder, 'behaviour.cjs'));
  const others = ['oauth', 'testing', 'file', 'pool', 'otel'];
  const names = ['rx-fresh-token', ...others.map((name) => `rx-fresh-token/${name}`), 'rxjs'];
  const variables = ['library', ...others, 'rxjs'];
  const call = `behave(library, { ${others.join(', ')}, rxjs }).then((count) => console.log(count))`;
  writeFileSync(
    join(folder, 'behave.mjs'),
    `import behave from './behaviour.cjs';\n${names.map((name, index) => `import * as ${variables[index]} from '${name}';\n`).join('')}await ${call};\n`,
  );
  writeFileSync(
    join(folder, 'behave.cjs'),
    `const behave = require('./behaviour.cjs');\n${names.map((name, index) => `const ${variables[index]} = require('${name}');\n`).join('')}${call};\n`,
  );
  const counts = await Promise.all(
    runtimes.flatMap((runtime) => ['behave.mjs', 'behave.cjs'].map((file) => run(folder, runtime, file).then(Number))),
  );
  if (!(counts[0] > 0 && new Set(counts).size === 1))
    throw new Error(`${counts.join(', ')} checks of behaviour were made`);
  return counts[0];
}

/** The packed command serves a request with a token, and ends when it is asked to. */
export async function checkCommand(folder, runtime) {
  const command = join(folder, 'node_modules', manifest.name, manifest.bin[manifest.name]);
  if (!readFileSync(command, 'utf8').startsWith('#!/usr/bin/env node\n')) throw new Error(`${command} is no command`);
  writeFileSync(join(folder, 'secret'), 'secret\n');
  writeFileSync(
    join(folder, 'command.mjs'),
    `import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startTokenServer } from 'rx-fresh-token/testing';
const server = await startTokenServer({ lifetime: 60_000 });
const child = spawn(process.execPath, [${JSON.stringify(command)}, 'proxy', '--to', server.origin,
  '--token-endpoint', server.tokenUrl, '--client-id', 'orders', '--client-secret-file', 'secret'], { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = once(child, 'exit');
const [line] = await once(createInterface(child.stdout), 'line');
const { token } = await (await fetch(line.split(' ').at(-1) + '/orders')).json();
child.kill('SIGTERM');
const [status] = await ended;
await server.close();
console.log(JSON.stringify([token, status]));
`,
  );
  const told = (await run(folder, runtime, 'command.mjs')).trim();
  if (told !== '["token-1",0]') throw new Error(`the command: ${told}`);
}
