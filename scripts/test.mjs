import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, root, runNode } from './run.mjs';

let passed = 0;
let failed = 0;

async function gate(name, ...args) {
  const from = performance.now();
  const code = await runNode(args);
  const ok = code === 0;
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok' : 'FAILED'}  ${name} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
  return ok;
}

const script = (name) => join(root, 'scripts', `${name}.mjs`);

async function specs() {
  const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-jest-'));
  const file = join(folder, 'result.json');
  try {
    // Forced, because one worker runs in this process: a socket that some spec leaves behind must not keep it for ever.
    const code = await runNode([bin.jest, '--ci', '--forceExit', '--coverage', '--json', `--outputFile=${file}`]);
    const result = JSON.parse(readFileSync(file, 'utf8'));
    passed += result.numPassedTests;
    failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
    if (code !== 0 && failed === 0) failed++;
    return code === 0;
  } catch (error) {
    failed++;
    console.error(`The specs gave no result: ${error.message}`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const steps = [
  async () =>
    (
      await Promise.all([
        gate('format', bin.prettier, '--check', '.', '--log-level', 'warn'),
        gate('lint', bin.eslint, '.', '--max-warnings', '0'),
        gate('typecheck', bin.tsc, '-p', '.'),
      ])
    ).every(Boolean),
  specs,
  () => gate('build', script('build')),
  () => gate('types of the build', bin.tsc, '-p', 'tsconfig.run.json'),
  () => gate('publint', bin.publint, '--strict'),
  () => gate('attw', bin.attw, '--pack', '.'),
  () => gate('types in a Node project', script('consumer')),
  () => gate('size', script('size')),
  () => gate('smoke', script('smoke')),
];

for (const step of steps) if (!(await step())) break;

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
