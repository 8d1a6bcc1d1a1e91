import { firstValueFrom, from, map, NEVER, of, Subject, take, timer, type Observable } from 'rxjs';
import {
  createTokenStream,
  type AccessToken,
  type StoredToken,
  type TokenRequest,
  type TokenResponse,
  type TokenStore,
} from 'rx-fresh-token';
import { redisTokenStore, type RedisTokenStoreOptions } from '../../src/redis/index.js';
import { startRedis } from '../setup/redis/server.cjs';
import { connect, freshKey, KINDS, type Connection } from './clients.js';
import { cutOff } from './cutOff.js';
import { pause, until } from './fleet/fleet.js';
import { heldUp } from './heldUp.js';
import { withoutPushes } from './withoutPushes.js';

const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

const requestOf = (previous: AccessToken | null = null): TokenRequest => ({
  reason: previous ? 'scheduled' : 'initial',
  attempt: 1,
  previous,
  signal: new AbortController().signal,
});
type Fetch = (last?: TokenResponse | null) => Observable<TokenResponse>;
const ask = (store: TokenStore, fetch: Fetch, request = requestOf()): Promise<StoredToken> =>
  firstValueFrom(from(store.refresh(request, fetch)).pipe(take(1)));
const token = (n: number): TokenResponse => ({
  access_token: `T${String(n)}`,
  refresh_token: `R${String(n)}`,
  expires_in: 3600,
});
const give =
  (n: number): Fetch =>
  () =>
    of(token(n));
const watch = (of$: Observable<unknown> | undefined): unknown[] => {
  const seen: unknown[] = [];
  const watching = of$!.subscribe((one) => seen.push(one));
  dispose.push(() => {
    watching.unsubscribe();
  });
  return seen;
};

describe.each(KINDS)('a sign-out, with %s,', (kind) => {
  let connection: Connection;
  let key: string;
  const store = (options: Partial<RedisTokenStoreOptions> = {}) =>
    redisTokenStore({ client: connection.client, key, ...options });
  const all = async () => JSON.stringify(await connection.command('HGETALL', `rx-fresh-token:{${key}}`));
  beforeEach(async () => {
    connection = await connect(kind, process.env.REDIS_URL!);
    dispose.push(connection.close);
    key = freshKey();
  });

  it('should delete the token, and have the next refresh begin with nothing, whoever makes it', async () => {
    const [one, other] = [store(), store()];
    await ask(one, give(1));
    await ask(other, give(1));
    one.signOut!();
    const handed: unknown[] = [];
    const next: Fetch = (last) => {
      handed.push(last);
      return of(token(2));
    };
    expect(await ask(one, next)).toMatchObject({ origin: 'fetched', response: token(2) });
    expect(handed).toEqual([null]);
    expect(await all()).not.toContain('R1');
    expect(await ask(other, give(3), requestOf({ value: 'T1' } as AccessToken))).toMatchObject({
      origin: 'shared',
      response: token(2),
    });
  });

  /** Redis as it was before the sign-out of a store: a replica that had not heard of it took over. */
  async function loseSignOut(signingOut: TokenStore): Promise<void> {
    const hash = `rx-fresh-token:{${key}}`;
    const before = await connection.command('HGETALL', hash);
    const fields = Array.isArray(before) ? (before as string[]) : Object.entries(before as object).flat();
    signingOut.signOut!();
    await until(async () => !(await all()).includes('R1'));
    await connection.command('DEL', hash);
    await connection.command('HSET', hash, ...(fields as string[]));
  }

  it('should be made good by the next refresh, when a failover has lost it', async () => {
    const one = store();
    await ask(one, give(1));
    await loseSignOut(one);
    expect(await ask(one, give(2))).toMatchObject({ origin: 'fetched', response: token(2) });
  }, 5000);

  it('should keep the old token from the streams of who signed out, when a failover has lost it', async () => {
    const [one, other, newcomer] = [store(), store(), store()];
    await ask(other, give(1));
    await ask(one, give(2));
    await loseSignOut(one);
    const mine = watch(one.changes);
    const theirs = watch(newcomer.changes);
    await until(() => theirs.length > 0);
    expect(theirs).toMatchObject([{ response: token(1) }]);
    expect(mine).toEqual([]);
  }, 5000);

  it('should delete the pause after a failure too', async () => {
    const one = store();
    const busy: Fetch = () => {
      throw Object.assign(new Error('busy'), { status: 429, retryAfter: 60_000 });
    };
    await expect(ask(one, busy)).rejects.toThrow('busy');
    one.signOut!();
    expect(await ask(one, give(1))).toMatchObject({ origin: 'fetched' });
  });

  it('should be made although the client is closed at once after it', async () => {
    const away = await connect(kind, process.env.REDIS_URL!);
    await ask(redisTokenStore({ client: away.client, key }), give(1));
    const one = redisTokenStore({ client: away.client, key });
    one.signOut!();
    const client = away.client as unknown as { close?: () => Promise<unknown>; quit: () => Promise<unknown> };
    await (client.close ? client.close() : client.quit());
    await until(async () => !(await all()).includes('T1'), 5000);
  });

  it('should be told once to the others, and to the streams of the store that made it', async () => {
    const [one, other] = [store(), store()];
    const [mine, theirs, changes] = [watch(one.signedOut), watch(other.signedOut), watch(other.changes)];
    await pause(200);
    await ask(one, give(1));
    // Later than what Redis is asked after that push.
    await until(() => changes.length === 1);
    one.signOut!();
    await until(() => theirs.length > 0);
    await ask(one, give(2));
    await ask(other, give(2));
    await pause(100);
    expect([mine.length, theirs.length]).toEqual([1, 1]);
  });

  it('should be found by one who was not connected when it was made', async () => {
    const [one, other] = [store(), store()];
    await ask(one, give(1));
    await ask(other, give(1));
    one.signOut!();
    await pause(100);
    const theirs = watch(other.signedOut);
    await until(() => theirs.length === 1);
  });

  it('should be found although Redis was away when the channel was connected', async () => {
    const { client, cut, heal } = cutOff(connection.client);
    const [one, other] = [store(), redisTokenStore({ client, key })];
    await ask(one, give(1));
    await ask(other, give(1));
    one.signOut!();
    cut();
    const theirs = watch(other.signedOut);
    const channel = `rx-fresh-token:{${key}}:push`;
    await until(async () => Number(((await connection.command('PUBSUB', 'NUMSUB', channel)) as unknown[])[1]) === 1);
    await pause(100);
    heal();
    await until(() => theirs.length === 1);
  });

  it('should end the session of one who has a token, and got no answer of Redis before it', async () => {
    const { client, hold, release } = heldUp(connection.client);
    hold();
    const early = createTokenStream(() => NEVER, {
      initial: token(1),
      store: redisTokenStore({ client, key, storeDeadline: 100 }),
    });
    dispose.push(early.close);
    const one = store();
    await ask(one, give(1));
    await one.signOut!();
    expect(early.current?.value).toBe('T1');
    release();
    await until(() => early.current === null);
  });

  it('should mean nothing to one who comes later, though Redis answers it late', async () => {
    const { client, hold, release } = heldUp(connection.client);
    const unused = redisTokenStore({ client, key, storeDeadline: 100 });
    const one = store();
    await ask(one, give(1));
    await one.signOut!();
    // More than a reply needs to arrive.
    await pause(1000);
    hold();
    const theirs = [watch(store().signedOut), watch(unused.signedOut)];
    await pause(500);
    release();
    await ask(unused, give(2));
    await pause(200);
    expect(theirs).toEqual([[], []]);
  });

  it('should refuse the token of a leader that is still fetching, in another process and in its own', async () => {
    const [one, other] = [store(), store()];
    for (const leader of [other, one]) {
      const begun = new Subject<void>();
      const fetching = firstValueFrom(begun);
      const answer = ask(leader, () => {
        begun.next();
        return timer(200).pipe(map(() => token(1)));
      }).then(
        ({ response }) => response.access_token,
        (error: unknown) => (error as { code: string }).code,
      );
      await fetching;
      one.signOut!();
      // The other process was told of it by the answer to its commit.
      expect(['ERR_TOKEN_STORE']).toContain(await answer);
      expect(await all()).not.toContain('T1');
    }
    expect(await ask(one, give(2))).toMatchObject({ response: token(2) });
  });

  it('should hand out nothing of the old session before Redis has heard of it, and tell Redis when it is back', async () => {
    const { client, hold, release } = heldUp(connection.client);
    const one = redisTokenStore({ client, key, storeDeadline: 100 });
    await ask(one, give(1));
    hold();
    one.signOut!();
    const answer = ask(one, give(2));
    await pause(250);
    release();
    expect(await answer).toMatchObject({ origin: 'fetched', response: token(2) });
    expect(await ask(store(), give(3))).toMatchObject({ origin: 'shared', response: token(2) });
  });

  it.each([1, 2])(
    'should not end the session that came after it, made by another, if Redis hears of it late, said %d times',
    async (times) => {
      const { client, cut, heal } = cutOff(connection.client);
      const [away, other] = [redisTokenStore({ client, key }), store()];
      await ask(away, give(1));
      await ask(other, give(1));
      cut();
      for (let n = 0; n < times; n++) void away.signOut!();
      // Longer than Redis' time is uncertain.
      await pause(100);
      await other.signOut!();
      await ask(other, give(2));
      const theirs = watch(other.signedOut);
      heal();
      // It publishes its sign-out first.
      expect(await ask(away, give(3))).toMatchObject({ origin: 'shared', response: token(2) });
      await pause(100);
      expect(theirs).toEqual([]);
      // The next one is about the session that it has joined.
      await away.signOut!();
      expect(await ask(store(), give(4))).toMatchObject({ origin: 'fetched', response: token(4) });
    },
  );

  it('should end the session that it was in, though this process has not heard of a sign-out before that', async () => {
    const [one, other] = [redisTokenStore({ client: withoutPushes(connection.client), key }), store()];
    await ask(one, give(1));
    await other.signOut!();
    await ask(other, give(2));
    await one.signOut!();
    expect(await ask(store(), give(3))).toMatchObject({ origin: 'fetched', response: token(3) });
  });

  it('should be told to Redis although nobody asks for a token any more', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const away = await connect(kind, server.url);
    dispose.push(away.close);
    const make = () => redisTokenStore({ client: away.client, key, storeDeadline: 100 });
    const one = make();
    await ask(one, give(1));
    server.signal('SIGSTOP');
    one.signOut!();
    await pause(300);
    server.signal('SIGCONT');
    await pause(700);
    expect(JSON.stringify(await away.command('HGETALL', `rx-fresh-token:{${key}}`))).not.toContain('T1');
  });

  it("should begin with nothing without Redis, with 'local'", async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const away = await connect(kind, server.url);
    dispose.push(away.close);
    const one = redisTokenStore({ client: away.client, key, storeDeadline: 100, onUnavailable: 'local' });
    await ask(one, give(1));
    server.signal('SIGSTOP');
    one.signOut!();
    const handed: unknown[] = [];
    await ask(one, (last) => {
      handed.push(last);
      return of(token(2));
    });
    expect(handed).toEqual([null]);
  });

  it('should end one session only, if the reply is lost and it is said again', async () => {
    const lossy = heldUp(connection.client, 'replies');
    const one = redisTokenStore({ client: lossy.client, key, storeDeadline: 100 });
    await ask(one, give(1));
    lossy.hold();
    one.signOut!();
    await pause(50);
    // Somebody signs in again before that process says it again.
    const other = store();
    expect(await ask(other, give(2))).toMatchObject({ origin: 'fetched', response: token(2) });
    await pause(400);
    lossy.release();
    await pause(200);
    expect(await ask(store(), give(3))).toMatchObject({ origin: 'shared', response: token(2) });
  });
});
