#!/usr/bin/env node
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
let hasFailed = false;
process.stdout.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
  // A reader that went away, as in `… | head`, wants no more. A disk that is full has not got the token.
  if (code === 'EPIPE' || hasFailed) return;
  hasFailed = true;
  process.exitCode = 1;
  process.stderr.write(`error: standard output cannot be written: ${code}\n`);
});
process.stderr.on('error', () => undefined);

const write = (stream: NodeJS.WriteStream) => (line: string) => {
  stream.write(`${line}\n`);
};
/** `dist/esm` has a package.json of its own, without a version. */
const manifest = new URL(import.meta.url.replace(/(src|dist\/esm)\/cli\/main\.\w+$/, 'package.json'));

void runCommand(process.argv.slice(2), {
  out: write(process.stdout),
  err: write(process.stderr),
  input: () => text(addAbortSignal(stopOnce(), process.stdin)),
  version: () => (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version,
  stop: stopOnce,
}).then((status) => {
  process.exitCode = hasFailed ? 1 : status;
});
