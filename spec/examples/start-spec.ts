import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { startLive } from '../browser/live.js';
import { folder } from './demoSupport.js';

// It starts processes, and other specs keep the machine busy.
jest.setTimeout(60_000);

const ROOT = resolve(__dirname, '../..');
const place = folder();
afterAll(() => place.remove());

it('npm run live on a port that is taken should end with one line', async () => {
  const taken = createServer();
  await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
  const { port } = taken.address() as AddressInfo;
  // The last of two ports counts.
  const failure = await startLive('--port', `${port}`).catch((error: unknown) => String(error));
  taken.close();
  expect(failure).toBe(
    `Error: it ended with 2 before it served the page:\nerror: port ${port} is taken: name another with --port, or 0 for any\n`,
  );
});

it('a command whose reader goes away, as in `npm run angular -- --help | head -1`, should end as if it had been read', async () => {
  const child = spawn(process.execPath, ['--import', './scripts/dist.mjs', 'examples/angular/start.ts', '--help'], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const status = await new Promise((ended) => child.once('close', ended));
  // It may have to build the library first.
  expect([status, stderr.replace(/^Building .*\n/, '')]).toEqual([0, '']);
});

it('a command without its packages should name the one command that installs them', () => {
  mkdirSync(join(place.path, 'scripts'));
  for (const name of ['dist.mjs', 'run.mjs']) cpSync(join(ROOT, 'scripts', name), join(place.path, 'scripts', name));
  writeFileSync(join(place.path, 'main.mjs'), '');
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', './scripts/dist.mjs', 'main.mjs'], {
    cwd: place.path,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  expect([status, stdout, stderr]).toEqual([1, '', 'error: what this needs is not installed: run "npm ci" first\n']);
});
