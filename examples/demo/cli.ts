import { Command, Option } from 'commander';
import type { EmbeddedSettings } from './embedded.js';
import type { OwnSettings } from './ownServers.js';
import { numberFrom } from './runExample.js';
import { spelled, UsageError } from './usageError.js';

export type Settings = EmbeddedSettings | OwnSettings;

export interface Flags {
  tokenEndpoint?: string;
  clientId?: string;
  clientSecretEnv?: string;
  scope?: string;
  url?: string;
  method?: string;
  header?: string[];
  input?: string;
  concurrency: number;
  rate?: number;
  lifetime?: number;
  resume?: true;
}

/** Only on the user's own servers; the first four there always. */
const OWN = [
  'tokenEndpoint',
  'clientId',
  'clientSecretEnv',
  'url',
  'scope',
  'method',
  'header',
  'lifetime',
  'resume',
] as const;
/** Those that name servers. */
const SERVERS = ['tokenEndpoint', 'clientId', 'clientSecretEnv', 'url'] as const;
const NEEDED = ['tokenEndpoint', 'clientId', 'clientSecretEnv', 'url', 'input'] as const;

const SUMMARY = `Delivers every record of an NDJSON file once, by POST to an API whose access tokens expire every few seconds.

Without --token-endpoint and --url it starts servers of its own, and runs the status quo beside it for comparison.`;

const NOTES = `
Lines that cannot be delivered go to FILE.rejected, with number and reason.
Progress is kept in FILE.progress for --resume. Ctrl-C takes no more records,
finishes those in flight and prints the table; a second one quits at once.

Exit status: 0 every record arrived, 1 some did not or the run failed,
2 a mistake on the command line, 130 stopped.`;

/**
 * The command line as settings; `orders` is the file that the demo brings. Help and mistakes end in a CommanderError or
 * a UsageError.
 */
export const parseArguments = (args: readonly string[], environment: NodeJS.ProcessEnv, orders: string): Settings =>
  settingsOf(
    commandOf('npm start --', SUMMARY, NOTES, '100 on the servers of the demo, else no limit')
      .parse(args, { from: 'user' })
      .opts<Flags>(),
    environment,
    orders,
  );

export function settingsOf(flags: Flags, environment: NodeJS.ProcessEnv, orders: string): Settings {
  const own = OWN.filter((name) => flags[name] !== undefined);
  if (own.length === 0) {
    return { mode: 'embedded', input: flags.input ?? orders, concurrency: flags.concurrency, rate: flags.rate ?? 100 };
  }
  if (!SERVERS.some((name) => flags[name] !== undefined))
    throw new UsageError(
      `${own.map(spelled).join(', ')}: only with servers of your own (--token-endpoint, --url); the demo delivers the whole file to its own`,
    );
  const missing = NEEDED.filter((name) => flags[name] === undefined);
  if (missing.length > 0) throw new UsageError(`your own servers also need ${missing.map(spelled).join(', ')}`);
  const { tokenEndpoint = '', clientId = '', clientSecretEnv = '', url = '', input = '' } = flags;
  // The name is not printed: it may be the secret itself, put there by mistake.
  const clientSecret = environment[clientSecretEnv];
  if (clientSecret === undefined || clientSecret === '')
    throw new UsageError('the environment variable that --client-secret-env names is not set');
  return {
    mode: 'own',
    input,
    concurrency: flags.concurrency,
    rate: flags.rate,
    resume: flags.resume ?? false,
    lifetime: flags.lifetime,
    client: {
      tokenEndpoint: address('--token-endpoint', tokenEndpoint).href,
      clientId,
      clientSecret,
      scope: flags.scope,
      url: address('--url', url),
      method: flags.method ?? 'POST',
      headers: headersOf(flags.header ?? []),
    },
  };
}

/** The flags, for whatever delivers records; it may have further flags of its own. */
export const commandOf = (name: string, summary: string, notes: string, rate: string): Command =>
  new Command(name)
    .description(summary)
    .option('--token-endpoint <URL>', 'where tokens come from (OAuth client credentials)')
    .option('--client-id <ID>')
    .option('--client-secret-env <NAME>', 'environment variable that holds the client secret')
    .option('--scope <S>', 'scope to ask for')
    .option('--url <URL>', 'where each record is sent')
    .addOption(new Option('--method <METHOD>', 'how (default: POST)').choices(['POST', 'PUT', 'PATCH']))
    .option(
      '--header <"Name: value">',
      'sent with each record; may be repeated',
      (value, before: string[] | undefined) => [...(before ?? []), value],
    )
    .option(
      '--input <FILE>',
      'one JSON object on each line. Needed for your own servers, where - is standard input; those of the demo take its orders',
    )
    .option('--concurrency <N>', 'records in flight at once', numberFrom(1, 1_000, true), 32)
    .option('--rate <N>', `records a second at most (default: ${rate})`, numberFrom(0.01, 100_000))
    .option('--lifetime <S>', 'seconds a token lives, whatever the token endpoint says', numberFrom(0.1, 31_536_000))
    .option('--resume', 'go on where an earlier run on the same file, to your own servers, stopped')
    .addHelpText('after', notes)
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride();

/** Addresses and headers are not quoted in messages: a query, a password or a key may stand in them. */
function address(flag: string, value: string): URL {
  if (!URL.canParse(value)) throw new UsageError(`${flag} must be an absolute URL`);
  const url = new URL(value);
  if (!['http:', 'https:'].includes(url.protocol))
    throw new UsageError(`${flag} must be an https: URL, or http: on loopback`);
  if (url.username !== '' || url.password !== '') throw new UsageError(`${flag} must not hold a user name or password`);
  return url;
}

/** Set by the run itself, on every request. */
const RESERVED = ['authorization', 'idempotency-key', 'content-length', 'transfer-encoding', 'host', 'connection'];

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers = new Headers({ 'content-type': 'application/json' });
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim();
    if (RESERVED.includes(name.toLowerCase()))
      throw new UsageError(`--header ${name} is not yours to set: the run sets it`);
    try {
      headers.set(name, line.slice(colon + 1).trim());
    } catch {
      throw new UsageError('--header must read "Name: value", with characters that a header may hold');
    }
  }
  return Object.fromEntries(headers);
}
