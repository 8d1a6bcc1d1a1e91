// Uses the packed package as its users do, on this runtime: names, behaviour, declarations.
// `node scripts/smoke.mjs [tarball]`.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entries, inUsersProject, specifierOf } from './packed.mjs';
import { root, tsc } from './run.mjs';
import { checkBehaviour, checkCommand, checkNames } from './smoke/checks.mjs';
import { checkPonyfill } from './smoke/ponyfill.mjs';

/** Compiles files that import these entries, as ES modules and as CommonJS. */
function compile(folder, { esm, cjs, types }) {
  const code = (names) =>
    names
      .map((entry, index) => `import * as entry${index} from '${specifierOf(entry)}';\nexport { entry${index} };\n`)
      .join('');
  writeFileSync(join(folder, 'types.mts'), code(esm));
  writeFileSync(join(folder, 'types.cts'), code(cjs));
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'],
    module: 'node16',
    types,
    typeRoots: [join(root, 'node_modules/@types')],
    skipDefaultLibCheck: true,
    skipLibCheck: false,
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.mts', 'types.cts'] }));
  try {
    execFileSync(process.execPath, [tsc, '-p', '.'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (error) {
    throw new Error(`the declarations do not compile in a user's project\n${error.stdout}`, { cause: error });
  }
}

/** Their declarations need those of Node, which no other entry may need. */
const NODE_ENTRIES = ['./nest', './proxy'];

function checkTypes(folder) {
  const esm = entries.filter((entry) => !NODE_ENTRIES.includes(entry));
  // Angular's packages are ES modules, whose types TypeScript's node16 cannot require.
  compile(folder, { esm, cjs: esm.filter((entry) => entry !== './angular'), types: [] });
  compile(folder, { esm: NODE_ENTRIES, cjs: NODE_ENTRIES, types: ['node'] });
}

const [tarball] = process.argv.slice(2);
try {
  await inUsersProject(
    async (folder) => {
      const node = [process.execPath];
      await checkNames(folder, node);
      // The second: as on AWS Lambda, and as in Jest.
      const count = await checkBehaviour(folder, node, [...node, '--no-experimental-require-module']);
      await checkCommand(folder, node);
      await checkPonyfill(folder, node);
      checkTypes(folder);
      console.log(
        `packed, installed, imported, required and compiled: ${entries.join(', ')}; ${count} checks of behaviour in either format`,
      );
    },
    { tarball },
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
