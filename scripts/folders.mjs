// For tools that do not read `exports` (Parcel's defaults, Metro before 0.82, TypeScript's node10): a folder with a
// package.json for each entry beside the root. They are here while the package is packed: `prepack` writes them, and
// `postpack` removes them (`--remove`).
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entries, manifest } from './packed.mjs';
import { root } from './run.mjs';

const above = (file) => {
  if (!existsSync(join(root, file))) throw new Error(`${file} is named in the exports, but was not built`);
  return file.replace('./', '../');
};

const folders = entries
  .filter((entry) => entry !== '.')
  .map((entry) => {
    const { import: esm, require: cjs } = manifest.exports[entry];
    return {
      folder: join(root, entry),
      fields: { main: above(cjs.default), module: above(esm.default), types: above(cjs.types), sideEffects: false },
    };
  });

for (const { folder, fields } of folders) {
  const file = join(folder, 'package.json');
  if (process.argv.includes('--remove')) {
    // Another `npm pack` may have removed it.
    rmSync(file, { force: true });
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
  } else {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, `${JSON.stringify(fields, null, 2)}\n`);
  }
}
