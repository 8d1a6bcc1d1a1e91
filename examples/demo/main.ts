import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArguments, type Settings } from './cli.js';
import { runOnOwnServers } from './ownServers.js';
import { runExample } from './runExample.js';
import { openScreen } from './screen.js';

/** One Ctrl-C may arrive twice, from the terminal and from npm; within this time it is the same one. */
const SAME_SIGNAL = 500;

const stop = new AbortController();
const screen = openScreen();
let interrupted = 0;

function interrupt(status: number): void {
  const now = performance.now();
  if (stop.signal.aborted) {
    if (now - interrupted < SAME_SIGNAL) return;
    screen.settle();
    process.exit(status);
  }
  interrupted = now;
  process.exitCode = status;
  screen.warn('finishing the records in flight; Ctrl-C again quits at once');
  stop.abort();
}
process.on('SIGINT', () => interrupt(130));
process.on('SIGTERM', () => interrupt(143));

/** Loaded when they are needed: an authorization server takes a while. */
const run = async (settings: Settings): Promise<number> =>
  settings.mode === 'own'
    ? runOnOwnServers(settings, screen, stop.signal)
    : (await import('./embedded.js')).runEmbedded(settings, screen, stop.signal);

await runExample(async () => {
  const settings = parseArguments(
    process.argv.slice(2),
    process.env,
    relative('', fileURLToPath(new URL('orders.ndjson', import.meta.url))),
  );
  try {
    const status = await run(settings);
    if (!stop.signal.aborted) process.exitCode = status;
  } finally {
    screen.settle();
  }
});
