// The packed package on every runtime and with every peer dependency that it supports, its kit in Vitest, and its types
// in TypeScript, each fetched from npm. By hand: `npm run runtimes [name …]`, where a name is a runtime, a row or a
// tool. Prints tables in Markdown.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inUsersProject, manifest, pack } from './packed.mjs';
import { runNode, root } from './run.mjs';
import { checkBehaviour, checkNames } from './smoke/checks.mjs';
import { checkPeer, installPeer, npmInstall, peers } from './smoke/peers.mjs';
import { checkEntriesInTypeScript } from './smoke/typescript.mjs';
import { checkGuideInVitest } from './smoke/vitest.mjs';

const runtimes = {
  'Node 20': { package: 'node@20', bin: 'node', args: [] },
  'Node 22': { package: 'node@22', bin: 'node', args: [] },
  'Node 24': { package: 'node@24', bin: 'node', args: [] },
  'Node 26': { package: 'node@26', bin: 'node', args: [] },
  Bun: { package: 'bun@1', bin: 'bun', args: ['run'] },
  Deno: { package: 'deno@2', bin: 'deno', args: ['run', '--allow-all', '--no-prompt', '--node-modules-dir=manual'] },
};
const PACKAGE = 'every entry';
const tools = {
  'Vitest 3': { package: 'vitest@3', check: checkGuideInVitest },
  'Vitest 4': { package: 'vitest@4', check: checkGuideInVitest },
  'TypeScript 5': { package: 'typescript@5', check: checkEntriesInTypeScript },
  'TypeScript 6': { package: 'typescript@6', check: checkEntriesInTypeScript },
  'TypeScript 7': { package: 'typescript@7', check: checkEntriesInTypeScript },
};
const rowNames = [PACKAGE, ...Object.keys(peers)];

const wanted = process.argv.slice(2);
const known = [...Object.keys(runtimes), ...rowNames, ...Object.keys(tools)];
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no such runtime or row: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(1);
}
/** Those that were named; all if none was. */
const chosen = (names) => {
  const some = names.filter((name) => wanted.includes(name));
  return some.length > 0 ? some : names;
};
const wantsTools = wanted.length === 0 || wanted.some((name) => name in tools);
const onlyTools = wanted.length > 0 && wanted.every((name) => name in tools);

let failed = 0;
/** What `check` returns, for a cell of the table. A failure is told in full where it happens. */
async function cell(name, check) {
  try {
    const result = await check();
    console.error(`ok      ${name}: ${result}`);
    return result;
  } catch (error) {
    failed++;
    console.error(`FAILED  ${name}: ${error.message}`);
    return 'FAILED';
  }
}

/** Installs the runtimes side by side; returns how each is called, and its version. */
function installRuntimes(folder, names) {
  return names.map((name) => {
    const { package: fromNpm, bin, args } = runtimes[name];
    const home = join(folder, bin + name.replace(/\W/g, ''));
    mkdirSync(home);
    npmInstall(home, '--no-save', fromNpm);
    const command = [join(home, 'node_modules/.bin', bin), ...args];
    const [, version] = /(\d+\.\d+\.\d+)/.exec(execFileSync(command[0], ['--version'], { encoding: 'utf8' }));
    return { name, command, version };
  });
}

async function checkPackage(folder, command) {
  await checkNames(folder, command);
  return `${await checkBehaviour(folder, command)} checks`;
}

const packageRow = (installed) =>
  inUsersProject(async (folder) => {
    const cells = [];
    for (const { name, command } of installed)
      cells.push(await cell(`${PACKAGE}, ${name}`, () => checkPackage(folder, command)));
    return cells;
  });

function peerRow(row, installed, { home, tarball, redisUrl }) {
  const peer = peers[row];
  const folder = join(home, row.replace(/\W/g, ''));
  mkdirSync(folder);
  installPeer(folder, tarball, peer);
  const cellOf = ({ name, command }) => cell(`${row}, ${name}`, () => checkPeer(folder, command, peer, redisUrl));
  return Promise.all(
    installed.map((runtime) => (peer.without?.includes(runtime.name) ? 'not supported by it' : cellOf(runtime))),
  );
}

async function table(home) {
  const installed = installRuntimes(home, chosen(Object.keys(runtimes)));
  const tarball = pack(home);
  const redis = await createRequire(import.meta.url)('../spec/setup/redis/server.cjs').startRedis();
  const rows = [];
  try {
    for (const row of chosen(rowNames)) {
      const cells =
        row === PACKAGE
          ? await packageRow(installed)
          : await peerRow(row, installed, { home, tarball, redisUrl: redis.url });
      rows.push([row, ...cells]);
    }
  } finally {
    await redis.stop();
  }
  return markdown(['', ...installed.map(({ name, version }) => `${name.split(' ')[0]} ${version}`)], rows);
}

/** The tools run on the Node that runs this script. */
async function toolTable(home) {
  const rows = [];
  for (const name of chosen(Object.keys(tools))) {
    const { package: fromNpm, check } = tools[name];
    const folder = join(home, name.replace(/\W/g, ''));
    mkdirSync(folder);
    npmInstall(folder, '--no-save', fromNpm);
    const { version } = createRequire(join(folder, '/'))(`${fromNpm.split('@')[0]}/package.json`);
    const others = Object.keys(manifest.devDependencies);
    rows.push([name, version, await inUsersProject((project) => cell(name, () => check(project, folder)), { others })]);
  }
  return markdown(['', `on Node ${process.versions.node}`, ''], rows);
}

const markdown = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

if ((await runNode([join(root, 'scripts/build.mjs')])) !== 0) process.exit(1);
const home = mkdtempSync(join(tmpdir(), 'rx-fresh-token-runtimes-'));
try {
  if (!onlyTools) console.log(await table(home));
  if (wantsTools) console.log(await toolTable(home));
} finally {
  rmSync(home, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
