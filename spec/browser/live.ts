import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

export interface LiveRun {
  readonly url: string;
  /** All that it printed. */
  output(): string;
  /** Resolves to the exit status. */
  stop(): Promise<number | null>;
}

/** `npm run live`, as the script in package.json starts it but on the sources, on a free port. */
export async function startLive(...args: string[]): Promise<LiveRun> {
  const child = spawn(
    process.execPath,
    ['--import', require.resolve('tsx'), join(ROOT, 'examples/live/main.ts'), '--port', '0', ...args],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        LIVE_SECRET: 'never-to-be-printed-4711',
        TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json'),
        NODE_OPTIONS: '',
      },
    },
  );
  let output = '';
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const url = await new Promise<string>((resolve, reject) => {
    const read = (text: Buffer): void => {
      output += text.toString();
      const [found] = /http:\/\/127\.0\.0\.1:\d+\//.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void ended.then((status) => reject(new Error(`it ended with ${status} before it served the page:\n${output}`)));
  });
  return {
    url,
    output: () => output,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
