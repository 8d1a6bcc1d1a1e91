import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entries, manifest, specifierOf } from '../packed.mjs';

const LIMIT = 120_000;
const OPTIONS = '--noEmit --strict --target es2022 --module nodenext --types node --skipLibCheck false'.split(' ');

/**
 * Compiles an import of every entry by the TypeScript that was installed in `home`, and the declarations with it.
 * Returns what passed. The faults of other packages' declarations are theirs.
 */
export function checkEntriesInTypeScript(folder, home) {
  const files = ['entries.mts', 'entries.cts'];
  const imports = entries.map((entry, i) => `import * as e${i} from '${specifierOf(entry)}';\nexport { e${i} };\n`);
  for (const file of files) writeFileSync(join(folder, file), imports.join(''));
  const compiler = join(home, 'node_modules/.bin/tsc');
  const { status, stdout, stderr } = spawnSync(compiler, [...OPTIONS, ...files], {
    cwd: folder,
    encoding: 'utf8',
    timeout: LIMIT,
  });
  const ours = ['error', 'entries.', `node_modules/${manifest.name}/`];
  const faults = stdout.split('\n').filter((line) => ours.some((beginning) => line.startsWith(beginning)));
  if (status === null || stderr !== '' || faults.length > 0)
    throw new Error(faults.join('\n') || stderr || 'no answer');
  return `${entries.length} entries, imported and required`;
}
