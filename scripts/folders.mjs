// For tools that do not read `exports` (Parcel's defaults, Metro before 0.82, TypeScript's node10): a folder with a
// package.json for each entry beside the root. They are here while the package is packed: `prepack` writes them, and
// `postpack` removes them (`--remove`).
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entries, manifest } from './packed.mjs';
import { root } from './run.mjs';

const above = (file) => {
  if (!existsSync(join(root, file))) throw new Error(`${file} is named in the exports, but was not built`);
  return file.replace('./', '../');
};

for (const entry of entries.filter((each) => each !== '.')) {
  const folder = join(root, entry);
  const file = join(folder, 'package.json');
  if (process.argv.includes('--remove')) {
    rmSync(file);
    // Not what else may be in it.
    rmdirSync(folder);
    continue;
  }
  const { import: esm, require: cjs } = manifest.exports[entry];
  const fields = { main: above(cjs.default), module: above(esm.default), types: above(cjs.types), sideEffects: false };
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(fields, null, 2)}\n`);
}
