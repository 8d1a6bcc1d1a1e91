import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './io.js';

/** Names of options as they are read; the text of `--help` stands beside them. */
const TOKEN_OPTIONS = {
  issuer: { type: 'string', text: 'URL    the authorization server; its metadata is discovered' },
  'token-endpoint': { type: 'string', text: 'URL    the token endpoint, in the place of --issuer' },
  'client-id': { type: 'string', text: 'ID     the client' },
  'client-secret-file': { type: 'string', text: 'FILE   the file with its secret; it may change' },
  'client-auth': { type: 'string', text: 'METHOD client_secret_basic (default) or client_secret_post' },
  scope: { type: 'string', text: 'TEXT   scopes, separated by spaces' },
  audience: { type: 'string', multiple: true, text: 'TEXT   the API that the token is for, by name; may be repeated' },
  resource: {
    type: 'string',
    multiple: true,
    text: 'URI    the API that the token is for (RFC 8707); may be repeated',
  },
  store: { type: 'string', text: 'FILE   shares the token with other processes of this user' },
  'allow-insecure-requests': { type: 'boolean', text: '       http: to other hosts than loopback' },
} as const;

const PROXY_OPTIONS = {
  to: { type: 'string', text: 'URL    where the requests go' },
  listen: { type: 'string', text: 'PLACE  127.0.0.1:8080, unix:/run/api.sock; default a free port' },
  'allow-remote-clients': {
    type: 'boolean',
    text: '       serves other machines too: all get the rights of the token',
  },
  'allowed-host': { type: 'string', multiple: true, text: 'NAME   another name of the proxy in Host; may be repeated' },
  'replace-authorization': {
    type: 'boolean',
    text: "       replaces a client's Authorization header: else it is refused",
  },
  quiet: { type: 'boolean', text: '       writes no access log' },
} as const;

const FORMAT_OPTIONS = {
  format: { type: 'string', text: 'NAME   plain (default), json, exec-credential or git-credential' },
} as const;

const COMMON = {
  help: { type: 'boolean', short: 'h', text: '       this text' },
} as const;

export const COMMANDS = {
  proxy: {
    text: 'adds a fresh token to the requests of local programs',
    options: { ...PROXY_OPTIONS, ...TOKEN_OPTIONS, ...COMMON },
    takesOperand: false,
  },
  token: {
    text: 'prints one token, for kubectl, git and scripts',
    options: { ...FORMAT_OPTIONS, ...TOKEN_OPTIONS, ...COMMON },
    // Git appends its operation to the command of a helper.
    takesOperand: true,
  },
} as const;

export type CommandName = keyof typeof COMMANDS;

type Read = (name: string) => string | undefined;

/** The options of a command line, by their names without dashes. */
export interface Given {
  readonly text: Read;
  readonly texts: (name: string) => readonly string[];
  readonly has: (name: string) => boolean;
  readonly operands: readonly string[];
}

/** @throws UsageError */
export function readOptions(name: CommandName, args: readonly string[]): Given {
  const { takesOperand, ...command } = COMMANDS[name];
  const options: ParseArgsConfig['options'] = command.options;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: takesOperand });
    const [empty] = Object.entries(values).find(([, value]) => [value].flat().includes('')) ?? [];
    if (empty !== undefined) throw new UsageError(`--${empty} must not be empty`);
    return {
      text: (key) => (typeof values[key] === 'string' ? values[key] : undefined),
      texts: (key) => [values[key] ?? []].flat().map(String),
      has: (key) => values[key] === true,
      operands: positionals,
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(withoutValues(error as NodeJS.ErrnoException));
  }
}

/** The message without what was given: a secret on the command line is not shown again. */
function withoutValues({ message, code }: NodeJS.ErrnoException): string {
  if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') return 'an argument is no option, and no value of one';
  return (message.split(/\.(\s|$)/)[0] ?? message).replace(/'(--?[\w-]+)[^']*'/g, '$1');
}

export function helpOf(name: CommandName): string {
  const rows = Object.entries(COMMANDS[name].options).map(([option, { text }]) => `  --${option.padEnd(24)}${text}`);
  return [`Usage: rx-fresh-token ${name} [options]`, '', `${name}: ${COMMANDS[name].text}`, '', ...rows].join('\n');
}

export const help = (): string =>
  [
    'Usage: rx-fresh-token <command> [options]',
    '',
    ...Object.entries(COMMANDS).map(([name, { text }]) => `  ${name.padEnd(8)}${text}`),
    '',
    'rx-fresh-token <command> --help shows the options.',
  ].join('\n');

/**
 * What an error says, in the words of the command line: it speaks of `--token-endpoint`, and not of the option
 * "tokenEndpoint".
 */
export const inOptions = (message: string): string =>
  message
    .replace(/\boptions? (?=")/g, '')
    .replace(/"([a-z]\w*)(\[\d+\])?"/g, (quoted, name: string) => NAMES[name] ?? quoted)
    .replace(/\b(allowInsecureRequests|allowRemoteClients|clientAuth)\b( is true)?/g, (_text, name: string) =>
      String(NAMES[name]),
    );

/** The options of the library by what sets them here. */
const NAMES: Readonly<Record<string, string | undefined>> = {
  issuer: '--issuer',
  tokenEndpoint: '--token-endpoint',
  clientId: '--client-id',
  clientSecret: '--client-secret-file',
  clientAuth: '--client-auth',
  scope: '--scope',
  audience: '--audience',
  resource: '--resource',
  allowInsecureRequests: '--allow-insecure-requests',
  to: '--to',
  listen: '--listen',
  allowRemoteClients: '--allow-remote-clients',
  allowedHosts: '--allowed-host',
};
