// Packs the library once, for all checks of it: node_modules/.cache/package.tgz. Nothing is linted meanwhile, since
// scripts/folders.mjs writes folders into the root that have the names of packages.
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { pack } from './packed.mjs';
import { root } from './run.mjs';

const folder = join(root, 'node_modules/.cache');
mkdirSync(folder, { recursive: true });
renameSync(pack(folder), join(folder, 'package.tgz'));
