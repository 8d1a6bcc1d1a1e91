import { firstValueFrom, from, of, Subject, take, type Observable } from 'rxjs';
import {
  createTokenStream,
  type AccessToken,
  type StoredToken,
  type TokenRequest,
  type TokenResponse,
  type TokenStore,
} from 'rx-fresh-token';
import { refreshToken } from '../../src/oauth/refreshToken.js';
import { redisTokenStore, type EncryptionKey } from '../../src/redis/index.js';
import { clientOf, startAuthority } from '../oauth/authority.js';
import { startRedis } from '../setup/redis/server.cjs';
import { connect, freshKey, KINDS, type Connection } from './clients.js';
import { pause, until } from './fleet/fleet.js';

const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

const keyOf = (id: string, fill: number): EncryptionKey => ({ id, key: new Uint8Array(32).fill(fill) });
const requestOf = (previous: AccessToken | null = null): TokenRequest => ({
  reason: previous ? 'scheduled' : 'initial',
  attempt: 1,
  previous,
  signal: new AbortController().signal,
});
const ask = (store: TokenStore, fetch: () => Observable<TokenResponse>, request = requestOf()): Promise<StoredToken> =>
  firstValueFrom(from(store.refresh(request, fetch)).pipe(take(1)));
const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'answered',
    (error: unknown) => (error as { code?: unknown }).code,
  );
const T1 = { access_token: 'T1', refresh_token: 'R1', expires_in: 3600 };

describe.each(KINDS)('a stored value that cannot be read, with %s,', (kind) => {
  let connection: Connection;
  let key: string;
  const hash = () => `rx-fresh-token:{${key}}`;
  const fields = async (...names: string[]) => (await connection.command('HMGET', hash(), ...names)) as string[];
  const set = (...pairs: string[]) => connection.command('HSET', hash(), ...pairs);
  const store = (encryptionKey?: EncryptionKey | EncryptionKey[], options = {}) =>
    redisTokenStore({ client: connection.client, key, encryptionKey, ...options });
  /** A process that holds `k1` leaves a token whose life is over, with the refresh token that it came with. */
  const leave = async (encryptionKey: EncryptionKey | undefined = keyOf('k1', 1)) => {
    await ask(store(encryptionKey), () => of({ ...T1, expires_in: 0 }));
  };
  beforeEach(async () => {
    connection = await connect(kind, process.env.REDIS_URL!);
    dispose.push(connection.close);
    key = freshKey();
  });

  const elsewhere = async () => {
    const here = key;
    key = freshKey();
    await leave();
    const [token] = await fields('token');
    key = here;
    return token!;
  };

  const nothing = () => Promise.resolve();

  it.each<[string, EncryptionKey | undefined, () => Promise<unknown>]>([
    ['another key has its id', keyOf('k1', 2), nothing],
    ['its key is not known', keyOf('k2', 1), nothing],
    ['the process has no key', undefined, nothing],
    ['it was moved from another name', keyOf('k1', 1), async () => set('token', await elsewhere())],
    ['it is cut off', keyOf('k1', 1), async () => set('token', (await fields('token'))[0]!.slice(0, -9))],
    ['it is cut off to nothing', keyOf('k1', 1), () => set('token', '')],
    ['it is not encrypted', keyOf('k1', 1), () => set('token', '0.{"access_token":"T1"}')],
    ['a later version wrote it', keyOf('k1', 1), () => set('token', '9.k1.AAAA.AAAA')],
    ['its generation is another', keyOf('k1', 1), async () => set('gen', String(Number((await fields('gen'))[0]) + 1))],
    ['its life is another', keyOf('k1', 1), () => set('life', '1')],
    ['its generation is no number', keyOf('k1', 1), () => set('gen', 'nonsense')],
    [
      'something else lies under the name',
      keyOf('k1', 1),
      async () => {
        await connection.command('DEL', hash());
        await connection.command('SET', hash(), 'x');
      },
    ],
  ])('should fail each refresh and ask no source: %s', async (_why, encryptionKey, damage) => {
    await leave();
    await damage();
    let asked = 0;
    const fetch = () => {
      asked++;
      return of({ access_token: 'OWN', expires_in: 3600 });
    };
    for (const onUnavailable of ['wait', 'local'] as const) {
      const one = store(encryptionKey, { onUnavailable });
      const begun = performance.now();
      expect([await outcome(ask(one, fetch)), await outcome(ask(one, fetch))]).toEqual([
        'ERR_TOKEN_STORE',
        'ERR_TOKEN_STORE',
      ]);
      // Neither of the two held the lease.
      expect(performance.now() - begun).toBeLessThan(5000);
    }
    expect(asked).toBe(0);
  });

  it.each([
    ['SET', 'x'],
    ['RPUSH', 'x'],
  ])('should be deleted by a sign-out, whatever type it has: %s', async (...value) => {
    await connection.command(value[0], hash(), value[1]);
    const one = store();
    expect(await outcome(ask(one, () => of(T1)))).toBe('ERR_TOKEN_STORE');
    one.signOut!();
    expect(await ask(one, () => of(T1))).toMatchObject({ response: { access_token: 'T1' } });
  });

  it('should not make a process with the right key wait, nor take its token away', async () => {
    await leave();
    expect(await outcome(ask(store(keyOf('k2', 2)), () => of(T1)))).toBe('ERR_TOKEN_STORE');
    expect(await ask(store(keyOf('k1', 1)), () => of({ access_token: 'T2', expires_in: 3600 }))).toMatchObject({
      response: { access_token: 'T2' },
    });
  });

  it("should keep a process from fetching for itself when Redis is gone afterwards, with 'local'", async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    connection = await connect(kind, server.url);
    dispose.push(connection.close);
    await leave();
    const wrong = store(keyOf('k1', 2), { onUnavailable: 'local', storeDeadline: 200 });
    let asked = 0;
    const fetch = () => {
      asked++;
      return of(T1);
    };
    expect(await outcome(ask(wrong, fetch))).toBe('ERR_TOKEN_STORE');
    await server.stop();
    expect(await outcome(ask(wrong, fetch))).toBe('ERR_TOKEN_STORE');
    expect(asked).toBe(0);
  });

  it('should leave a chain of rotating refresh tokens whole when a process with a wrong key joins', async () => {
    const authority = await startAuthority({ delay: 5 });
    const seed = await authority.seed();
    const stream = (encryptionKey: EncryptionKey, maxWait?: number) => {
      const token$ = createTokenStream(refreshToken({ ...clientOf(authority, 'app'), refreshToken: seed }), {
        store: store(encryptionKey, { forceCooldown: 0 }),
        maxWait,
      });
      dispose.push(() => {
        token$.close();
      });
      return token$;
    };
    const right = stream(keyOf('k1', 1));
    await firstValueFrom(right);
    await firstValueFrom(right.refresh());
    const wrong = stream(keyOf('k1', 2), 600);
    expect(await outcome(firstValueFrom(wrong.refresh()))).toBe('ERR_TOKEN_UNAVAILABLE');
    expect(await outcome(firstValueFrom(wrong.refresh()))).toBe('ERR_TOKEN_UNAVAILABLE');
    await firstValueFrom(right.refresh());
    const { refused, revokedGrants } = await authority.stats();
    expect({ refused, revokedGrants }).toEqual({ refused: [], revokedGrants: 0 });
  });

  it('should begin with the token that the process knows when Redis has lost the last write', async () => {
    const encryptionKey = keyOf('k1', 1);
    const one = store(encryptionKey);
    await ask(one, () => of(T1));
    const names = ['gen', 'token', 'issued', 'life', 'fence', 'committed', 'at'];
    const before = await fields(...names);
    const previous = { value: 'T1' } as AccessToken;
    await ask(one, () => of({ access_token: 'T2', refresh_token: 'R2', expires_in: 3600 }), requestOf(previous));
    await set(...names.flatMap((name, index) => [name, before[index]!]));
    const handed: unknown[] = [];
    await firstValueFrom(
      from(
        one.refresh(requestOf({ value: 'T2' } as AccessToken), (last) => {
          handed.push(last?.refresh_token);
          return of({ access_token: 'T3', expires_in: 3600 });
        }),
      ),
    );
    expect(handed).toEqual(['R2']);
  });
});

describe.each(KINDS)('a forged push, with %s,', (kind) => {
  it.each([
    ['of generation 2^53', (now: number) => [2 ** 53, now, 3_600_000] as const],
    ['of a generation that is no number', (now: number) => ['1e400', now, 3_600_000] as const],
    ['of a generation an hour ahead', (now: number) => [now + 3_600_000, now, 3_600_000] as const],
    ['from a clock that is far ahead', (now: number) => [now + 1, now, 3_600_000, 8e15] as const],
  ])('should change nothing without an encryption key: %s', async (_what, forge) => {
    const { command, client, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    const hash = `rx-fresh-token:{${key}}`;
    const [one, other] = [redisTokenStore({ client, key }), redisTokenStore({ client, key })];
    const heard: string[] = [];
    const watching = from(other.changes!).subscribe(({ response }) => heard.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    await pause(200);
    await ask(one, () => of(T1));
    await until(() => heard.length > 0);
    const [hashId, at] = (await command('HMGET', hash, 'hashId', 'at')) as string[];
    const [generation, issued, life, now = Number(at)] = forge(Number(at));
    const record = { generation, issued, life, response: { access_token: 'FORGED', expires_in: 3600 } };
    await command(
      'PUBLISH',
      `${hash}:push`,
      ['T', now, hashId, generation, issued, life, 'x.1', `0.${JSON.stringify(record)}`].join('\n'),
    );
    await pause(100);
    let asked = 0;
    const next = () => {
      asked++;
      return of({ access_token: 'T2', expires_in: 3600 });
    };
    const request = requestOf({ value: 'T1' } as AccessToken);
    const tokens = await Promise.all([ask(one, next, request), ask(other, next, request)]);
    expect(tokens.map(({ response }) => response.access_token)).toEqual(['T2', 'T2']);
    await until(() => heard.includes('T2'));
    expect([asked, heard]).toEqual([1, ['T1', 'T2']]);
  });

  it('should be refused when it offers an old encrypted token as a new one', async () => {
    const { command, client, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    const hash = `rx-fresh-token:{${key}}`;
    const encryptionKey = keyOf('k1', 1);
    const make = () => redisTokenStore({ client, key, encryptionKey, forceCooldown: 0 });
    const [one, other] = [make(), make()];
    const heard: string[] = [];
    const watching = from(other.changes!).subscribe(({ response }) => heard.push(response.access_token));
    dispose.push(() => {
      watching.unsubscribe();
    });
    await pause(200);
    await ask(one, () => of(T1));
    const [old] = (await command('HMGET', hash, 'token')) as string[];
    await ask(one, () => of({ access_token: 'T2', expires_in: 3600 }), requestOf({ value: 'T1' } as AccessToken));
    await until(() => heard.includes('T2'));
    const [hashId, at, gen, life] = (await command('HMGET', hash, 'hashId', 'at', 'gen', 'life')) as string[];
    const next = String(Number(gen) + 5);
    await command('PUBLISH', `${hash}:push`, ['T', at, hashId, next, at, life, 'x.1', old].join('\n'));
    await pause(100);
    expect(heard).toEqual(['T1', 'T2']);
    // Nor when it lies in the hash.
    await command('HSET', hash, 'gen', next, 'token', old!);
    expect(await outcome(ask(make(), () => of(T1)))).toBe('ERR_TOKEN_STORE');
  });
});

describe.each(KINDS)('a response that JSON cannot hold, with %s,', (kind) => {
  const circle: TokenResponse = { access_token: 'T1', expires_in: 3600 };
  circle.self = circle;
  it.each<[string, TokenResponse]>([
    ['a BigInt', { access_token: 'T1', expires_in: 3600, id: 1n }],
    ['a circle', circle],
    ['a toJSON without a token', { access_token: 'T1', toJSON: () => undefined }],
  ])('should fail clearly, and give the lease back at once: %s', async (_what, response) => {
    const { client, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    const begun = performance.now();
    await expect(ask(redisTokenStore({ client, key }), () => of(response))).rejects.toMatchObject({
      code: 'ERR_INVALID_TOKEN_RESPONSE',
      message: expect.stringContaining('the token response cannot be stored') as unknown,
    });
    await pause(300);
    await ask(redisTokenStore({ client, key }), () => of(T1));
    expect(performance.now() - begun).toBeLessThan(5000);
  });

  it('should give the lease back when the failure itself cannot be described', async () => {
    const { client, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    const odd = Object.assign(new Error(), { name: 7, message: { secret: 1n } });
    await outcome(
      ask(redisTokenStore({ client, key }), () => {
        throw odd;
      }),
    );
    await pause(300);
    const begun = performance.now();
    await ask(redisTokenStore({ client, key }), () => of(T1));
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

describe.each(KINDS)('the pause of a fleet, with %s,', (kind) => {
  const busy = (retryAfter: number) => () => {
    throw Object.assign(new Error('busy'), { status: 429, retryAfter });
  };
  const failureOf = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);
  const DAY = 86_400_000;

  it('should be five minutes at most, for processes that start later too, whatever lies in Redis', async () => {
    const { client, command, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    await failureOf(ask(redisTokenStore({ client, key }), busy(DAY)));
    const left = async () =>
      ((await failureOf(ask(redisTokenStore({ client, key }), () => of(T1)))) as { retryAfter: number }).retryAfter;
    expect(await left()).toBeLessThanOrEqual(300_000);
    const [retry] = (await command('HMGET', `rx-fresh-token:{${key}}`, 'retry')) as string[];
    await command('HSET', `rx-fresh-token:{${key}}`, 'retry', String(Number(retry) + DAY));
    expect(await left()).toBeLessThanOrEqual(300_000);
  });

  it('should not hold up what the application asks for, but once in 250 ms, nor let its repeats pass', async () => {
    const { client, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    const store = redisTokenStore({ client, key });
    const manual = (attempt = 1): TokenRequest => ({ ...requestOf(), reason: 'manual', attempt });
    let asked = 0;
    const count = () => {
      asked++;
      return busy(60_000)();
    };
    await failureOf(ask(store, count));
    const early = (await failureOf(ask(store, count, manual()))) as { retryAfter: number };
    expect([asked, early.retryAfter <= 250]).toEqual([1, true]);
    await pause(early.retryAfter + 20);
    expect(await failureOf(ask(store, count, manual(2)))).toMatchObject({ status: 429 });
    expect(asked).toBe(1);
    await failureOf(ask(store, count, manual()));
    expect(asked).toBe(2);
    await pause(300);
    expect(await ask(store, () => of(T1), manual())).toMatchObject({ origin: 'fetched' });
  });

  it('should not hold up a stream that `wake` has ask again: the one that failed, or another that was told of it', async () => {
    const { client, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    let asked = 0;
    const source = () => (++asked < 3 ? busy(60_000)() : of(T1));
    const open = () => {
      const wake = new Subject<void>();
      const token$ = createTokenStream(source, { store: redisTokenStore({ client, key }), wake });
      const failures: unknown[] = [];
      token$.events.subscribe(({ type }) => type === 'refreshFailed' && failures.push(type));
      const token = firstValueFrom(token$);
      dispose.push(() => {
        token$.close();
        return token.catch(() => undefined);
      });
      return { wake, token, failed: (count: number) => until(() => failures.length === count) };
    };
    const one = open();
    await one.failed(1);
    const other = open();
    await other.failed(1);
    expect(asked).toBe(1);
    await pause(300);
    one.wake.next();
    await one.failed(2);
    expect(asked).toBe(2);
    await pause(300);
    other.wake.next();
    expect((await other.token).value).toBe('T1');
    expect([(await one.token).value, asked]).toEqual(['T1', 3]);
  });
});
