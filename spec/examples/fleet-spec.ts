import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { bundle } from '../setup/bundle.js';
import { cell } from './demoSupport.js';

jest.setTimeout(60_000);
const ROOT = resolve(__dirname, '../..');
const program = bundle(join(ROOT, 'examples/fleet/main.ts'), 'external');
afterAll(() => program.remove());

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}
/** As a user starts it, but bundled from the sources: what is built may not be there yet. */
const run = (...args: string[]): Promise<Ended> =>
  new Promise((done) => {
    const child = execFile(
      process.execPath,
      [program.file, ...args],
      { cwd: ROOT, env: { ...process.env, NODE_OPTIONS: '' }, timeout: 50_000 },
      (error, stdout, stderr) => {
        done({ status: error ? (child.exitCode ?? -1) : 0, stdout, stderr });
      },
    );
  });

describe('npm run fleet', () => {
  it('should print what a short run of a small fleet did, line by line and at last as a table', async () => {
    const { status, stdout } = await run('--seconds', '6', '--workers', '3', '--callers', '20');
    expect(status).toBe(0);
    expect(stdout).not.toContain('\u001b[');
    expect(stdout.split('\n').filter((line) => /^ +\d+ s; tokens \d/.test(line))).toHaveLength(2);
    expect(cell(stdout, 'processes')).toBe('3');
    // Three processes without a store would have fetched six.
    expect(Number(cell(stdout, 'tokens fetched')?.split(',')[0])).toBeLessThanOrEqual(3);
    expect(cell(stdout, 'calls that failed')).toBe('0');
    expect(cell(stdout, 'push lag p50')).toMatch(/^\d+ ms$/);
    expect(cell(stdout, 'leader')).toMatch(/^process \d+$/);
  });

  it('should explain itself, and refuse what it does not know', async () => {
    const { status, stdout } = await run('--help');
    expect(status).toBe(0);
    for (const flag of ['seconds', 'kill', 'redis', 'workers', 'callers']) expect(stdout).toContain(`--${flag}`);
    expect(await run('--seconds', 'soon')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('whole number') as unknown,
    });
  });

  it.each([
    ['where nothing listens', 'redis://:pa55@127.0.0.1:1', 'connect ECONNREFUSED 127.0.0.1:1'],
    ['that is no URL', 'pa55', 'Invalid URL'],
  ])('should end with one line for a Redis %s', async (_what, url, why) => {
    expect(await run('--redis', url)).toEqual({
      status: 2,
      stdout: '',
      stderr: `error: no Redis answers at the URL of --redis: ${why}\n`,
    });
  });
});
