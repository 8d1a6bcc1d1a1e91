import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a script of the repository or of one of its packages with this Node; resolves to its exit status. */
export function runNode(args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? code : 1));
  });
}

export const bin = {
  tsc: join(root, 'node_modules/typescript/bin/tsc'),
  prettier: join(root, 'node_modules/prettier/bin/prettier.cjs'),
  eslint: join(root, 'node_modules/eslint/bin/eslint.js'),
  jest: join(root, 'node_modules/jest/bin/jest.js'),
  publint: join(root, 'node_modules/publint/src/cli.js'),
  attw: join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js'),
};
