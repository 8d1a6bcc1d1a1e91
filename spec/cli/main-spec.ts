import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { StdioOptions } from 'node:child_process';
import { until } from '../proxy/support.js';
import { atEnd, folder, secretFile, tokenServer } from './support.js';

const root = join(__dirname, '../..');

/** Runs the command in a process of its own. */
function start(args: string[], stdio: StdioOptions = 'pipe', env: object = {}) {
  const child = spawn(process.execPath, ['--import', require.resolve('tsx'), join(root, 'src/cli/main.ts'), ...args], {
    stdio,
    // Nothing but what the system needs: no HOME.
    env: { PATH: process.env.PATH, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...env },
  });
  atEnd(() => child.kill('SIGKILL'));
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const status = new Promise<number | null>((done) => child.once('close', done));
  return { child, status, out: () => out, err: () => err };
}

async function credentials() {
  const server = await tokenServer();
  return ['--token-endpoint', server.tokenUrl, '--client-id', 'orders', '--client-secret-file', secretFile()];
}

it('should print the version of the package', async () => {
  const { status, out } = start(['--version']);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect([await status, out()]).toEqual([0, `${version}\n`]);
});

it('should answer kubectl in the version that it asks for', async () => {
  const apiVersion = 'client.authentication.k8s.io/v1beta1';
  const env = { KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: {} }) };
  const { status, out } = start(['token', '--format', 'exec-credential', ...(await credentials())], 'pipe', env);
  expect(await status).toBe(0);
  expect(JSON.parse(out())).toMatchObject({ apiVersion, status: { token: 'token-1' } });
});

it('should end with exit status 1 and one line when the token cannot be written', async () => {
  const full = openSync('/dev/full', 'w');
  atEnd(() => closeSync(full));
  const { status, err } = start(['token', ...(await credentials())], ['ignore', full, 'pipe']);
  expect([await status, err()]).toEqual([1, 'error: standard output cannot be written: ENOSPC\n']);
});

it('should end in silence, and as by SIGPIPE, when nobody reads the token', async () => {
  const { child, status, err } = start(['token', ...(await credentials())]);
  child.stdout?.destroy();
  expect([await status, err()]).toEqual([141, '']);
});

it('should end by SIGTERM while it waits for what git writes', async () => {
  const { child, status, out } = start(['token', '--format', 'git-credential', ...(await credentials()), 'get']);
  // More than a pipe holds: the process reads, so its handlers are there.
  await new Promise((done) => child.stdin?.write(Buffer.alloc(4_000_000, '\n'), done));
  child.kill('SIGTERM');
  expect([await status, out()]).toEqual([1, '']);
});

it('should end by SIGTERM while it waits for whoever writes the secret to a pipe', async () => {
  const pipe = join(folder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const { child, err } = start(['token', '--client-id', 'orders', '--client-secret-file', pipe]);
  const ended = once(child, 'close');
  // Opens the pipe as soon as the process reads it, and holds it open without a word.
  const writer = await open(pipe, 'w');
  atEnd(() => writer.close());
  child.kill('SIGTERM');
  expect([await ended, err()]).toEqual([[null, 'SIGTERM'], '']);
});

it('should go on serving when nobody reads its output any more', async () => {
  const server = await tokenServer();
  const { child, status, out } = start(['proxy', '--to', server.origin, ...(await credentials())]);
  await until(() => out().includes('listening on'));
  const url = /http:\S+/.exec(out())?.[0] ?? '';
  child.stdout?.destroy();
  child.stderr?.destroy();
  // The server knows no token of another issuer: each rejection is a line on standard error.
  for (let i = 0; i < 3; i++) expect((await fetch(url)).status).toBe(401);
  child.kill('SIGTERM');
  expect(await status).toBe(0);
});
