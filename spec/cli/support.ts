import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTokenServer, type TokenServerOptions } from 'rx-fresh-token/testing';
import { runCommand } from '../../src/cli/runCommand.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
export const atEnd = (end: () => unknown) => void ends.push(end);

export const folder = () => {
  const path = mkdtempSync(join(tmpdir(), 'cli-spec-'));
  atEnd(() => rmSync(path, { recursive: true }));
  return path;
};

export const secretFile = (secret: string | Buffer = 'not-to-be-shown\n') => {
  const path = join(folder(), 'secret');
  writeFileSync(path, secret);
  return path;
};

export interface Run {
  readonly out: string[];
  readonly err: string[];
  readonly status: Promise<number>;
  readonly stop: () => void;
}

/** Runs a command line in this process. */
export const run = (...args: string[]): Run => runWith('', ...args);

/** The same with something on standard input. */
export function runWith(input: string, ...args: string[]): Run {
  const out: string[] = [];
  const err: string[] = [];
  const stop = new AbortController();
  atEnd(() => stop.abort());
  const status = runCommand(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    input: () => Promise.resolve(input),
    env: () => undefined,
    version: () => '1.2.3',
    stop: () => stop.signal,
  });
  return { out, err, status, stop: () => stop.abort() };
}

/** Its tokens live a minute, so that a slow machine renews none. */
export async function tokenServer(options?: TokenServerOptions) {
  const server = await startTokenServer({ lifetime: 60_000, ...options });
  atEnd(() => server.close());
  return server;
}
