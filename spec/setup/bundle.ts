import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

export interface Bundle {
  readonly file: string;
  readonly remove: () => void;
}

/**
 * A program of TypeScript as JavaScript: for a spec that starts it often. A start through tsx takes a second of a
 * processor, and one that resolves the modules of rxjs and of a Redis client half a second.
 *
 * With `packages` external, the program finds its packages among node_modules, where it lies.
 */
export function bundle(main: string, packages: 'bundle' | 'external' = 'bundle'): Bundle {
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'spec-'));
  execFileSync(join(ROOT, 'node_modules/.bin/esbuild'), [
    main,
    '--bundle',
    '--splitting',
    '--platform=node',
    '--format=esm',
    `--packages=${packages}`,
    // What is bundled of CommonJS requires Node's own modules.
    '--banner:js=import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    `--tsconfig=${join(ROOT, 'tsconfig.json')}`,
    `--outdir=${folder}`,
    '--out-extension:.js=.mjs',
    '--log-level=error',
  ]);
  return {
    file: join(folder, basename(main).replace(/\.ts$/, '.mjs')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
