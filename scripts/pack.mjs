// Packs the library once, for all checks of `npm run package`: node_modules/.cache/package.tgz.
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { pack } from './packed.mjs';
import { root } from './run.mjs';

const folder = join(root, 'node_modules/.cache');
mkdirSync(folder, { recursive: true });
renameSync(pack(folder), join(folder, 'package.tgz'));
