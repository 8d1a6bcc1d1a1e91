import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entries, manifest, specifierOf } from '../packed.mjs';
import { root } from '../run.mjs';

/** Longer than any check takes: a process that is kept alive by a timer of ours never ends. */
const LIMIT = 60_000;

const expected = JSON.parse(readFileSync(join(root, 'spec/publicNames.json'), 'utf8'));

/** Runs a file of the user's project with a runtime, given as a command; returns what it prints. */
export function run(folder, [command, ...args], file) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, [...args, file], {
    cwd: folder,
    encoding: 'utf8',
    timeout: LIMIT,
  });
  if (error || status !== 0)
    throw new Error(`${file} failed (${error?.code ?? signal ?? `status ${status}`})\n${stdout}${stderr}`);
  return stdout;
}

/** Every entry has the listed names and no other, imported and required. */
export function checkNames(folder, runtime) {
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
    const lists = JSON.parse(run(folder, runtime, file));
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

/** It does what it should in both formats, and then the process ends by itself. Returns how many checks that were. */
export function checkBehaviour(folder, runtime) {
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
  const [first, second] = ['behave.mjs', 'behave.cjs'].map((file) => Number(run(folder, runtime, file)));
  if (!(first > 0 && first === second)) throw new Error(`${first} and ${second} checks of behaviour were made`);
  return first;
}

/** The packed command serves a request with a token, and ends when it is asked to. */
export function checkCommand(folder, runtime) {
  const command = join(folder, 'node_modules', manifest.name, manifest.bin[manifest.name]);
  if (!readFileSync(command, 'utf8').startsWith('#!/usr/bin/env node\n')) throw new Error(`${command} is no command`);
  writeFileSync(join(folder, 'secret'), 'secret\n');
  writeFileSync(
    join(folder, 'command.mjs'),
    `import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startTokenServer } from 'rx-fresh-token/testing';
const server = await startTokenServer();
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
  const told = run(folder, runtime, 'command.mjs').trim();
  if (told !== '["token-1",0]') throw new Error(`the command: ${told}`);
}
