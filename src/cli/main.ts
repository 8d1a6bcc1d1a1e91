#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { runCommand } from './runCommand.js';

const stop = new AbortController();
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.on(signal, () => {
    // The second one does not wait for the requests under way.
    if (stop.signal.aborted) process.exit(128 + number);
    stop.abort();
  });
}
// A reader that went away, as in `… | head`.
process.stdout.on('error', () => undefined);

const write = (stream: NodeJS.WriteStream) => (line: string) => {
  stream.write(`${line}\n`);
};
void runCommand(process.argv.slice(2), {
  out: write(process.stdout),
  err: write(process.stderr),
  input: () => text(process.stdin),
  stop: stop.signal,
}).then((status) => {
  process.exitCode = status;
});
