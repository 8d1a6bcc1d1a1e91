import { asyncScheduler, firstValueFrom, from, map, NEVER, of, switchMap, type Observable } from 'rxjs';
import type { StoredToken, TokenRequest, TokenResponse, TokenStore } from 'rx-fresh-token';
import { createTimers } from '../../src/internal/time/timers.js';
import { redisTokenStore, type RedisClient } from '../../src/redis/index.js';
import { settingsOf } from '../../src/redis/options.js';
import { createProtocol, type Commit, type Protocol } from '../../src/redis/scripts/protocol.js';
import { startRedis } from '../setup/redis/server.cjs';
import { connect, freshKey, KINDS, type Connection } from './clients.js';
import { pause } from './fleet/fleet.js';
import { heldUp } from './heldUp.js';
import { lateness } from './lateness.js';

jest.setTimeout(30_000);
const dispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of dispose.splice(0).reverse()) await one();
});

const now = () => performance.now();
const callsOn = (client: RedisClient, key: string, storeDeadline?: number, lease?: number): Protocol =>
  createProtocol(settingsOf({ client, key, storeDeadline, lease }), now, createTimers(asyncScheduler));
const commitOf = (fence: number, owner: string, encrypted = '0.{"access_token":"T1"}'): Commit => ({
  generation: fence,
  beyond: 0,
  requestedAt: now(),
  issued: Date.now(),
  life: 3_600_000,
  took: 1,
  ttl: 3_700_000,
  owner,
  encrypted,
});

describe.each(KINDS)('the three calls, with %s,', (kind) => {
  let connection: Connection;
  let key: string;
  let calls: Protocol;
  const hash = () => `rx-fresh-token:{${key}}`;
  beforeEach(async () => {
    connection = await connect(kind, process.env.REDIS_URL!);
    dispose.push(connection.close);
    key = freshKey();
    calls = callsOn(connection.client, key);
  });
  const acquire = (owner: string, from = calls) => from.acquire({ owner, beyond: 0, kind: '', shortensPause: false });
  async function lead(owner: string, from = calls): Promise<number> {
    const answer = await acquire(owner, from);
    if (answer.type !== 'lease') throw new Error(`${owner} does not lead: ${answer.type}`);
    return answer.fence;
  }

  it('should give one who asks again the same lease with the same fence, and no other', async () => {
    const first = await acquire('a');
    await pause(20);
    const again = await acquire('a');
    expect(first).toMatchObject({ type: 'lease', lease: 10_000 });
    expect(again).toMatchObject({ type: 'lease', fence: (first as { fence: number }).fence });
    // It has not begun anew.
    expect((again as { lease: number }).lease).toBeLessThanOrEqual(10_000 - 20);
    expect(await acquire('b')).toMatchObject({ type: 'wait' });
  });

  it('should store once what is committed twice under one fence, and say so both times', async () => {
    const fence = await lead('a');
    const first = await calls.commit(commitOf(fence, 'a'));
    const stored = await connection.command('HGETALL', hash());
    await pause(5);
    const again = await calls.commit(commitOf(fence, 'a'));
    expect(first.type).toBe('stored');
    expect(again).toMatchObject({ type: 'stored', generation: (first as { generation: number }).generation });
    expect(await connection.command('HGETALL', hash())).toEqual(stored);
  });

  it('should never give a fence below one that it gave before the data was lost', async () => {
    const before = await lead('a');
    await connection.command('DEL', hash());
    await pause(5);
    const after = await lead('b');
    expect(after).toBeGreaterThan(before);
    expect(await calls.commit(commitOf(before, 'a'))).toMatchObject({ type: 'stale', token: null });
  });

  it('should let one with a refresh token wait for a leader whose lease was lost, and store its token', async () => {
    const before = await lead('a');
    await connection.command('DEL', hash());
    const ask = { owner: 'b', beyond: 1, kind: '', shortensPause: false, hasRefreshToken: true } as const;
    expect(await calls.acquire(ask)).toMatchObject({ type: 'wait', left: 10_000 });
    expect(await acquire('newcomer')).toMatchObject({ type: 'wait' });
    expect(await calls.commit(commitOf(before, 'a'))).toMatchObject({ type: 'stored', generation: before });
    expect(await calls.acquire(ask)).toMatchObject({ type: 'token' });
    await connection.command('DEL', hash());
    // Without one, nothing is used up.
    expect(await calls.acquire({ ...ask, hasRefreshToken: false })).toMatchObject({ type: 'lease' });
  });

  it('should let it wait once, and no longer than a lease', async () => {
    const short = callsOn(connection.client, key, undefined, 2000);
    const ask = { owner: 'b', beyond: 1, kind: '', shortensPause: false, hasRefreshToken: true } as const;
    expect(await short.acquire(ask)).toMatchObject({ type: 'wait', left: 2000 });
    await pause(1200);
    expect(((await short.acquire(ask)) as { left?: number }).left).toBeLessThanOrEqual(800);
    await pause(1200);
    expect(await short.acquire(ask)).toMatchObject({ type: 'lease' });
    await short.signOut('s', 0);
    expect(await short.acquire(ask)).toMatchObject({ type: 'lease' });
  });

  it('should let one with a refresh token wait once more after a lease that its leader has not given back', async () => {
    const short = callsOn(connection.client, key, undefined, 1000);
    const first = await lead('a');
    await calls.commit(commitOf(first, 'a'));
    const ask = (owner: string, hasRefreshToken = true) =>
      short.acquire({ owner, beyond: first, kind: '', shortensPause: false, hasRefreshToken });
    const silent = (await ask('b')) as { fence: number };
    await pause(1050);
    expect(await ask('c')).toMatchObject({ type: 'wait', left: 1000 });
    await pause(600);
    // What it could not store before comes meanwhile.
    expect(await calls.commit(commitOf(silent.fence, 'b'))).toMatchObject({ type: 'stored' });
    const next = { owner: 'c', beyond: silent.fence, kind: '', shortensPause: false, hasRefreshToken: true } as const;
    expect(await short.acquire(next)).toMatchObject({ type: 'lease' });
    await pause(1050);
    // Without one, nothing is used up.
    expect(await short.acquire({ ...next, owner: 'd', hasRefreshToken: false })).toMatchObject({ type: 'lease' });
    await pause(1050);
    expect(await short.acquire({ ...next, owner: 'e' })).toMatchObject({ type: 'wait' });
    await pause(1050);
    expect(await short.acquire({ ...next, owner: 'e' })).toMatchObject({ type: 'lease' });
  });

  it('should store the token of a late leader if nobody leads, and nobody has stored a newer one', async () => {
    const short = callsOn(connection.client, key, undefined, 100);
    const late = await lead('a', short);
    await pause(120);
    const failing = await lead('b');
    expect(await calls.commit(commitOf(late, 'a'))).toMatchObject({ type: 'stale', token: null });
    await calls.fail(failing, 60_000, 'failure');
    expect(await calls.commit(commitOf(late, 'a'))).toMatchObject({ type: 'stored', generation: late });
    // The pause after the failure of the other has ended, and its failure means nothing any more.
    await calls.fail(failing, 60_000, 'failure');
    const ask = { owner: 'c', beyond: late, kind: '', shortensPause: false } as const;
    expect(await acquire('d')).toMatchObject({ type: 'token' });
    const last = (await calls.acquire(ask)) as { fence: number };
    expect(last.fence).toBeGreaterThan(failing);
    expect(await calls.commit(commitOf(failing, 'b'))).toMatchObject({ type: 'stale' });
    expect(await calls.commit(commitOf(last.fence, 'c'))).toMatchObject({ type: 'stored', generation: last.fence });
    for (const one of [late, failing])
      expect(await calls.commit(commitOf(one, 'a'))).toMatchObject({
        type: 'stale',
        token: { generation: last.fence },
      });
  });

  it.each([
    [1000, true],
    [3300, false],
  ])(
    'should give a late leader the stored token, unless that is at its end: of 4 s, after %d ms: %p',
    async (age, isGiven) => {
      const late = await lead('a', callsOn(connection.client, key, undefined, 100));
      await pause(120);
      const next = await lead('b');
      const aged = { life: 4000, issued: Date.now() - age, requestedAt: now() - age };
      await calls.commit({ ...commitOf(next, 'b'), ...aged });
      expect(await calls.commit(commitOf(late, 'a'))).toMatchObject({
        type: 'stale',
        token: isGiven ? { generation: next } : null,
      });
    },
  );

  it('should not store the token of a late leader after a sign-out', async () => {
    const late = await lead('a', callsOn(connection.client, key, undefined, 100));
    await pause(120);
    await calls.fail(await lead('b'), 0, '');
    await calls.signOut('s', 0);
    expect(await calls.commit(commitOf(late, 'a'))).toMatchObject({ type: 'stale', token: null });
  });

  it('should let nobody end the lease of one who has led since, nor make the others pause', async () => {
    const before = await lead('a');
    await connection.command('DEL', hash());
    await pause(5);
    const after = await lead('b');
    await calls.fail(before, 60_000, 'failure');
    expect(await acquire('c')).toMatchObject({ type: 'wait' });
    expect(await calls.commit(commitOf(after, 'b'))).toMatchObject({ type: 'stored' });
    // Nor after the commit, when nobody leads.
    await calls.fail(after, 60_000, 'failure');
    expect(
      await calls.acquire({ owner: 'c', beyond: await field('gen'), kind: '', shortensPause: false }),
    ).toMatchObject({
      type: 'lease',
    });
  });

  const field = async (name: string) => Number(((await connection.command('HMGET', hash(), name)) as string[])[0]);

  it('should each settle within the deadline + 50 ms while Redis is frozen, and at once when it is gone', async () => {
    const server = await startRedis();
    dispose.push(server.stop);
    const other = await connect(kind, server.url);
    dispose.push(other.close);
    // Of each kind one, so that none is refused for those before.
    const deadline = 300;
    const each: [string, (calls: Protocol) => Promise<unknown>][] = [
      ['acquire', (to) => acquire('a', to)],
      ['commit', (to) => to.commit(commitOf(1, 'a'))],
      ['fail', (to) => to.fail(1, 100, 'x')],
    ];
    const known = await Promise.all(
      each.map(async ([name, run]) => {
        const to = callsOn(other.client, name, deadline);
        await acquire('a', to);
        return { name, run: () => run(to) };
      }),
    );
    const settled = async (most: number) => {
      for (const { name, run } of known) {
        const late = lateness();
        const begun = now();
        const failure: unknown = await run().then(
          () => 'answered',
          (error: unknown) => error,
        );
        const took = now() - begun;
        expect(failure).toMatchObject({ code: 'ERR_TOKEN_STORE' });
        expect([name, took <= most + late.stop().total ? 'in time' : took]).toEqual([name, 'in time']);
      }
    };
    server.signal('SIGSTOP');
    await settled(deadline + 50);
    await server.stop();
    await settled(100);
  });
});

const request = (): TokenRequest => ({
  reason: 'initial',
  attempt: 1,
  previous: null,
  signal: new AbortController().signal,
});
const ask = (store: TokenStore, fetch: () => Observable<TokenResponse>): Promise<StoredToken> =>
  firstValueFrom(from(store.refresh(request(), fetch)));

describe.each(KINDS)('one who hears late that it leads, with %s,', (kind) => {
  it('should not fetch under a lease that is over', async () => {
    const { client, command, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    const held = heldUp(client, 'replies');
    const left: number[] = [];
    const leaseLeft = async () => {
      const [[until], [seconds, micros]] = (await Promise.all([
        command('HMGET', `rx-fresh-token:{${key}}`, 'until'),
        command('TIME'),
      ])) as [string[], string[]];
      return Number(until) - (Number(seconds) * 1000 + Number(micros) / 1000);
    };
    held.hold();
    const asked = ask(redisTokenStore({ client: held.client, key, lease: 300, storeDeadline: 5000 }), () =>
      of(null).pipe(
        switchMap(leaseLeft),
        map((ms) => {
          left.push(ms);
          return { access_token: 'T1', expires_in: 3600 };
        }),
      ),
    );
    await pause(500);
    held.release();
    expect(await asked).toMatchObject({ origin: 'fetched' });
    expect(left).toHaveLength(1);
    expect(left[0]).toBeGreaterThan(0);
  });

  it('should give the lease back when nobody waits any more', async () => {
    const { client, close } = await connect(kind, process.env.REDIS_URL!);
    dispose.push(close);
    const key = freshKey();
    const held = heldUp(client, 'replies');
    held.hold();
    const leaving = from(
      redisTokenStore({ client: held.client, key, storeDeadline: 100 }).refresh(request(), () => NEVER),
    ).subscribe({ error: () => undefined });
    // Given up by its call at 100 ms, and by its caller before it asks again.
    await pause(150);
    leaving.unsubscribe();
    await pause(200);
    held.release();
    const begun = now();
    expect(
      await ask(redisTokenStore({ client, key }), () => of({ access_token: 'T2', expires_in: 3600 })),
    ).toMatchObject({ origin: 'fetched' });
    // And not when the lease of ten seconds is over.
    expect(now() - begun).toBeLessThan(5000);
  });
});
