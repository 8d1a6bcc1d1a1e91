/** The options of each command, for `parseArgs` and for `--help`. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './io.js';

/** An option as `parseArgs` takes it, and what `--help` says of it. */
interface CommandOption {
  readonly type: 'string' | 'boolean';
  /** Of every option with a value: `parseArgs` would keep the last one, and not tell that there were others. */
  readonly multiple?: boolean;
  readonly mayRepeat?: boolean;
  readonly short?: string;
  /** What its value is. What is a `URL` is checked. */
  readonly value?: 'URL' | 'ID' | 'FILE' | 'METHOD' | 'TEXT' | 'URI' | 'PLACE' | 'NAME';
  readonly text: string;
}
type Options = Readonly<Record<string, CommandOption>>;

const flag = (text: string): CommandOption => ({ type: 'boolean', text });
const one = (value: CommandOption['value'], text: string): CommandOption => ({
  type: 'string',
  multiple: true,
  value,
  text,
});
const many = (value: CommandOption['value'], text: string): CommandOption => ({
  ...one(value, `${text}; may be repeated`),
  mayRepeat: true,
});

const TOKEN_OPTIONS: Options = {
  issuer: one('URL', 'the authorization server; metadata is discovered'),
  'token-endpoint': one('URL', 'the token endpoint, in the place of --issuer'),
  'client-id': one('ID', 'the client that asks for the token'),
  'client-secret-file': one('FILE', 'the file with its secret; it may change'),
  'client-auth': one('METHOD', 'client_secret_basic (default) or client_secret_post'),
  scope: one('TEXT', 'scopes, separated by spaces'),
  audience: many('TEXT', 'the API of the token, by name'),
  resource: many('URI', 'the API of the token (RFC 8707)'),
  store: one('FILE', 'shares the token with other processes of this user'),
  'allow-insecure-requests': flag('http: to other hosts than loopback'),
};

const PROXY_OPTIONS: Options = {
  to: one('URL', 'where the requests go'),
  listen: one('PLACE', 'port, host:port or unix:/path; default a free port'),
  'allow-remote-clients': flag("serves other machines too, with the token's rights"),
  'allowed-host': many('NAME', 'another name of the proxy in Host'),
  'replace-authorization': flag("replaces a client's Authorization; else refused"),
  quiet: flag('writes no access log'),
};

const FORMAT: Options = { format: one('NAME', 'json, exec-credential, git-credential; else plain') };
const HELP: Options = { help: { ...flag('this text'), short: 'h' } };

export type CommandName = 'proxy' | 'token';

export const COMMANDS: Record<CommandName, { text: string; options: Options; mostOperands: 0 | 1 }> = {
  proxy: {
    text: 'adds a fresh token to the requests of local programs',
    options: { ...PROXY_OPTIONS, ...TOKEN_OPTIONS, ...HELP },
    mostOperands: 0,
  },
  token: {
    text: 'prints one token, for kubectl, git and scripts',
    options: { ...FORMAT, ...TOKEN_OPTIONS, ...HELP },
    // Git appends its operation to the command of a helper.
    mostOperands: 1,
  },
};

/** The options of a command line, by their names without dashes. */
export type ParsedOptions = ReturnType<typeof readOptions>;

/** An argument that no command takes. It is not shown: it may be a secret. */
export const strayArgument = () => new UsageError('an argument is no option, and no value of one');

/** @throws UsageError */
export function readOptions(name: CommandName, args: readonly string[]) {
  const { mostOperands, options } = COMMANDS[name];
  const { values, positionals } = parse(options, [...args]);
  if (positionals.length > mostOperands) throw strayArgument();
  const texts = (key: string) => [values[key]].flat().filter((value) => typeof value === 'string');
  const text = (key: string) => texts(key)[0];
  for (const [key, option] of Object.entries(options)) checkTexts(key, texts(key), option);
  return {
    text,
    /** @throws UsageError if it is not there */
    required: (key: string): string => {
      const value = text(key);
      if (value === undefined) throw new UsageError(`--${key} must be given: ${options[key]?.text ?? ''}`);
      return value;
    },
    texts,
    has: (key: string) => values[key] === true,
    operand: positionals[0],
  };
}

function parse(options: Options, args: string[]) {
  try {
    return parseArgs<ParseArgsConfig>({ options, args, allowPositionals: true });
  } catch (error) {
    const message = withoutValues((error as Error).message);
    const unknown = /^Unknown option --([\w-]+)$/.exec(message)?.[1];
    const [near] = Object.keys(options).filter(
      (each) => unknown && (each.startsWith(unknown) || unknown.startsWith(each)),
    );
    throw new UsageError(near === undefined ? message : `${message}; did you mean --${near}?`);
  }
}

function checkTexts(key: string, texts: readonly string[], { value, mayRepeat, text }: CommandOption): void {
  const isUrl = (each: string) => /^https?:\/\//i.test(each) && URL.canParse(each);
  if (texts.includes('')) throw new UsageError(`--${key} must not be empty`);
  if (texts.length > 1 && !mayRepeat) throw new UsageError(`--${key} may be given only once: ${text}`);
  if (value === 'URL' && !texts.every(isUrl))
    throw new UsageError(`--${key} is not a URL: it must have the form https://host.example/path`);
}

/** The message without what was given: a secret on the command line is not shown again. */
const withoutValues = (message: string): string =>
  (message.split(/\.(\s|$)/)[0] ?? message).replace(/'(--?[\w-]+)[^']*'/g, '$1');

export function helpOf(name: CommandName): string {
  const rows = Object.entries(COMMANDS[name].options).map(
    ([option, { value, text }]) => `  ${`--${option} ${value ?? ''}`.padEnd(27)}${text}`,
  );
  return [`Usage: rx-fresh-token ${name} [options]`, '', `${name}: ${COMMANDS[name].text}`, '', ...rows].join('\n');
}

export const help = (): string =>
  [
    'Usage: rx-fresh-token <command> [options]',
    '',
    ...Object.entries(COMMANDS).map(([name, { text }]) => `  ${name.padEnd(8)}${text}`),
    '',
    'rx-fresh-token <command> --help shows the options,',
    'rx-fresh-token --version the version.',
  ].join('\n');

/**
 * What an error says, in the words of the command line: it speaks of `--token-endpoint`, and not of the option
 * "tokenEndpoint". Not every authorization server has a discovery document.
 */
export const withOptionNames = (message: string): string =>
  message
    .replace(/\boptions? (?=")/g, '')
    .replace(/"([a-z]\w*)(\[\d+\])?"/g, (quoted, name: string) => optionFor(name) ?? quoted)
    .replace(/\b(allowInsecureRequests|allowRemoteClients|clientAuth)\b( is true)?/g, (_text, name: string) =>
      String(optionFor(name)),
    )
    .replace(/\bdiscovery document\b.*$/s, '$&; --token-endpoint URL in the place of --issuer needs no discovery');

/** The option that sets one of the library's here: `--token-endpoint` for `tokenEndpoint`. */
function optionFor(name: string): string | undefined {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const option = words.replace(/^client-secret$/, '$&-file').replace(/^allowed-hosts$/, 'allowed-host');
  return Object.hasOwn({ ...PROXY_OPTIONS, ...TOKEN_OPTIONS }, option) ? `--${option}` : undefined;
}
