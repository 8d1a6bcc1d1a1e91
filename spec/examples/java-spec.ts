import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { textOf } from '../proxy/support.js';
import { folder } from './demoSupport.js';

// It may have to install a JDK, and other specs keep the machine busy.
jest.setTimeout(600_000);

const ROOT = join(__dirname, '../..');

/** `npm run java`, as the script in package.json starts it but on the sources. */
async function runJava(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(
    process.execPath,
    ['--import', require.resolve('tsx'), join(ROOT, 'examples/java/main.ts'), ...args],
    {
      cwd: ROOT,
      env: { ...process.env, TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json'), NODE_OPTIONS: '', ...env },
    },
  );
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return { status: await ended, stdout, stderr };
}

it('should deliver the orders of a Java program through the proxy: each once, and none refused, beside the status quo', async () => {
  const { status, stdout, stderr } = await runJava(['--orders', '600', '--rate', '100']);
  expect(stderr).not.toMatch(/^error/m);
  expect(stdout).toMatch(/records delivered\s+│\s+\d+ of 600 │\s+600 of 600 │/);
  const cell = (label: string) => Number(new RegExp(`${label}\\s+│\\s+([\\d,]+)`).exec(stdout)?.[1]?.replace(',', ''));
  const [delivered, errors] = [cell('records delivered'), cell('errors the caller saw')];
  // Any token may expire on its way through a machine that is late by seconds: the program is told of each such order.
  const isLate = stdout.includes('did not run') || cell('longest wait') > 1000;
  expect([isLate ? delivered + errors : delivered, cell('duplicates')]).toEqual([600, 0]);
  if (!isLate) expect([stdout, status]).toEqual([expect.stringContaining('0 refused, 0 twice, 0 lost.'), 0]);
  expect(stdout).toMatch(/tokens fetched\s+│\s+\d+ │/);
});

it('should end when one of the programs fails, though the other one goes on', async () => {
  const place = folder();
  for (const [name, script] of [
    ['javac', 'exit 0'],
    ['java', '[ "$3" = Orders ] && exit 3; [ "$3" = StatusQuo ] && exec sleep 120; exit 0'],
  ] as const)
    writeFileSync(join(place.path, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const started = performance.now();
  const { status, stdout, stderr } = await runJava([], { PATH: `${place.path}:${process.env.PATH ?? ''}` });
  place.remove();
  expect([status, stdout, stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/\nerror: java Orders ended with status 3\n$/),
  ]);
  expect(performance.now() - started).toBeLessThan(60_000);
});

it('should say what is wrong on its command line', async () => {
  const { status, stderr } = await runJava(['--orders', '0']);
  expect([status, stderr]).toEqual([2, expect.stringContaining('It must be a whole number from 1 to 100000.')]);
});

it('should not speak of tokens in the program that uses the proxy, nor use a library', () => {
  const source = readFileSync(join(ROOT, 'examples/java/Orders.java'), 'utf8');
  const code = source.replace(/\/\*\*[^]*?\*\//g, '');
  expect(code).not.toMatch(/token|authorization/i);
  for (const name of ['Orders', 'StatusQuo', 'Delivery']) {
    const imports = readFileSync(join(ROOT, `examples/java/${name}.java`), 'utf8').match(/^import .*/gm) ?? [];
    for (const line of imports) expect(line).toMatch(/^import java\./);
  }
});
