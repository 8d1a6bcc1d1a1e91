import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundle } from '../setup/bundle.js';

export { until } from '../until.js';

const ROOT = resolve(__dirname, '../..');
export const SECRET = 'never-to-be-printed-4711';

/** What a run of the demo left behind. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
}

export interface StartOptions {
  readonly cwd?: string;
  /** Flags of Node. */
  readonly node?: readonly string[];
  /** Where the demo is: as a user starts it, or the {@link bundleDemo} of it. */
  readonly main?: readonly string[];
  /** More of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** As a user starts it. */
const SOURCES = ['--import', require.resolve('tsx'), join(ROOT, 'examples/demo/main.ts')];

const living = new Set<ChildProcessWithoutNullStreams>();

/** Ends what a failed spec left behind. */
export function stopAll(): void {
  for (const child of living) child.kill('SIGKILL');
}

/** The demo in a process of its own. */
export function startDemo(
  args: readonly string[],
  { cwd = ROOT, node = [], main = SOURCES, env = {} }: StartOptions = {},
): Running {
  const child = spawn(process.execPath, [...node, ...main, ...args], {
    cwd,
    env: {
      ...process.env,
      DEMO_SECRET: SECRET,
      TSX_TSCONFIG_PATH: join(ROOT, 'tsconfig.json'),
      NODE_OPTIONS: '',
      ...env,
    },
  });
  living.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined);
  const ended = new Promise<Ended>((done) =>
    child.on('close', (status) => {
      living.delete(child);
      done({ status, stdout, stderr });
    }),
  );
  return { child, ended };
}

export const runDemo = (args: readonly string[], options?: StartOptions): Promise<Ended> => {
  const { child, ended } = startDemo(args, options);
  child.stdin.end();
  return ended;
};

/** The same demo, transpiled once. */
export function bundleDemo(): { main: readonly string[]; remove(): void } {
  const { file, remove } = bundle(join(ROOT, 'examples/demo/main.ts'), 'external');
  return { main: [file], remove };
}

export interface Reject {
  readonly line: number;
  readonly reason: string;
  readonly text?: string;
  readonly base64?: string;
}

export interface Folder {
  readonly path: string;
  /** A new file in it. */
  file(content: string | Buffer): string;
  /** What was written down beside an input. */
  rejects(input: string): Reject[];
  remove(): void;
}

/** A new folder for inputs and what is written beside them. */
export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'demo-spec-'));
  let files = 0;
  return {
    path,
    file: (content) => {
      files += 1;
      const file = join(path, `input-${files}.ndjson`);
      writeFileSync(file, content);
      return file;
    },
    rejects: (input) =>
      readFileSync(`${input}.rejected`, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Reject),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

export const orders = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${JSON.stringify({ id: `order-${index + 1}`, cents: index })}\n`).join(
    '',
  );

/** Each of them taken once. */
export const everyOrder = (count: number): Map<string, number> =>
  new Map(Array.from({ length: count }, (_, index) => [`order-${index + 1}`, 1]));

/** The cell of the closing table, for one of its columns. */
export function cell(stdout: string, row: string, column = 0): string | undefined {
  const line = stdout.split('\n').find((text) => text.includes(`│ ${row} `));
  return line?.split('│')[column + 2]?.trim();
}

export const ownFlags = (tokenEndpoint: string, url: string): string[] => [
  '--token-endpoint',
  tokenEndpoint,
  '--client-id',
  'me',
  '--client-secret-env',
  'DEMO_SECRET',
  '--url',
  url,
];

/** The most memory that a living process ever had, in MB; undefined where the system does not tell. */
export function peakMemory(pid: number | undefined): number | undefined {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
  } catch {
    return undefined;
  }
}
