import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { COMMANDS, withOptionNames } from '../../src/cli/options.js';
import { folder, run, secretFile } from './support.js';

const outcome = async (...args: string[]) => {
  const { out, err, status } = run(...args);
  return [await status, out, err] as const;
};

it.each([[['--help']], [['-h']], [['proxy', '--help']], [['proxy', '-h']]])('should show help for %j', async (args) => {
  const [status, out, err] = await outcome(...args);
  expect([status, err]).toEqual([0, []]);
  expect(out.join('\n')).toMatch(/^Usage: rx-fresh-token/);
});

it('should describe every option, each in a line', async () => {
  const [, out] = await outcome('proxy', '--help');
  const lines = out.join('\n').split('\n');
  for (const option of ['--to', '--listen', '--issuer', '--token-endpoint', '--client-id', '--client-secret-file'])
    expect(lines.some((line) => line.trim().startsWith(`${option} `))).toBe(true);
});

it.each([[['--help']], [['proxy', '--help']], [['token', '--help']]])(
  'should fit into 80 columns: %j',
  async (args) => {
    const [, out] = await outcome(...args);
    expect(
      out
        .join('\n')
        .split('\n')
        .filter(({ length }) => length > 80),
    ).toEqual([]);
  },
);

it('should have every option in the guide', () => {
  const guide = readFileSync(join(__dirname, '../../docs/proxy.md'), 'utf8');
  for (const { options } of Object.values(COMMANDS))
    for (const option of Object.keys(options)) if (option !== 'help') expect(guide).toContain(`--${option}`);
});

const secret = 'not-to-be-shown';

it.each([
  ['no command', [], /^Usage/],
  ['an unknown command', [secret], /^error: unknown command/],
  ['an unknown option', ['proxy', '--secret', secret], /^error: Unknown option --secret$/],
  [
    'a secret on the command line',
    ['proxy', `--client-secret=${secret}`],
    /^error: Unknown option --client-secret; did you mean --client-secret-file\?$/,
  ],
  ['an option with more to it', ['token', '--scopes', secret], /; did you mean --scope\?$/],
  ['an argument that is no option', ['proxy', secret], /^error: an argument is no option/],
  ['a value that is missing', ['proxy', '--to'], /^error: Option --to/],
  [
    'an option twice',
    ['token', '--scope', secret, '--scope=b'],
    /^error: --scope may be given only once: scopes, separated by spaces$/,
  ],
  ['no --to', ['proxy'], /^error: --to must be given: where the requests go$/],
  ['an empty value', ['token', '--store='], /^error: --store must not be empty$/],
  ['an empty value among others', ['token', '--audience=a', '--audience='], /^error: --audience must not be empty$/],
  ['no secret', ['proxy', '--to', 'https://x'], /^error: --client-secret-file must be given: the file/],
  ['a URL without a scheme', ['proxy', '--to', secret], /^error: --to is not a URL: .*https:\/\/host/],
  ['an issuer by its host', ['token', '--issuer', 'id.example.com:8443'], /^error: --issuer is not a URL/],
  ['a URL without a host', ['token', '--token-endpoint', 'https://'], /^error: --token-endpoint is not a URL/],
  [
    'a secret that is not there',
    ['proxy', '--to', 'https://x', '--client-secret-file', '/none'],
    /cannot be read: ENOENT \/none$/,
  ],
])('should say what is wrong in one line, with exit status 2, and quote no value: %s', async (_name, args, message) => {
  const [status, out, err] = await outcome(...args);
  expect([status, out, err.length]).toEqual([2, [], 1]);
  expect(err[0]).toMatch(message);
  expect(err[0]).not.toContain(secret);
});

it.each([
  ['--issuer and --token-endpoint: exactly one must be given, got neither', ['--client-id', 'a']],
  [
    '--token-endpoint must be an https: URL \\(http: goes to loopback only, unless --allow-insecure-requests\\)',
    ['--token-endpoint', 'http://id.example.com/token', '--client-id', 'a'],
  ],
  ['--client-id must be given: the client that asks for the token', ['--token-endpoint', 'https://x/token']],
  [
    '--client-auth must be one of client_secret_basic, client_secret_post$',
    ['--token-endpoint', 'https://x/token', '--client-id', 'a', '--client-auth', 'private_key_jwt'],
  ],
  [
    '--resource must be absolute URIs',
    ['--token-endpoint', 'https://x/token', '--client-id', 'a', '--resource', 'orders'],
  ],
  [
    '--to must be https, or http on loopback \\(elsewhere: --allow-insecure-requests\\)',
    ['--token-endpoint', 'https://x/token', '--client-id', 'a', '--to', 'http://api.example.com'],
  ],
  [
    '--listen must be an address of loopback.*elsewhere: --allow-remote-clients',
    ['--token-endpoint', 'https://x/token', '--client-id', 'a', '--listen', '0.0.0.0:80'],
  ],
  [
    '--listen must be a port, "host:port" or "unix:/path"',
    ['--token-endpoint', 'https://x/token', '--client-id', 'a', '--listen', '127.0.0.1'],
  ],
  [
    '--listen must be a unix socket in a folder that can be written \\(ENOENT /missing/folder\\)',
    ['--token-endpoint', 'https://x/token', '--client-id', 'a', '--listen', 'unix:/missing/folder/sock'],
  ],
  [
    '--allowed-host must be a host name without a port',
    ['--token-endpoint', 'https://x/token', '--client-id', 'a', '--allowed-host', 'x:80'],
  ],
])('should speak of the options of the command line: %s', async (message, args) => {
  const to = args.includes('--to') ? [] : ['--to', 'https://x'];
  const [status, , err] = await outcome('proxy', ...to, '--client-secret-file', secretFile(), ...args);
  expect([status, err.length]).toEqual([2, 1]);
  expect(err[0]).toMatch(new RegExp(`^error: ${message}`));
});

it.each<[string, string | Buffer, string]>([
  ['a line feed alone', '\n', 'is empty'],
  ['blanks alone', ' \t\r\n', 'is empty'],
  ['Latin-1', Buffer.from('not-to-be-sh\u00f6wn', 'latin1'), 'is not UTF-8 text'],
  ['UTF-16', Buffer.from('\uFEFFnot-to-be-shown\r\n', 'utf16le'), 'is not UTF-8 text'],
])('should refuse a file of %s: it has no secret that could be sent', async (_what, content, fault) => {
  const file = secretFile(content);
  const [status, , err] = await outcome('proxy', '--to', 'https://x', '--client-secret-file', file);
  expect([status, err]).toEqual([2, [`error: --client-secret-file ${fault}: ${file}`]]);
});

it('should refuse a file that is too long for a secret', async () => {
  const file = secretFile('s'.repeat(4097));
  const [status, , err] = await outcome('proxy', '--to', 'https://x', '--client-secret-file', file);
  expect([status, err[0]]).toEqual([
    2,
    `error: --client-secret-file is longer than any secret: more than 4096 bytes in ${file}`,
  ]);
});

it('should end at once when the secret is to come from a device without an end', async () => {
  const [status, , err] = await outcome('token', '--client-secret-file', '/dev/zero');
  expect([status, err]).toEqual([2, ['error: --client-secret-file is neither a regular file nor a pipe: /dev/zero']]);
});

it('should print the version', async () => {
  expect(await outcome('--version')).toEqual([0, ['1.2.3'], []]);
});

it('should leave other words as they are', () => {
  expect(withOptionNames('the server said "scoped", at "x": option "scope" is bad')).toBe(
    'the server said "scoped", at "x": --scope is bad',
  );
});

it('should say in one line that an issuer cannot be reached, with exit status 1', async () => {
  const args = ['--client-id', 'orders', '--client-secret-file', secretFile(), '--issuer', 'http://127.0.0.1:9'];
  const [status, out, err] = await outcome('proxy', '--to', 'https://x', ...args);
  expect([status, out, err.length]).toEqual([1, [], 1]);
  expect(err[0]).toMatch(/^error: no token: .*127\.0\.0\.1:9.*; --token-endpoint URL .* needs no discovery$/);
});

it('should say in one line that the place is taken, with exit status 1', async () => {
  const path = join(folder(), 'api.sock');
  const server = createServer();
  await new Promise<void>((done) => server.listen(path, done));
  const args = ['--client-id', 'orders', '--client-secret-file', secretFile(), '--token-endpoint', 'https://x/token'];
  const [status, out, err] = await outcome('proxy', '--to', 'https://x', '--listen', `unix:${path}`, ...args);
  server.close();
  expect([status, out, err]).toEqual([1, [], [`error: listen EADDRINUSE: address already in use ${path}`]]);
});
