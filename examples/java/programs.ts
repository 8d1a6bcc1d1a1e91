import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ClientSettings } from '../demo/client.js';

/** What a Java program prints when it has ended. */
export interface Outcome {
  /** Orders that were not answered with 201. */
  readonly errors: number;
  readonly waited: number;
  readonly longestWait: number;
}

export interface ProxyProcess {
  readonly url: string;
  /** Asks it to end. Resolves to its exit status. */
  end(): Promise<number | null>;
}

/** `npx rx-fresh-token proxy`, without npx. Its access log is not shown. */
export async function startProxy(
  { tokenEndpoint, clientId, clientSecret, scope = '', url }: ClientSettings,
  folder: string,
): Promise<ProxyProcess> {
  const command = fileURLToPath(new URL('cli/main.js', import.meta.resolve('rx-fresh-token')));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, clientSecret, { mode: 0o600 });
  const child = spawn(
    process.execPath,
    [
      ...process.execArgv,
      ...[command, 'proxy', '--quiet', '--to', url.origin],
      ...[
        '--token-endpoint',
        tokenEndpoint,
        '--client-id',
        clientId,
        '--client-secret-file',
        secretFile,
        '--scope',
        scope,
      ],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = exitOf(child);
  for await (const line of createInterface(child.stdout)) {
    const listening = /^listening on (\S+)$/.exec(line)?.[1];
    if (listening === undefined) continue;
    return {
      url: listening,
      end: () => {
        child.kill('SIGTERM');
        return exited;
      },
    };
  }
  throw new Error(`the proxy ended with status ${await exited}`);
}

export interface Program {
  readonly name: 'Orders' | 'StatusQuo';
  readonly classes: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the program. */
  readonly signal: AbortSignal;
}

export async function runJava({ name, classes, args, env = {}, signal }: Program): Promise<Outcome> {
  const child = spawn('java', ['-cp', classes, name, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  const [status, last] = await Promise.all([exitOf(child), lastLineOf(child.stdout)]);
  if (status !== 0) throw new Error(`java ${name} ended with status ${status}`);
  return JSON.parse(last) as Outcome;
}

async function lastLineOf(output: Readable): Promise<string> {
  let last = '';
  for await (const line of createInterface(output)) last = line;
  return last;
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', resolve);
  });
