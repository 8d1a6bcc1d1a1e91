// Packs the library as it would be published, installs it into the order desk with everything else that it needs, and
// builds it by the Angular CLI: `node examples/angular/prepare.mjs [folder] [configuration …]`. A folder of its own is
// filled with a copy of the application first. Answers with the folder of each build, one a line.
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = resolve(here, '../..');

const readIfThere = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);

const environment = { ...process.env, NG_CLI_ANALYTICS: 'false' };

export async function prepare(folder = here, configurations = ['']) {
  const run = (command, ...args) =>
    execFileSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: environment,
    });
  if (resolve(folder) !== resolve(here)) {
    mkdirSync(folder, { recursive: true });
    rmSync(join(folder, 'src'), { recursive: true, force: true });
    for (const name of ['package.json', 'angular.json', 'tsconfig.json', 'src'])
      cpSync(join(here, name), join(folder, name), { recursive: true });
  }
  const [{ filename }] = JSON.parse(
    run('npm', 'pack', root, '--json', '--loglevel=error', '--foreground-scripts=false'),
  );
  renameSync(join(folder, filename), join(folder, 'rx-fresh-token.tgz'));

  // npm is slow: it installs only if the library or the application needs other packages than before. A library that has
  // changed is unpacked over the old one.
  const library = join(folder, 'node_modules/rx-fresh-token');
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const needs = JSON.stringify([readFileSync(join(folder, 'package.json'), 'utf8'), dependencies, peerDependencies]);
  const stamp = join(folder, 'node_modules/.order-desk');
  if (readIfThere(stamp) !== needs) {
    process.stderr.write('Installing Angular and the packed library …\n');
    // Of the same name and version, so npm would keep the old one.
    rmSync(join(folder, 'node_modules/.package-lock.json'), { force: true });
    rmSync(library, { recursive: true, force: true });
    run(
      'npm',
      'install',
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--loglevel=error',
    );
    writeFileSync(stamp, needs);
  } else {
    rmSync(library, { recursive: true, force: true });
    mkdirSync(library);
    run('tar', '-xzf', 'rx-fresh-token.tgz', '--strip-components=1', '-C', library);
  }
  process.stderr.write('Building the order desk …\n');
  return Promise.all(
    configurations.map(async (configuration) => {
      const chosen = configuration ? ['-c', configuration] : [];
      try {
        await promisify(execFile)(process.execPath, ['node_modules/@angular/cli/bin/ng.js', 'build', ...chosen], {
          cwd: folder,
          env: environment,
        });
      } catch (error) {
        throw new Error(`ng build ${chosen.join(' ')}\n${error.stdout}${error.stderr}`, { cause: error });
      }
      return join(folder, 'dist', configuration || 'zoneless');
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, ...configurations] = process.argv.slice(2);
  console.log((await prepare(folder, configurations.length > 0 ? configurations : undefined)).join('\n'));
}
