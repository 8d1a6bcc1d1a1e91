import { commandOf, settingsOf, type Flags, type Settings } from '../demo/cli.js';
import { numberFrom } from '../demo/runExample.js';

export interface LiveSettings {
  /** Where the page is. */
  readonly port: number;
  /** Whether the status quo runs beside the library. */
  readonly compare: boolean;
  readonly delivery: Settings;
}

const SUMMARY = `Draws what a token stream does while it happens, on a page in the browser, beside the status quo.

Without --token-endpoint and --url it starts servers of its own. The flags are those of npm start.`;

const NOTES = `
The faults that the page's buttons make are made in this process: servers of
your own notice nothing of them. On servers of your own each record is sent
once, as by npm start. With --compare the status quo sends each a second time,
with an Idempotency-Key of its own.`;

/** Slow enough that one request can be told from the next. */
const RATE = 4;
const PORT = 4780;

/** The command line as settings. Help and mistakes end in a CommanderError or a UsageError. */
export function parseArguments(args: readonly string[], environment: NodeJS.ProcessEnv, orders: string): LiveSettings {
  const { port, compare, ...flags } = commandOf('npm run live --', SUMMARY, NOTES, String(RATE))
    .option('--port <N>', 'where the page is; 0 for any that is free', numberFrom(0, 65_535, true), PORT)
    .option('--compare', 'run the status quo too on servers of your own')
    .parse(args, { from: 'user' })
    .opts<Flags & { port: number; compare?: true }>();
  const delivery = settingsOf({ ...flags, rate: flags.rate ?? RATE }, environment, orders);
  return { port, compare: delivery.mode === 'embedded' || compare === true, delivery };
}
