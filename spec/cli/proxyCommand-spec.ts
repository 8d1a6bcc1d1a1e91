import { renameSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { of, throwError } from 'rxjs';
import type { TokenEvent, TokenStream } from 'rx-fresh-token';
import { refreshOnChange, tokenLines } from '../../src/cli/proxyCommand.js';
import { listen, send, textOf, until } from '../proxy/support.js';
import { atEnd, run, secretFile, tokenServer, type Run } from './support.js';

const port = ({ out }: Run) => Number(/:(\d+)$/.exec(out.find((line) => line.startsWith('listening on')) ?? '')?.[1]);

async function start(...more: string[]) {
  const server = await tokenServer();
  const file = secretFile();
  const unlessGiven = (option: string, value: string) => (more.includes(option) ? [] : [option, value]);
  const started = run(
    'proxy',
    ...unlessGiven('--to', server.origin),
    ...unlessGiven('--token-endpoint', server.tokenUrl),
    ...['--client-id', 'orders', '--client-secret-file', file],
    ...more,
  );
  await until(() => started.out.length > 0 || started.err.length > 0);
  return { server, file, started, port: port(started) };
}

it('should listen, add the token, write an access log without queries, and end with status 0', async () => {
  const { started, port } = await start();
  const reply = await send(port, { method: 'POST', path: '/orders?key=secret', body: 'tea' });
  expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { method: 'POST', path: '/orders', token: 'token-1' }]);
  await until(() => started.out.length === 2);
  started.stop();
  expect(await started.status).toBe(0);
  expect(started.out).toEqual([
    `listening on http://127.0.0.1:${port}`,
    expect.stringMatching(/^\d{4}-\d\d-\d\dT\S+Z POST \/orders 200 \d+\.\d ms$/),
  ]);
  expect(started.err).toEqual([]);
});

it('should tell of refused tokens and of failures, and write no access log with --quiet', async () => {
  const { started, server, port } = await start('--quiet', '--replace-authorization');
  server.revoke('token-1');
  server.failToken('transient');
  expect((await send(port, { headers: { authorization: 'Basic eDp5' } })).status).toBe(401);
  await until(() => started.err.length === 2);
  expect(started.err[0]).toMatch(/Z the token was rejected: AccessToken\(Bearer [\da-f]{8}\), refreshing$/);
  expect(started.err[1]).toMatch(/Z no new token: /);
  expect(started.out.length).toBe(1);
});

it('should write a line about a rejection only if a refresh follows', () => {
  const rejected = (outcome: string) => ({ type: 'tokenRejected', token: 'T', outcome }) as unknown as TokenEvent;
  const lines: string[] = [];
  tokenLines(of(...['refreshing', 'alreadyReplaced', 'suppressed'].map(rejected))).subscribe((line) =>
    lines.push(line),
  );
  expect(lines).toEqual(['the token was rejected: T, refreshing']);
});

it('should write one line for each change while there is no token', () => {
  const failed = (message: string) => ({ type: 'refreshFailed', message }) as TokenEvent;
  const changed = { type: 'tokenChanged' } as TokenEvent;
  const lines: string[] = [];
  const events$ = of(
    changed,
    failed('503'),
    failed('503'),
    failed('refused'),
    failed('refused'),
    changed,
    failed('503'),
  );
  tokenLines(events$).subscribe((line) => lines.push(line));
  expect(lines).toEqual([
    'no new token: 503',
    'no new token: refused',
    'there is a new token again',
    'no new token: 503',
  ]);
});

it('should finish the requests under way when it is asked to end', async () => {
  let finish: () => void = () => undefined;
  const slow = createServer((_request, response) => {
    finish = () => void response.end('late');
  });
  const { started, port } = await start('--to', `http://127.0.0.1:${await listen(slow)}`);
  const began = finish;
  const reply = send(port);
  await until(() => finish !== began);
  started.stop();
  finish();
  expect([(await reply).body, await started.status]).toEqual(['late', 0]);
});

it('should read the secret anew, since it may be replaced', async () => {
  const secrets: string[] = [];
  const issuer = createServer((request, response) => {
    secrets.push(Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64').toString());
    void textOf(request).then(() => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ access_token: `t${secrets.length}`, token_type: 'Bearer', expires_in: 3600 }));
    });
  });
  const { started, file, port } = await start('--token-endpoint', `http://127.0.0.1:${await listen(issuer)}/token`);
  writeFileSync(file, 'another\r\n');
  // The server does not know the token, and refuses it.
  expect((await send(port)).status).toBe(401);
  expect(secrets).toEqual(['orders:not-to-be-shown', 'orders:another']);
  started.stop();
  expect(await started.status).toBe(0);
});

it('should ask again when the file with the secret is replaced, if there is no token', async () => {
  const file = secretFile();
  const refresh = jest.fn(() => throwError(() => new Error('down')));
  const stream = { refresh, current: null as unknown };
  const stop = refreshOnChange(file, stream as unknown as TokenStream);
  atEnd(stop);
  let written = 0;
  const isSeen = async (replace: (text: string) => void) => {
    const before = refresh.mock.calls.length;
    replace('s'.repeat(++written));
    // It looks once a second.
    await new Promise((done) => setTimeout(done, 2_500));
    return refresh.mock.calls.length > before;
  };
  const write = (text: string) => {
    writeFileSync(file, text);
  };
  await until(() => isSeen(write));
  // As Kubernetes does: another file takes its place.
  const putAnother = (text: string) => {
    writeFileSync(`${file}.next`, text);
    renameSync(`${file}.next`, file);
  };
  await until(() => isSeen(putAnother));
  stream.current = 'a token';
  expect(await isSeen(write)).toBe(false);
  stream.current = null;
  stop();
  expect(await isSeen(write)).toBe(false);
});

it('should break off what is not finished 8 s after it was asked to end', async () => {
  const responses: ServerResponse[] = [];
  const events = createServer((_request, response) => {
    responses.push(response);
    response.write('data: 1');
  });
  const { started, port } = await start('--to', `http://127.0.0.1:${await listen(events)}`);
  const broken = send(port).catch(() => 'broken off');
  await until(() => responses.length === 1);
  const asked = performance.now();
  started.stop();
  expect([await broken, await started.status]).toEqual(['broken off', 0]);
  const took = performance.now() - asked;
  // `docker stop` kills after 10 s.
  expect([took > 7_900, took < 9_900]).toEqual([true, true]);
});

it('should end while it waits for the first token', async () => {
  const server = await tokenServer();
  server.failToken('hang');
  const started = run(
    'proxy',
    '--to',
    server.origin,
    '--token-endpoint',
    server.tokenUrl,
    '--client-id',
    'a',
    '--client-secret-file',
    secretFile(),
  );
  atEnd(() => started.stop());
  await until(() => server.counts.tokenRequests === 1);
  started.stop();
  expect([await started.status, started.out, started.err]).toEqual([0, [], []]);
});
