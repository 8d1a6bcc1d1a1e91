import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { firstValueFrom, from, of, take } from 'rxjs';
import type { AccessToken, StoredToken, TokenRequest, TokenResponse, TokenStore } from 'rx-fresh-token';
import { redisTokenStore, type EncryptionKey } from '../../src/redis/index.js';
import { startRedis, type RedisServer } from '../setup/redis/server.cjs';
import { connect, freshKey, instances, KINDS, type Connection } from './clients.js';
import { pause } from './fleet/fleet.js';
import { heldUp } from './heldUp.js';

jest.setTimeout(30_000);
const SECRET = 'SECRET-4711';
const key = (id: string, fill: number): EncryptionKey => ({ id, key: new Uint8Array(32).fill(fill) });
const requestOf = (previous: AccessToken | null = null, report?: (failure: unknown) => void): TokenRequest => ({
  reason: 'initial',
  attempt: 1,
  previous,
  signal: new AbortController().signal,
  report,
});
const ask = (store: TokenStore, response: TokenResponse, request = requestOf()): Promise<StoredToken> =>
  firstValueFrom(from(store.refresh(request, () => of(response))).pipe(take(1)));
const secret = { access_token: `${SECRET}-access`, refresh_token: `${SECRET}-refresh`, expires_in: 3600 };
const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

async function ownRedis(...args: string[]): Promise<RedisServer> {
  const server = await startRedis({ args });
  dispose.push(server.stop);
  return server;
}

async function open(...of: Parameters<typeof connect>): Promise<Connection> {
  const connection = await connect(...of);
  dispose.push(connection.close);
  return connection;
}

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );

describe.each(KINDS)('what is encrypted, with %s,', (kind) => {
  it('should stand in no HGETALL, SLOWLOG, MONITOR, push or log file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rx-fresh-token-log-'));
    dispose.push(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const log = join(folder, 'redis.log');
    const server = await ownRedis(
      '--slowlog-log-slower-than',
      '0',
      '--slowlog-max-len',
      '10000',
      '--logfile',
      log,
      '--loglevel',
      'debug',
    );
    const monitor = await open(kind, server.url);
    const seen: string[] = [];
    if (kind === 'redis')
      await (monitor.client as unknown as { monitor(callback: (line: unknown) => void): Promise<void> }).monitor(
        (line) => seen.push(String(line)),
      );
    else {
      const monitoring = await (
        monitor.client as unknown as {
          monitor(): Promise<{
            on(event: string, listener: (time: string, args: string[]) => void): void;
            disconnect(): void;
          }>;
        }
      ).monitor();
      monitoring.on('monitor', (_time, args) => seen.push(args.join(' ')));
      dispose.push(() => {
        monitoring.disconnect();
      });
    }
    const {
      all: [one, other],
      key: name,
      dispose: end,
    } = await instances(kind, 2, { url: server.url, encryptionKey: key('k1', 1) });
    dispose.push(end);
    const pushed: string[] = [];
    const watching = from(other!.store.changes!).subscribe(({ response }) => pushed.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    await pause(200);
    await ask(one!.store, secret);
    expect(await ask(other!.store, { access_token: 'other' })).toMatchObject({ origin: 'shared', response: secret });
    await pause(200);
    expect(pushed).toEqual([secret.access_token]);
    seen.push(
      JSON.stringify(await one!.command('HGETALL', `rx-fresh-token:{${name}}`)),
      JSON.stringify(await one!.command('SLOWLOG', 'GET', '10000')),
    );
    const written = readFileSync(log, 'utf8');
    expect(written).toContain('Accepted');
    seen.push(written);
    const text = seen.join('\n');
    expect(text).toMatch(/publish/i);
    expect(text).toContain('1.k1.');
    expect(text).not.toContain(SECRET);
  });

  it('should be refused under another key, although it was encrypted with the same one', async () => {
    const {
      all: [one],
      key: name,
      dispose: end,
    } = await instances(kind, 1, { encryptionKey: key('k1', 1) });
    dispose.push(end);
    await ask(one!.store, secret);
    const elsewhere = freshKey();
    const fields = (await one!.command(
      'HMGET',
      `rx-fresh-token:{${name}}`,
      'gen',
      'token',
      'issued',
      'life',
      'at',
    )) as string[];
    await one!.command(
      'HSET',
      `rx-fresh-token:{${elsewhere}}`,
      ...['gen', 'token', 'issued', 'life', 'at'].flatMap((field, index) => [field, fields[index]!]),
    );
    const victim = redisTokenStore({ client: one!.client, key: elsewhere, encryptionKey: key('k1', 1) });
    const failure = await failureOf(ask(victim, { access_token: 'own' }));
    expect(failure).toMatchObject({ name: 'TokenStoreError', code: 'ERR_TOKEN_STORE' });
    expect(inspect(failure, { showHidden: true, depth: 9 })).not.toContain(SECRET);
  });

  it('should be opened by those who have a new key first and the old one too, and then by those who have only the new one', async () => {
    const {
      all: [one],
      key: name,
      dispose: end,
    } = await instances(kind, 1, { encryptionKey: key('old', 1) });
    dispose.push(end);
    const store = (...keys: EncryptionKey[]) =>
      redisTokenStore({ client: one!.client, key: name, encryptionKey: keys, forceCooldown: 0 });
    const first = await ask(one!.store, secret);
    expect(await ask(store(key('new', 2), key('old', 1)), { access_token: 'x' })).toMatchObject({
      response: first.response,
      origin: 'shared',
    });
    const failure = await failureOf(ask(store(key('new', 2)), { access_token: 'x' }));
    expect(String(failure)).toContain('a key that this process does not have: old');
    const previous = { value: secret.access_token } as AccessToken;
    await ask(
      store(key('new', 2), key('old', 1)),
      { access_token: 'NEXT', expires_in: 3600 },
      { ...requestOf(previous), reason: 'scheduled' },
    );
    expect(await ask(store(key('new', 2)), { access_token: 'x' })).toMatchObject({
      origin: 'shared',
      response: { access_token: 'NEXT' },
    });
  });

  it('should harm nobody whose commit comes late, and finds what was encrypted with a key that it does not have', async () => {
    const name = freshKey();
    const { client, hold, release } = heldUp((await open(kind, process.env.REDIS_URL!)).client);
    const behind = redisTokenStore({ client, key: name, lease: 300, storeDeadline: 100, encryptionKey: key('old', 1) });
    const ahead = redisTokenStore({
      client: (await open(kind, process.env.REDIS_URL!)).client,
      key: name,
      lease: 300,
      encryptionKey: [key('new', 2), key('old', 1)],
    });
    const fetched = firstValueFrom(
      from(
        behind.refresh(requestOf(), () => {
          hold();
          return of({ access_token: 'A', expires_in: 3600 });
        }),
      ),
    );
    expect(await fetched).toMatchObject({ origin: 'fetched', response: { access_token: 'A' } });
    await pause(350);
    expect(await ask(ahead, { access_token: 'B', expires_in: 3600 })).toMatchObject({ origin: 'fetched' });
    release();
    // Jest fails the spec in which a rejection is left unhandled.
    await pause(600);
    expect(await ask(ahead, { access_token: 'C' })).toMatchObject({
      origin: 'shared',
      response: { access_token: 'B' },
    });
  });
});

describe.each(KINDS)('an error, with %s,', (kind) => {
  it('should not tell what was stored, although clients put the command on theirs', async () => {
    const server = await ownRedis();
    const admin = await open(kind, server.url);
    // No PUBLISH: the commit fails with the token among its arguments.
    await admin.command('ACL', 'SETUSER', 'weak', 'on', '>weak', '~*', '&*', '+@all', '-publish');
    const weak = await open(kind, server.url.replace('redis://', 'redis://weak:weak@'));
    const reported: unknown[] = [];
    const store = redisTokenStore({ client: weak.client, key: 'k', storeDeadline: 1000 });
    expect(
      await ask(
        store,
        secret,
        requestOf(null, (failure) => reported.push(failure)),
      ),
    ).toMatchObject({ origin: 'fetched', response: secret });
    await admin.command('ACL', 'SETUSER', 'weak', '-evalsha', '-eval');
    const abandoned = from(
      store.refresh(
        requestOf({ value: 'x' } as AccessToken, (failure) => reported.push(failure)),
        () => of(secret),
      ),
    ).subscribe();
    await pause(300);
    abandoned.unsubscribe();
    // Of the commit, in whose script PUBLISH failed, and of the next refresh.
    expect(reported.map(String)).toEqual([
      'TokenStoreError: Redis is not available: NOPERM',
      'TokenStoreError: Redis is not available: NOPERM',
    ]);
    expect(inspect(reported, { showHidden: true, depth: 9 })).not.toContain(SECRET);
  });
});

describe.each(KINDS)('with %s, the permissions that docs/fleet.md names', (kind) => {
  it('should suffice', async () => {
    const server = await ownRedis();
    const admin = await open(kind, server.url);
    const line =
      '~rx-fresh-token:* &rx-fresh-token:* -@all +eval +evalsha +time +hmget +hset +hdel +pttl +pexpire +publish +subscribe +unsubscribe';
    await admin.command('ACL', 'SETUSER', 'fleet', 'on', '>word', ...line.split(' '));
    const warned = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    // ioredis asks for INFO when it connects, and warns that it may not.
    const url = server.url.replace('redis://', 'redis://fleet:word@');
    const make = async () => {
      if (kind === 'redis') return open(kind, url);
      const { Redis } = await import('ioredis');
      const client = new Redis(url, { enableReadyCheck: false });
      client.on('error', () => undefined);
      dispose.push(() => {
        client.disconnect();
      });
      return { client };
    };
    const one = redisTokenStore({ client: (await make()).client, key: 'k' });
    const other = redisTokenStore({ client: (await make()).client, key: 'k' });
    const pushed: string[] = [];
    const watching = from(other.changes!).subscribe(({ response }) => pushed.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    await pause(300);
    await failureOf(
      firstValueFrom(
        from(
          one.refresh(requestOf(), () => {
            throw new Error('down');
          }),
        ),
      ),
    );
    await pause(300);
    await ask(one, secret);
    await pause(200);
    expect(pushed).toEqual([secret.access_token]);
    expect(await ask(other, { access_token: 'x' })).toMatchObject({ origin: 'shared', response: secret });
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
    expect(
      ((await admin.command('ACL', 'LOG')) as unknown[])
        .map((entry) => JSON.stringify(entry))
        .filter((entry) => !/client|info/.test(entry)),
    ).toEqual([]);
  });
});
