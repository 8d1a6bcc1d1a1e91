import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runExample } from '../demo/runExample.js';
import { parseArguments } from './cli.js';

const stop = new AbortController();
process.on('SIGINT', () => end(130));
process.on('SIGTERM', () => end(143));

/** A second signal does not wait for what is in flight. */
function end(status: number): void {
  if (stop.signal.aborted) process.exit(status);
  process.exitCode = status;
  stop.abort();
}

await runExample(async () => {
  const settings = parseArguments(
    process.argv.slice(2),
    process.env,
    relative('', fileURLToPath(new URL('../demo/orders.ndjson', import.meta.url))),
  );
  // Loaded when it is needed: servers and a bundler take a while, and --help does not want them.
  const { runLive } = await import('./runLive.js');
  await runLive(settings, stop.signal);
});
