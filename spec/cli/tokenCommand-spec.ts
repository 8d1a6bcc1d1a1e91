import { execFileSync, spawn } from 'node:child_process';
import { promises, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { firstValueFrom } from 'rxjs';
import { createTokenStream, takeToken } from 'rx-fresh-token';
import type { TokenServer } from 'rx-fresh-token/testing';
import { FORMATS } from '../../src/cli/formats.js';
import { readOptions } from '../../src/cli/options.js';
import { tokenSourceOf } from '../../src/cli/tokenSource.js';
import { listen, until } from '../proxy/support.js';
import { atEnd, folder, run, runWith, secretFile, tokenServer } from './support.js';

const credentials = (url: string) => [
  '--token-endpoint',
  url,
  '--client-id',
  'orders',
  '--client-secret-file',
  secretFile(),
];

it('should print one token, and end', async () => {
  const server = await tokenServer();
  const { out, err, status } = run('token', ...credentials(server.tokenUrl));
  expect([await status, out, err]).toEqual([0, ['token-1'], []]);
});

it('should end with one line and exit status 1 without a token, at the first failure', async () => {
  const server = await tokenServer();
  server.failToken('transient');
  const { out, err, status } = run('token', ...credentials(server.tokenUrl));
  expect([await status, out, err.length, server.counts.tokenRequests]).toEqual([1, [], 1, 1]);
  expect(err[0]).toMatch(/^error: no token: /);
});

it.each(['\uFEFFnot-to-be-shown\r\n', 'not-to-be-shown\n\n', 'not-to-be-shown'])(
  'should take the line of the file for the secret: %j',
  async (content) => {
    const secrets: string[] = [];
    const issuer = createServer((request, response) => {
      secrets.push(Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64').toString());
      response.setHeader('content-type', 'application/json');
      request.resume().on('end', () => response.end(JSON.stringify({ access_token: 'T', token_type: 'Bearer' })));
    });
    const url = `http://127.0.0.1:${await listen(issuer)}/token`;
    const args = ['--token-endpoint', url, '--client-id', 'orders', '--client-secret-file', secretFile(content)];
    expect(await run('token', ...args).status).toBe(0);
    expect(secrets).toEqual(['orders:not-to-be-shown']);
  },
);

it('should read the secret once where it comes by a pipe', async () => {
  const server = await tokenServer();
  const pipe = join(folder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const writing = spawn('sh', ['-c', 'echo not-to-be-shown > "$0"', pipe]);
  atEnd(() => writing.kill());
  const args = ['--token-endpoint', server.tokenUrl, '--client-id', 'orders', '--client-secret-file', pipe];
  const { out, err, status } = run('token', ...args);
  expect([await status, out, err]).toEqual([0, ['token-1'], []]);
});

it('should go on with the secret that it has when a pipe takes the place of the file', async () => {
  const server = await tokenServer();
  const file = secretFile();
  const args = ['--token-endpoint', server.tokenUrl, '--client-id', 'orders', '--client-secret-file', file];
  const source = tokenSourceOf(readOptions('token', args));
  rmSync(file);
  execFileSync('mkfifo', [file]);
  // Whoever reads it finds no secret, and does not hang.
  const writing = spawn('sh', ['-c', 'for n in 1 2 3 4 5 6; do echo > "$0"; sleep 0.3; done', file]);
  atEnd(() => writing.kill());
  const token$ = createTokenStream(source, { maxWait: 2000 });
  expect((await firstValueFrom(takeToken(token$))).value).toBe('token-1');
  token$.close();
});

it('should read no more than a secret of a pipe without an end', async () => {
  const pipe = join(folder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const writing = spawn('sh', ['-c', 'exec cat /dev/zero > "$0"', pipe]);
  atEnd(() => writing.kill());
  const { err, status } = run('token', '--client-id', 'orders', '--client-secret-file', pipe);
  expect([await status, err[0]]).toEqual([2, expect.stringContaining('longer than any secret')]);
});

it('should end with exit status 1 when it is asked to end before there is a token', async () => {
  const server = await tokenServer();
  server.failToken('hang');
  const { out, err, status, stop } = run('token', ...credentials(server.tokenUrl));
  await until(() => server.counts.tokenRequests === 1);
  stop();
  expect([await status, out, err]).toEqual([1, [], ['error: asked to end before there was a token']]);
});

it.each([
  [['--format', 'xml'], /^error: --format must be one of plain, json, exec-credential, git-credential$/],
  [['--format', 'constructor'], /^error: --format must be one of/],
  [['get'], /^error: an argument is no option/],
  [['--format', 'git-credential', 'get', 'store'], /^error: an argument is no option/],
])('should refuse %j', async (args, message) => {
  const { err, status } = run('token', ...args);
  expect([await status, err.length]).toEqual([2, 1]);
  expect(err[0]).toMatch(message);
});

describe('--store', () => {
  it('should fetch one token for all who share the file', async () => {
    const server = await tokenServer({ lifetime: 60_000 });
    const args = ['token', '--store', join(folder(), 'token.json'), ...credentials(server.tokenUrl)];
    const first = run(...args);
    expect([await first.status, first.err]).toEqual([0, []]);
    const others = [run(...args), run(...args)];
    for (const { status } of others) expect(await status).toBe(0);
    expect([first, ...others].map(({ out }) => out)).toEqual([['token-1'], ['token-1'], ['token-1']]);
    expect(server.counts.tokenRequests).toBe(1);
  });

  describe('with a token in the file that ends soon', () => {
    /** The token in the file is 55 s old when the command runs again, so many times at once, and has 5 s left. */
    const runLater = async (times: number, prepare: (server: TokenServer) => void = () => undefined) => {
      const server = await tokenServer({ lifetime: 60_000 });
      const args = ['token', '--store', join(folder(), 'token.json'), ...credentials(server.tokenUrl)];
      await run(...args).status;
      prepare(server);
      const now = Date.now.bind(Date);
      const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + 55_000);
      atEnd(() => clock.mockRestore());
      const runs = Array.from({ length: times }, () => run(...args));
      for (const { status } of runs) expect(await status).toBe(0);
      return { out: runs.flatMap(({ out }) => out), err: runs.flatMap(({ err }) => err), server };
    };

    it('should print its successor, fetched once for all, since nobody renews it in the file', async () => {
      const { out, err, server } = await runLater(3);
      expect([out, err, server.counts.tokenRequests]).toEqual([Array(3).fill('token-2'), [], 2]);
    });

    it('should print it with a warning if there is no other', async () => {
      const { out, err } = await runLater(1, (server) => server.failToken('transient'));
      expect([out, err]).toEqual([['token-1'], [expect.stringMatching(/^warning: no token: .*this one ends soon$/)]]);
    });
  });

  it('should print a token that cannot be stored, with a warning', async () => {
    const server = await tokenServer();
    const { rename } = promises;
    const spy = jest.spyOn(promises, 'rename').mockImplementation(async (from, to) => {
      if (String(to).endsWith('token.json')) throw Object.assign(new Error('no'), { code: 'EACCES' });
      await rename(from, to);
    });
    atEnd(() => spy.mockRestore());
    const args = ['token', '--store', join(folder(), 'token.json'), ...credentials(server.tokenUrl)];
    const { out, err, status } = run(...args);
    expect(await status).toBe(0);
    expect([out, err]).toEqual([['token-1'], [expect.stringMatching(/^warning: .*token\.json .*EACCES$/)]]);
  });

  it('should leave a file of another kind as it is, and say so in one line', async () => {
    const server = await tokenServer();
    const file = join(folder(), 'notes.txt');
    writeFileSync(file, 'not a token', { mode: 0o600 });
    const { out, err, status } = run('token', '--store', file, ...credentials(server.tokenUrl));
    expect([await status, out, err.length, server.counts.tokenRequests]).toEqual([1, [], 1, 0]);
    expect(readFileSync(file, 'utf8')).toBe('not a token');
  });
});

describe('the operations of git', () => {
  const git = async (input: string, operation: string) => {
    const server = await tokenServer();
    const started = runWith(input, 'token', '--format', 'git-credential', ...credentials(server.tokenUrl), operation);
    return { status: await started.status, out: started.out, requests: server.counts.tokenRequests };
  };

  it('should get a token as what git understands', async () => {
    const { status, out } = await git('capability[]=authtype\nprotocol=https\nhost=git.example.com\n\n', 'get');
    expect(status).toBe(0);
    expect(out[0]).toMatch(
      /^capability\[\]=authtype\nauthtype=Bearer\ncredential=token-1\nephemeral=1\npassword_expiry_utc=\d{10}$/,
    );
  });

  it.each(['store', 'erase', 'capability'])('should fetch nothing to %s', async (operation) => {
    expect(await git('', operation)).toEqual({ status: 0, out: [], requests: 0 });
  });

  it.each([
    ['password=token-1', 'token-2'],
    ['authtype=Bearer\ncredential=token-1', 'token-2'],
    ['password=token-0', 'token-1'],
    ['', 'token-1'],
  ])('should replace the stored token if that is what git erases: %j', async (erased, expected) => {
    const server = await tokenServer({ lifetime: 60_000 });
    const args = ['token', '--store', join(folder(), 'token.json'), ...credentials(server.tokenUrl)];
    await run(...args).status;
    const erase = runWith(`protocol=https\n${erased}\n\n`, ...args, '--format', 'git-credential', 'erase');
    expect([await erase.status, erase.out, erase.err]).toEqual([0, [], []]);
    const next = run(...args);
    await next.status;
    expect(next.out).toEqual([expected]);
  });
});

describe('the format', () => {
  const now = Date.UTC(2026, 0, 1);
  const token = (response: object = {}) =>
    firstValueFrom(
      takeToken(
        createTokenStream(() => Promise.resolve({ access_token: 'T', expires_in: 29.9, ...response }), {
          now: () => now,
        }),
      ),
    );
  const print = async (name: string, response: object = {}, context: object = {}) =>
    FORMATS[name]?.(await token(response), { now: now + 1_000, input: '', ...context });

  it('json should be a token response, with the life that is left', async () => {
    expect(JSON.parse((await print('json', { scope: 'a b' })) ?? '')).toEqual({
      access_token: 'T',
      token_type: 'Bearer',
      expires_in: 28,
      scope: 'a b',
    });
    expect(await print('json', { expires_in: undefined })).toBe('{"access_token":"T","token_type":"Bearer"}');
  });

  it('exec-credential should be that of Kubernetes, with an end in whole seconds', async () => {
    const head = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential' };
    expect(JSON.parse((await print('exec-credential')) ?? '')).toEqual({
      ...head,
      status: { token: 'T', expirationTimestamp: '2026-01-01T00:00:29Z' },
    });
    expect(JSON.parse((await print('exec-credential', { expires_in: undefined })) ?? '')).toEqual({
      ...head,
      status: { token: 'T' },
    });
  });

  it.each([
    ['{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential"}', 'v1beta1'],
    ['{"apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}}', 'v1'],
    ['{"apiVersion":"example.com/v2"}', 'v1'],
    ['{"apiVersion":7}', 'v1'],
    ['null', 'v1'],
    ['v1beta1', 'v1'],
  ])('exec-credential should have the version that is asked for: %s', async (execInfo, version) => {
    const printed = JSON.parse((await print('exec-credential', {}, { execInfo })) ?? '') as { apiVersion: string };
    expect(printed.apiVersion).toBe(`client.authentication.k8s.io/${version}`);
  });

  it.each([
    ['the year 10 000', Date.UTC(10_000, 0, 1) / 1000 - now / 1000],
    ['for ever, as WSO2 says it', 2 ** 63 / 1000],
    ['for ever, as Java says it', 2 ** 63],
  ])('should have no end where the token has one that not every reader can take: %s', async (_name, expires_in) => {
    const [json, exec, git] = await Promise.all(
      ['json', 'exec-credential', 'git-credential'].map((name) => print(name, { expires_in })),
    );
    expect(json).toBe('{"access_token":"T","token_type":"Bearer"}');
    expect((JSON.parse(exec ?? '') as { status: object }).status).toEqual({ token: 'T' });
    expect(git).toBe('username=oauth2\npassword=T');
  });

  it('exec-credential should tell the last second of the year 9999', async () => {
    const expires_in = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000 - now / 1000;
    expect(await print('exec-credential', { expires_in })).toContain('"9999-12-31T23:59:59Z"');
  });

  it('git-credential should be a password for a git that knows no schemes, and keep the name that git has', async () => {
    const end = `password_expiry_utc=${now / 1000 + 29}`;
    expect(await print('git-credential')).toBe(`username=oauth2\npassword=T\n${end}`);
    expect(await print('git-credential', {}, { input: 'protocol=https\nusername=ann\n' })).toBe(`password=T\n${end}`);
    expect(await print('git-credential', { expires_in: undefined })).toBe('username=oauth2\npassword=T');
  });
});
