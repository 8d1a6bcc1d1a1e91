/** `npm run angular`: packs the library, builds the order desk, serves it. Or, with folders of builds: serves those. */
import { Command, CommanderError } from 'commander';
import { explain } from '../demo/explain.js';
import { startDesk } from './desk.js';
import { prepare } from './prepare.mjs';

const SUMMARY = `Serves an order desk in Angular, on this library: it posts orders with tokens that live 5 seconds.

It packs the library, installs Angular beside it (the first time takes a few minutes), builds the desk and serves it on loopback.`;

try {
  const command = new Command('npm run angular --')
    .description(SUMMARY)
    .argument('[folders...]', 'builds to serve, instead of a new one')
    .addHelpText('after', '\nThe environment variable PORT says where; without it any port that is free.')
    .exitOverride()
    .parse(process.argv.slice(2), { from: 'user' });
  await serve(command.args);
} catch (error) {
  // Commander has said it already.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    process.stderr.write(`error: ${explain(error)}\n`);
    process.exit(1);
  }
}

async function serve(given: readonly string[]): Promise<void> {
  const folders = given.length > 0 ? given : await prepare();
  const port = Number(process.env['PORT'] ?? 0);
  const desks = await Promise.all(folders.map((folder) => startDesk(folder, { port })));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      for (const desk of desks) desk.close();
    });
  }
  console.log(
    desks
      .map(({ origin }) => (given.length > 0 ? origin : `\n  The order desk is open: ${origin}\n  Ctrl-C closes it.\n`))
      .join('\n'),
  );
}
