import { firstValueFrom, from, map, Observable, of, Subject, take, throwError, timer } from 'rxjs';
import {
  createTokenStream,
  TokenEndpointError,
  withToken,
  type AccessToken,
  type StoredToken,
  type TokenEvent,
  type TokenRequest,
  type TokenResponse,
  type TokenStore,
  type TokenStream,
  type TokenStreamOptions,
} from 'rx-fresh-token';
import { redisTokenStore, type RedisClient, type RedisTokenStoreOptions } from '../../src/redis/index.js';
import { accessToken } from '../../src/token/decisions/accessToken.js';
import { isPermanentFailure } from '../../src/answers/isPermanentFailure.js';
import { startRedis, type RedisServer } from '../setup/redis/server.cjs';
import { connect, freshKey, instances, KINDS, type Connection, type Kind } from './clients.js';
import { pause, until } from './fleet/fleet.js';
import { heldUp } from './heldUp.js';
import { lateness } from './lateness.js';

jest.setTimeout(60_000);
const toClose: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** A source that counts, and remembers when it was asked. */
function counting(expires_in = 30, latency = 20) {
  const source = {
    fetched: 0,
    at: [] as number[],
    get: (): Observable<TokenResponse> => {
      const n = ++source.fetched;
      source.at.push(performance.now());
      return timer(latency).pipe(map(() => ({ access_token: `T${String(n)}`, expires_in })));
    },
  };
  return source;
}

interface Watched {
  readonly token$: TokenStream;
  readonly events: TokenEvent[];
  readonly errors: unknown[];
  readonly ofType: <T extends TokenEvent['type']>(type: T) => Extract<TokenEvent, { type: T }>[];
}

function streamOn(
  store: TokenStore,
  source: (request: TokenRequest) => Observable<TokenResponse>,
  options: TokenStreamOptions = {},
): Watched {
  const token$ = createTokenStream(source, { store, ...options });
  const events: TokenEvent[] = [];
  const errors: unknown[] = [];
  token$.events.subscribe((event) => events.push(event));
  token$.subscribe({ error: (error: unknown) => errors.push(error) });
  toClose.push(() => {
    token$.close();
  });
  return {
    token$,
    events,
    errors,
    ofType: <T extends TokenEvent['type']>(type: T) =>
      events.filter((event): event is Extract<TokenEvent, { type: T }> => event.type === type),
  };
}

const requestOf = (reason: TokenRequest['reason'], previous: AccessToken | null = null): TokenRequest => ({
  reason,
  attempt: 1,
  previous,
  signal: new AbortController().signal,
});
const ask = (store: TokenStore, request: TokenRequest, fetch: () => Observable<TokenResponse>): Promise<StoredToken> =>
  firstValueFrom(from(store.refresh(request, fetch)).pipe(take(1)));
const valueOf = ({ response }: StoredToken) => response.access_token;

async function group(kind: Kind, count: number, options: Partial<RedisTokenStoreOptions> & { url?: string } = {}) {
  const made = await instances(kind, count, options);
  toClose.push(made.dispose);
  return made;
}

async function ownRedis(port?: number): Promise<RedisServer> {
  const server = await startRedis({ port });
  toClose.push(server.stop);
  return server;
}

describe.each(KINDS)('with %s', (kind) => {
  it('should cost one fetch when 50 instances start cold, one when all of them reject that token, and none when they reject it late', async () => {
    const source = counting(3600);
    const { all } = await group(kind, 50, { forceCooldown: 0 });
    const streams = all.map(({ store }) => streamOn(store, source.get));
    await until(() => streams.every(({ token$ }) => token$.current?.value === 'T1'));
    expect(source.fetched).toBe(1);
    const first = streams[0]!.token$.current!;
    for (const { token$ } of streams) token$.reject(token$.current!);
    await until(() => streams.every(({ token$ }) => token$.current?.value === 'T2'));
    expect(source.fetched).toBe(2);
    const late = await Promise.all(all.map(({ store }) => ask(store, requestOf('rejected', first), source.get)));
    expect(new Set(late.map(valueOf))).toEqual(new Set(['T2']));
    expect(source.fetched).toBe(2);
  });

  it('should not replace a token that has just come, whoever rejects it or wants another by force, before the cool-down is over', async () => {
    const source = counting(3600);
    const { all } = await group(kind, 2, { forceCooldown: 600 });
    const [{ store: one }, { store: other }] = all as [(typeof all)[0], (typeof all)[0]];
    const from = performance.now();
    const first = accessToken((await ask(one, requestOf('initial'), source.get)).response, 0, 3_600_000);
    await Promise.all([
      ask(one, requestOf('rejected', first), source.get),
      ask(other, requestOf('manual', first), source.get),
    ]);
    expect(performance.now() - from).toBeGreaterThanOrEqual(600);
    expect(source.fetched).toBe(2);
  });

  describe('without Redis for 2 s, which then comes back empty,', () => {
    it("should with 'wait' fail no caller, and have the next token within 1 s", async () => {
      const server = await ownRedis();
      const source = counting(1);
      const { all } = await group(kind, 4, { url: server.url });
      const streams = all.map(({ store }) => streamOn(store, source.get, { refreshBefore: 200 }));
      await until(() => source.fetched >= 2);
      await server.stop();
      const callers = [...streams, ...streams].map(({ token$ }) =>
        timer(Math.random() * 1500)
          .pipe(take(1))
          .forEach(() => undefined)
          .then(() => firstValueFrom(withToken(token$, ({ value }) => of(value)))),
      );
      await pause(2000);
      const before = source.fetched;
      await ownRedis(server.port);
      const late = lateness();
      const back = performance.now();
      await until(() => source.fetched > before && streams.every(({ token$ }) => token$.current !== null));
      expect(performance.now() - back).toBeLessThanOrEqual(1000 + late.stop().total);
      expect(await Promise.all(callers)).toHaveLength(8);
      for (const { errors, events } of streams) {
        expect(errors).toEqual([]);
        // It is told, though.
        expect(
          events.some(
            (event) => event.type === 'refreshFailed' && (event.error as { code?: string }).code === 'ERR_TOKEN_STORE',
          ),
        ).toBe(true);
      }
    });

    it("should with 'local' have each process fetch for itself, once in a lifetime, and stall nobody over 150 ms", async () => {
      const server = await ownRedis();
      const sources = Array.from({ length: 3 }, () => counting(1));
      const { all } = await group(kind, 3, { url: server.url, onUnavailable: 'local' });
      const streams = all.map(({ store }, index) =>
        streamOn(store, sources[index]!.get, { refreshBefore: 300, jitter: 0 }),
      );
      await until(() => sources.reduce((total, { fetched }) => total + fetched, 0) >= 2);
      await server.stop();
      const before = sources.map(({ fetched }) => fetched);
      let slowest = 0;
      const late = lateness();
      const end = performance.now() + 2000;
      while (performance.now() < end) {
        const asked = performance.now();
        await Promise.all(streams.map(({ token$ }) => firstValueFrom(withToken(token$, ({ value }) => of(value)))));
        slowest = Math.max(slowest, performance.now() - asked);
        await pause(10);
      }
      expect(slowest).toBeLessThanOrEqual(150 + late.stop().total);
      // One fetch in a lifetime: no process has fetched again before the token that it had was due. A token is taken
      // for older than it is by what the quickest answer of Redis took: those from before the outage, on a busy
      // machine.
      for (const { at } of sources)
        at.slice(1).forEach((asked, index) => {
          expect(asked - at[index]!).toBeGreaterThanOrEqual(1000 - 300 - 50);
        });
      sources.forEach(({ fetched }, index) => {
        expect(fetched).toBeGreaterThan(before[index]!);
      });
      await ownRedis(server.port);
      await until(
        () =>
          new Set(streams.map(({ token$ }) => token$.current?.value)).size === 1 ||
          streams.some(({ ofType }) => ofType('tokenChanged').slice(-1)[0]?.origin === 'shared'),
      );
      for (const { errors, ofType } of streams) {
        expect(errors).toEqual([]);
        const isStoreError = ({ error }: { error: unknown }) => (error as { code?: string }).code === 'ERR_TOKEN_STORE';
        expect(ofType('refreshFailed').some(isStoreError)).toBe(true);
      }
    });
  });

  it('should settle every call within the deadline + 50 ms while Redis is frozen, and go on when it is not', async () => {
    const server = await ownRedis();
    const {
      all: [instance],
      key,
    } = await group(kind, 1, { url: server.url, storeDeadline: 300, onUnavailable: 'local' });
    const { store } = instance!;
    await ask(store, requestOf('initial'), () => of({ access_token: 'T1', expires_in: 3600 }));
    const old = accessToken({ access_token: 'T1', expires_in: 3600 }, 0, 3_600_000);
    server.signal('SIGSTOP');
    for (let round = 0; round < 6; round++) {
      const late = lateness();
      const from = performance.now();
      const { response } = await ask(store, requestOf('scheduled', old), () =>
        of({ access_token: `L${String(round)}`, expires_in: 3600 }),
      );
      expect(response.access_token).toBe(`L${String(round)}`);
      const took = performance.now() - from;
      expect(took).toBeLessThanOrEqual(350 + late.stop().total);
    }
    server.signal('SIGCONT');
    await pause(100);
    const again = await ask(store, requestOf('scheduled', old), () => of({ access_token: 'T2', expires_in: 3600 }));
    expect(again).toMatchObject({ origin: 'fetched', response: { access_token: 'T2' } });
    const {
      all: [other],
    } = await group(kind, 1, { url: server.url, key });
    expect(await ask(other!.store, requestOf('initial'), () => of({ access_token: 'T3' }))).toMatchObject({
      origin: 'shared',
      response: { access_token: 'T2' },
    });
  });

  it('should use a token that a frozen Redis does not take, and store it later', async () => {
    const server = await ownRedis();
    const { all } = await group(kind, 2, { url: server.url, storeDeadline: 200 });
    const [{ store: one }, { store: other }] = all as [(typeof all)[0], (typeof all)[0]];
    const token = await ask(one, requestOf('initial'), () => {
      server.signal('SIGSTOP');
      return timer(10).pipe(map(() => ({ access_token: 'T1', expires_in: 3600 })));
    });
    expect(token).toMatchObject({ response: { access_token: 'T1' }, origin: 'fetched' });
    server.signal('SIGCONT');
    await pause(600);
    const found = await ask(other, requestOf('initial'), () => of({ access_token: 'T2', expires_in: 3600 }));
    expect(found).toMatchObject({ response: { access_token: 'T1' }, origin: 'shared' });
  });

  it.each([
    ['one of an hour', 3600],
    ['one of unknown lifetime', undefined],
  ])(
    'should use a token that Redis refuses to take, say so in an event without a secret, and store it later: %s',
    async (_what, expires_in) => {
      const server = await ownRedis();
      const { all } = await group(kind, 2, { url: server.url });
      const [{ store, command }, { store: other }] = all as [(typeof all)[0], (typeof all)[0]];
      const { token$, ofType, errors } = streamOn(store, () =>
        from(command('REPLICAOF', '127.0.0.1', '1')).pipe(map(() => ({ access_token: 'T1', expires_in }))),
      );
      await until(() => token$.current?.value === 'T1');
      expect(errors).toEqual([]);
      expect(ofType('refreshFailed')).toMatchObject([
        {
          error: { code: 'ERR_TOKEN_STORE' },
          message: 'Redis is not available: READONLY',
          retryIn: null,
          permanent: false,
        },
      ]);
      expect(ofType('tokenChanged')).toMatchObject([{ token: { value: 'T1' }, origin: 'fetched' }]);
      await command('REPLICAOF', 'NO', 'ONE');
      await pause(600);
      const found = await ask(other, requestOf('initial'), () => of({ access_token: 'T2', expires_in: 3600 }));
      expect(found).toMatchObject({ response: { access_token: 'T1' }, origin: 'shared' });
    },
  );

  it("should with 'local' unsubscribe the source when no caller has waited for its token for 6 s", async () => {
    const server = await ownRedis();
    const { all } = await group(kind, 1, { url: server.url, onUnavailable: 'local', storeDeadline: 100 });
    await server.stop();
    const seen: string[] = [];
    const source = () =>
      new Observable<TokenResponse>(() => {
        seen.push('subscribed');
        return () => seen.push('unsubscribed');
      });
    const waiting = from(all[0]!.store.refresh(requestOf('initial'), source)).subscribe();
    await until(() => seen.length > 0);
    waiting.unsubscribe();
    await pause(500);
    expect(seen).toEqual(['subscribed']);
    await until(() => seen.length > 1);
    expect(seen).toEqual(['subscribed', 'unsubscribed']);
  });

  it('should let nobody notice FLUSHALL, SCRIPT FLUSH, and the death of all subscribers', async () => {
    const server = await ownRedis();
    // Renewed every second, which leaves as long for a machine that stalls.
    const source = counting(2);
    const { all, key } = await group(kind, 4, { url: server.url });
    const admin = await connect(kind, server.url);
    toClose.push(admin.close);
    const streams = all.map(({ store }) => streamOn(store, source.get, { refreshBefore: 1000 }));
    await until(() => streams.every(({ token$ }) => token$.current !== null));
    let slowest = 0;
    const late = lateness();
    const end = performance.now() + 2000;
    const blows = [['FLUSHALL'], ['SCRIPT', 'FLUSH'], ['CLIENT', 'KILL', 'TYPE', 'pubsub']];
    let next = performance.now() + 300;
    const before = source.fetched;
    while (performance.now() < end) {
      if (blows.length > 0 && performance.now() > next) {
        await admin.command(...blows.shift()!);
        next = performance.now() + 500;
      }
      const asked = performance.now();
      await Promise.all(streams.map(({ token$ }) => firstValueFrom(withToken(token$, ({ value }) => of(value)))));
      slowest = Math.max(slowest, performance.now() - asked);
      await pause(10);
    }
    for (const { errors, ofType } of streams) {
      expect(errors).toEqual([]);
      expect(ofType('refreshFailed')).toEqual([]);
      expect(ofType('tokenExpired')).toEqual([]);
    }
    expect(slowest).toBeLessThanOrEqual(100 + late.stop().total);
    expect(source.fetched - before).toBeLessThanOrEqual(2 + 2);
    // Pushes came back by themselves.
    expect(
      ((await admin.command('PUBSUB', 'NUMSUB', `rx-fresh-token:{${key}}:push`)) as unknown[]).map(Number)[1],
    ).toBe(4);
  });

  it('should hear pushes again after its subscriber was killed', async () => {
    const server = await ownRedis();
    const { all } = await group(kind, 2, { url: server.url });
    const [{ store: one, command }, { store: other }] = all as [(typeof all)[0], (typeof all)[0]];
    const heard: string[] = [];
    const watching = from(one.changes!).subscribe((token) => heard.push(valueOf(token)));
    toClose.push(() => {
      watching.unsubscribe();
    });
    let n = 0;
    let last: AccessToken | null = null;
    const push = async () => {
      const { response } = await ask(other, requestOf(last ? 'scheduled' : 'initial', last), () =>
        of({ access_token: `P${String(++n)}`, expires_in: 3600 }),
      );
      last = accessToken(response, 0, 3_600_000);
    };
    await pause(200);
    await push();
    await until(() => heard.includes('P1'));
    await command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    // One that is said while nobody hears is found when the channel is open again.
    await push();
    await until(() => heard.includes('P2'));
    await push();
    await until(() => heard.includes('P3'));
    expect(heard).toEqual(['P1', 'P2', 'P3']);
  });

  describe('that loses a reply', () => {
    type Loses = (script: string) => 'before' | 'after' | undefined;
    /** A client over which some calls get no answer: before or after Redis has heard them. */
    function losing({ client }: Connection, loses: Loses, heard: (script: string) => Promise<void>): RedisClient {
      const scripts = new Map<string, string>();
      const call =
        (name: string) =>
        async (script: string, ...args: unknown[]) => {
          const source = scripts.get(script) ?? script;
          const lost = loses(source);
          if (lost === 'before') return new Promise(() => undefined);
          const run = (client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[name]!;
          const reply = await run.call(client, script, ...args);
          await heard(source);
          return lost ? new Promise(() => undefined) : reply;
        };
      // By hash only after the first time in full: so the spec knows which script it is.
      const unknown = () => Promise.reject(new Error('NOSCRIPT no such script'));
      return kind === 'redis' ? { evalSha: unknown, eval: call('eval') } : { evalsha: unknown, eval: call('eval') };
    }
    const isAcquire = (script: string) => script.includes("'L'");
    const isCommit = (script: string) => script.includes('committed');

    /** What loses a call of this kind: the first time, and keeps what the hash was when Redis had heard it. */
    async function losingOnce(isIt: (script: string) => boolean, when: 'before' | 'after') {
      const connection = await connect(kind, process.env.REDIS_URL!);
      toClose.push(connection.close);
      const key = freshKey();
      const numbers = () =>
        connection.command('HMGET', `rx-fresh-token:{${key}}`, 'gen', 'fence', 'committed') as Promise<
          [gen: string, fence: string, committed: string]
        >;
      const asked: (readonly string[])[] = [];
      let calls = 0;
      const client = losing(
        connection,
        (script) => (isIt(script) && calls++ === 0 ? when : undefined),
        async (script) => {
          if (isIt(script)) asked.push(await numbers());
        },
      );
      return { store: redisTokenStore({ client, key, storeDeadline: 100 }), key, numbers, asked };
    }

    it.each(['before', 'after'] as const)(
      'should have one fetch, under the same fence, when the reply to acquire is lost %s Redis heard it',
      async (when) => {
        const { store, numbers, asked } = await losingOnce(isAcquire, when);
        const source = counting(3600);
        expect(valueOf(await ask(store, requestOf('initial'), source.get))).toBe('T1');
        expect(source.fetched).toBe(1);
        const [, fence, committed] = await numbers();
        expect(committed).toBe(fence);
        // What Redis had answered, whether that was heard or not.
        expect(asked).toHaveLength(when === 'after' ? 2 : 1);
        for (const [, given] of asked) expect(given).toBe(fence);
      },
    );

    it.each(['before', 'after'] as const)(
      'should have the same generation, under the same fence, when the reply to commit is lost %s Redis heard it',
      async (when) => {
        const { store, key, numbers, asked } = await losingOnce(isCommit, when);
        const source = counting(3600);
        expect(await ask(store, requestOf('initial'), source.get)).toMatchObject({
          origin: 'fetched',
          response: { access_token: 'T1' },
        });
        await until(() => asked.length === (when === 'after' ? 2 : 1));
        const last = await numbers();
        expect(last[2]).toBe(last[1]);
        for (const one of asked) expect(one).toEqual(last);
        const {
          all: [other],
        } = await group(kind, 1, { key });
        expect(await ask(other!.store, requestOf('initial'), source.get)).toMatchObject({
          origin: 'shared',
          response: { access_token: 'T1' },
        });
        expect(source.fetched).toBe(1);
      },
    );
  });

  it('should refuse the commit of a leader that was held between its fetch and its commit, and give it the token of who led since', async () => {
    const { all, key } = await group(kind, 2, { lease: 300 });
    const [, { store: other, command }] = all as [(typeof all)[0], (typeof all)[0]];
    const connection = await connect(kind, process.env.REDIS_URL!);
    toClose.push(connection.close);
    const { client, hold, release } = heldUp(connection.client);
    const slow = redisTokenStore({ client, key, lease: 300, storeDeadline: 5000 });
    const late = ask(slow, requestOf('initial'), () => {
      hold();
      return of({ access_token: 'LATE', expires_in: 3600 });
    });
    await pause(400);
    const winner = await ask(other, requestOf('initial'), () => of({ access_token: 'WINNER', expires_in: 3600 }));
    expect(winner.origin).toBe('fetched');
    const before = await command('HMGET', `rx-fresh-token:{${key}}`, 'gen', 'token', 'fence');
    release();
    expect(await late).toMatchObject({ origin: 'shared', response: { access_token: 'WINNER' } });
    expect(await command('HMGET', `rx-fresh-token:{${key}}`, 'gen', 'token', 'fence')).toEqual(before);
  });

  it("should with 'local' give back a lease that is granted while the process fetches for itself", async () => {
    const { all, key } = await group(kind, 1);
    const connection = await connect(kind, process.env.REDIS_URL!);
    toClose.push(connection.close);
    const { client, hold, release } = heldUp(connection.client, 'replies');
    const local = redisTokenStore({ client, key, storeDeadline: 100, onUnavailable: 'local' });
    const answer$ = new Subject<TokenResponse>();
    hold();
    const own = ask(local, requestOf('initial'), () => answer$);
    await until(() => answer$.observed);
    release();
    const from = performance.now();
    const token = await ask(all[0]!.store, requestOf('initial'), () => of({ access_token: 'T1', expires_in: 3600 }));
    expect(token).toMatchObject({ origin: 'fetched', response: { access_token: 'T1' } });
    // The lease alone would last 10 s.
    expect(performance.now() - from).toBeLessThan(5000);
    answer$.next({ access_token: 'LOCAL', expires_in: 3600 });
    expect(await own).toMatchObject({ origin: 'fetched', response: { access_token: 'LOCAL' } });
  });

  it.each([
    ['for a time', 503],
    ['permanently', 400],
  ])('should give a leader whose fetch fails %s the token of who led since', async (_how, status) => {
    const { all, key } = await group(kind, 2);
    const [{ store }, { store: other, command }] = all as [(typeof all)[0], (typeof all)[0]];
    const answer$ = new Subject<TokenResponse>();
    const late = ask(store, requestOf('initial'), () => answer$);
    await until(() => answer$.observed);
    // Redis has lost its data, and the lease with it.
    await command('DEL', `rx-fresh-token:{${key}}`);
    const pushed: StoredToken[] = [];
    const listening = store.changes!.subscribe((token) => pushed.push(token));
    const winner = await ask(other, requestOf('initial'), () => of({ access_token: 'WINNER', expires_in: 3600 }));
    expect(winner.origin).toBe('fetched');
    await until(() => pushed.length > 0);
    answer$.error(new TokenEndpointError('refused', { status }));
    expect(await late).toMatchObject({ origin: 'shared', response: { access_token: 'WINNER' } });
    listening.unsubscribe();
  });

  it('should do without EVALSHA where a server or proxy does not have it, and ask for it once', async () => {
    const server = await startRedis({ args: ['--rename-command', 'EVALSHA', 'hidden'] });
    toClose.push(server.stop);
    const {
      all: [instance],
    } = await group(kind, 1, { url: server.url, forceCooldown: 0 });
    const { store, client } = instance!;
    const byHash = jest.spyOn(
      client as unknown as Record<string, () => unknown>,
      kind === 'redis' ? 'evalSha' : 'evalsha',
    );
    const source = counting(3600);
    await ask(store, requestOf('initial'), source.get);
    await pause(50);
    for (const value of ['T1', 'T2']) await ask(store, requestOf('manual', { value } as AccessToken), source.get);
    expect(source.fetched).toBe(3);
    expect(byHash).toHaveBeenCalledTimes(1);
  });

  it('should share a permanent failure as its class and message, and ask the token endpoint once', async () => {
    const { all } = await group(kind, 3);
    let asked = 0;
    const refuse = () => {
      asked++;
      return timer(20).pipe(
        map((): TokenResponse => ({ error: 'invalid_grant', error_description: 'used up' }) as never),
      );
    };
    const streams = all.map(({ store }) => streamOn(store, refuse));
    await until(() => streams.every(({ errors }) => errors.length > 0));
    expect(asked).toBe(1);
    for (const { errors } of streams) {
      expect(errors[0]).toMatchObject({
        code: 'ERR_TOKEN_UNAVAILABLE',
        cause: { name: 'TokenEndpointError', code: 'ERR_TOKEN_ENDPOINT', error: 'invalid_grant' },
      });
    }
  });

  it("should be no failure of the other processes' callers when one has a wrong client secret", async () => {
    const { all } = await group(kind, 3);
    const refused = { asked: 0 };
    const refuse = () => {
      refused.asked++;
      return of<TokenResponse>({ error: 'invalid_client' } as never);
    };
    const wrong = streamOn(all[0]!.store, refuse);
    await until(() => wrong.errors.length === 1);
    const source = counting(3600);
    const right = all.slice(1).map(({ store }) => streamOn(store, source.get));
    await until(() => right.every(({ token$ }) => token$.current !== null));
    expect(right.flatMap(({ errors }) => errors)).toEqual([]);
    expect(right.flatMap(({ ofType }) => ofType('refreshFailed')).every(({ permanent }) => !permanent)).toBe(true);
    expect([source.fetched, refused.asked]).toEqual([1, 1]);
    // It gets the token of the others.
    expect((await firstValueFrom(wrong.token$)).value).toBe('T1');
  });

  it('should be found out by each process once that its client secret is wrong', async () => {
    const { all } = await group(kind, 3);
    const asked = [0, 0, 0];
    const streams = all.map(({ store }, index) =>
      streamOn(store, () => {
        asked[index]!++;
        return timer(20).pipe(map(() => ({ error: 'invalid_client' }) as never));
      }),
    );
    await until(() => streams.every(({ errors }) => errors.length > 0));
    expect(asked).toEqual([1, 1, 1]);
  });

  it('should be the failure of others, too, once their own fetch has failed, until they have a token', async () => {
    const { all } = await group(kind, 2);
    const [{ store: one }, { store: other }] = all as [(typeof all)[0], (typeof all)[0]];
    let asked = 0;
    const refuse = () => {
      asked++;
      return throwError(() => Object.assign(new Error('refused'), { status: 401, error: 'invalid_client' }));
    };
    const isPermanent = (store: TokenStore) =>
      ask(store, requestOf('initial'), refuse).then(() => null, isPermanentFailure);
    expect([await isPermanent(one), await isPermanent(other), asked]).toEqual([true, true, 2]);
    expect([await isPermanent(other), await isPermanent(one), asked]).toEqual([true, true, 2]);
    await until(async () => {
      const stored = ask(one, requestOf('initial'), () => of({ access_token: 'T1', expires_in: 1 }));
      return (await stored.catch(() => null)) !== null;
    });
    await pause(1000);
    expect([await isPermanent(other), await isPermanent(one), asked]).toEqual([true, true, 4]);
  });

  it('should not have a process with the right secret wait out the pauses of those with a wrong one', async () => {
    const { all } = await group(kind, 2);
    const [{ store: wrong }, { store: right }] = all as [(typeof all)[0], (typeof all)[0]];
    const refuse = () =>
      throwError(() =>
        Object.assign(new Error('refused'), { status: 401, error: 'invalid_client', retryAfter: 20_000 }),
      );
    await expect(ask(wrong, requestOf('initial'), refuse)).rejects.toThrow('refused');
    const start = performance.now();
    await ask(right, requestOf('initial'), () => of({ access_token: 'T1', expires_in: 60 }));
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('should pause as long as the server asked for, all of them', async () => {
    const { all } = await group(kind, 3);
    const asked: number[] = [];
    const busy = () => {
      asked.push(performance.now());
      return asked.length === 1
        ? timer(5).pipe(
            map((): TokenResponse => {
              throw Object.assign(new Error('busy'), { status: 429, retryAfter: 700 });
            }),
          )
        : timer(5).pipe(map(() => ({ access_token: 'T', expires_in: 3600 })));
    };
    const streams = all.map(({ store }) => streamOn(store, busy));
    await until(() => streams.every(({ token$ }) => token$.current !== null));
    expect(asked).toHaveLength(2);
    expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(700);
  });
});
