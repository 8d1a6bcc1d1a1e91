#!/usr/bin/env node
/** The executable `rx-fresh-token`: connects the commands to the signals and standard streams of the process. */
import { readFileSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommand } from './runCommand.js';

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const [signal, number] of Object.entries({ SIGINT: 2, SIGTERM: 15 })) {
    process.on(signal, () => {
      // The second one does not wait for the requests under way.
      if (stop.signal.aborted) process.exit(128 + number);
      stop.abort();
    });
  }
  return stop.signal;
}
let stop: AbortSignal | undefined;
const stopOnce = () => (stop ??= stopSignal());
const [command] = process.argv.slice(2);
/** The exit status if standard output could not be written. */
let failed: number | undefined;
process.stdout.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
  const isUnread = code === 'EPIPE';
  // The proxy needs no reader of its log.
  if (failed !== undefined || (isUnread && command === 'proxy')) return;
  // Nobody reads the token. Other programs are ended by SIGPIPE then, without a message; Node ignores that signal.
  process.exitCode = failed = isUnread ? 128 + 13 : 1;
  if (!isUnread) process.stderr.write(`error: standard output cannot be written: ${code}\n`);
});
process.stderr.on('error', () => undefined);

const write = (stream: NodeJS.WriteStream) => (line: string) => stream.write(`${line}\n`);
/** `dist/esm` has a package.json of its own, without a version. */
const manifest = new URL(import.meta.url.replace(/(src|dist\/esm)\/cli\/main\.\w+$/, 'package.json'));

void runCommand(process.argv.slice(2), {
  out: write(process.stdout),
  err: write(process.stderr),
  input: () => text(addAbortSignal(stopOnce(), process.stdin)),
  env: (name) => process.env[name],
  version: () => (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version,
  stop: stopOnce,
}).then((status) => {
  process.exitCode = failed ?? status;
});
