// The packed package on every runtime that it supports, and its kit in Vitest, each fetched from npm. By hand: `npm run runtimes [name …]`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inUsersProject } from './packed.mjs';
import { runNode, root } from './run.mjs';
import { checkBehaviour, checkNames } from './smoke/checks.mjs';
import { checkGuideInVitest } from './smoke/vitest.mjs';

const runtimes = {
  'Node 20': { package: 'node@20', bin: 'node', args: [] },
  'Node 22': { package: 'node@22', bin: 'node', args: [] },
  'Node 24': { package: 'node@24', bin: 'node', args: [] },
  'Node 26': { package: 'node@26', bin: 'node', args: [] },
  Bun: { package: 'bun@1', bin: 'bun', args: ['run'] },
  Deno: { package: 'deno@2', bin: 'deno', args: ['run', '--allow-all', '--no-prompt', '--node-modules-dir=manual'] },
  Vitest: {
    package: 'vitest@3',
    bin: 'vitest',
    args: [],
    check: (folder, home) => `${checkGuideInVitest(folder, home)} tests of docs/testing.md`,
  },
};

function checkPackage(folder, command) {
  checkNames(folder, command);
  return `all names, ${checkBehaviour(folder, command)} checks of behaviour, ESM and CJS`;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in runtimes));
if (unknown.length > 0) {
  console.error(`no such runtime: ${unknown.join(', ')}; there are ${Object.keys(runtimes).join(', ')}`);
  process.exit(1);
}

if ((await runNode([join(root, 'scripts/build.mjs')])) !== 0) process.exit(1);

let failed = 0;
await inUsersProject((folder) => {
  for (const [name, { package: wantedPackage, bin, args, check }] of Object.entries(runtimes)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const home = mkdtempSync(join(tmpdir(), 'rx-fresh-token-runtime-'));
    try {
      execFileSync(
        'npm',
        [
          'install',
          '--prefix',
          home,
          '--no-save',
          '--no-audit',
          '--no-fund',
          '--loglevel=error',
          '--foreground-scripts',
          wantedPackage,
        ],
        { stdio: ['ignore', 'ignore', 'inherit'] },
      );
      const command = [join(home, 'node_modules/.bin', bin), ...args];
      const version = execFileSync(command[0], ['--version'], { encoding: 'utf8' }).split('\n')[0];
      const checked = check ? check(folder, home) : checkPackage(folder, command);
      console.log(`ok      ${name} (${version}): ${checked}`);
    } catch (error) {
      failed++;
      console.log(`FAILED  ${name}: ${error.message}`);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }
});
process.exitCode = failed === 0 ? 0 : 1;
