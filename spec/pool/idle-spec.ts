import { AsyncLocalStorage } from 'node:async_hooks';
import { delay, map, NEVER, of, Subject, throwError, VirtualTimeScheduler, type Observable } from 'rxjs';
import {
  createTokenStream,
  takeToken,
  withToken,
  type TokenResponse,
  type TokenSource,
  type TokenStore,
  type TokenStream,
} from 'rx-fresh-token';
import { createTokenPool, type TokenPoolOptions } from 'rx-fresh-token/pool';

const LIFE = 60_000;

/** A pool in virtual time, whose tokens have numbers. `pending` counts its timers. */
function setUp(options: TokenPoolOptions<string> = {}, answer: (n: number) => Observable<TokenResponse> = tokenOf) {
  const scheduler = new VirtualTimeScheduler();
  let fetches = 0;
  const told: string[] = [];
  const pool = createTokenPool<string>(() => () => answer(++fetches), { scheduler, jitter: 0, ...options });
  pool.events.subscribe(({ at, key, type }) => told.push(`${String(at)} ${key} ${type}`));
  const advance = (ms: number) => {
    scheduler.maxFrames = scheduler.frame + ms;
    scheduler.flush();
    scheduler.frame = scheduler.maxFrames;
  };
  const take = (key: string): string | undefined => {
    let value: string | undefined;
    takeToken(pool.get(key)).subscribe((token) => (value = token.value));
    return value;
  };
  const pending = () => scheduler.actions.filter((action) => !action.closed).length;
  return { pool, scheduler, told, advance, take, pending, fetches: () => fetches };
}

const tokenOf = (n: number): Observable<TokenResponse> =>
  of({ access_token: `T${String(n)}`, expires_in: LIFE / 1000 });

describe('a stream of a pool that nobody uses', () => {
  it('should have no timer of its own, and its token without a fetch', () => {
    const { pool, take, advance, pending, fetches } = setUp({ idleTimeout: 0 });
    const keys = Array.from({ length: 50 }, (_, i) => String(i));
    const values = keys.map(take);
    advance(10);
    expect(pending()).toBe(1);
    expect(keys.map(take)).toEqual(values);
    expect(keys.map((key) => pool.get(key).current?.value)).toEqual(values);
    expect(fetches()).toBe(50);
    pool.close();
    expect(pending()).toBe(0);
  });

  it('should have no timer of its own once those have left who looked at it while no renewal was to come', () => {
    const { pool, take, advance, pending } = setUp({ idleTimeout: 0 });
    const keys = ['a', 'b', 'c'];
    keys.forEach(take);
    advance(51_000);
    for (const key of keys) pool.get(key).events.subscribe().unsubscribe();
    advance(10);
    expect(pending()).toBe(1);
    pool.close();
  });

  it('should have no timer of its own when its source has answered a renewal with the same token', () => {
    const { scheduler, take, advance, pool, pending, fetches } = setUp({}, () =>
      of({ access_token: 'T', expires_in: LIFE / 1000 }).pipe(delay(100, scheduler)),
    );
    ['a', 'b', 'c'].forEach(take);
    advance(51_000);
    expect(fetches()).toBe(6);
    expect(pending()).toBe(1);
    pool.close();
  });

  it.each<[string, (n: number) => Observable<TokenResponse>]>([
    ['with a token', tokenOf],
    ['with a failure', () => throwError(() => Object.assign(new Error('refused'), { status: 400 }))],
  ])('should have no timer of its chain once an exchange is over, %s', (_how, answer) => {
    const { advance, pool, pending } = setUp({ chainOf: () => 's' }, answer);
    takeToken(pool.get('a')).subscribe({ error: () => undefined });
    advance(10);
    const before = pending();
    advance(20_000);
    expect(pending()).toBe(before);
    pool.close();
    expect(pending()).toBe(0);
  });

  it('should be the same object each time, and the same token', () => {
    const { pool, take, advance } = setUp();
    const token$ = pool.get('a');
    take('a');
    const token = token$.current;
    advance(10);
    expect(pool.get('a')).toBe(token$);
    expect(token$.current).toBe(token);
    pool.close();
  });

  it('should be told of as one that is whole: one change for each token, idle, then its expiry', () => {
    const { pool, take, advance, told } = setUp({ idleTimeout: 0 });
    take('a');
    advance(20_000);
    take('a');
    advance(100_000);
    expect(told).toEqual(['0 a refreshStarted', '0 a tokenChanged', '50000 a idle', '60000 a tokenExpired']);
    take('a');
    expect(told.slice(4)).toEqual(['120000 a refreshStarted', '120000 a tokenChanged']);
    pool.close();
  });

  it('should be renewed in the background while it was used within `idleTimeout`', () => {
    const { pool, take, advance, told, fetches } = setUp();
    take('a');
    advance(49_999);
    expect(fetches()).toBe(1);
    advance(1);
    expect(fetches()).toBe(2);
    expect(take('a')).toBe('T2');
    advance(200_000);
    expect(fetches()).toBe(3);
    expect(told.filter((line) => !line.endsWith('refreshStarted'))).toEqual([
      '0 a tokenChanged',
      '50000 a tokenChanged',
      '100000 a tokenChanged',
      '150000 a idle',
      '160000 a tokenExpired',
    ]);
    pool.close();
  });

  it('should hear no `idle` of a stream that a listener uses in the moment of its expiry', () => {
    const { pool, take, advance, told } = setUp({ idleTimeout: 10_000, refreshBefore: 0, expiryMargin: 0 });
    take('a');
    pool.events.subscribe(({ type }) => {
      if (type === 'tokenExpired') take('a');
    });
    advance(LIFE + 1);
    expect(told.slice(2)).toEqual(['60000 a tokenExpired', '60000 a refreshStarted', '60000 a tokenChanged']);
    pool.close();
  });

  it.each(['delete', 'close'])('should be told of no more after a %s by a listener of its expiry', (way) => {
    const { pool, take, advance, told } = setUp({ idleTimeout: LIFE, refreshBefore: 0, expiryMargin: 0 });
    take('a');
    pool.events.subscribe(({ type }) => {
      if (type !== 'tokenExpired') return;
      if (way === 'delete') pool.delete('a');
      else pool.get('a').close();
    });
    advance(2 * LIFE);
    expect(told.slice(2)).toEqual(['60000 a tokenExpired', '60000 a closed']);
    pool.close();
  });

  it('should be whole again for a request that is rejected, and remember what rejections have cost', () => {
    const { pool, take, advance, fetches } = setUp();
    const status: number[] = [];
    const send = () =>
      withToken(pool.get('a'), () => of(new Response(null, { status: 401 })), { key: 'orders' }).subscribe((answer) =>
        status.push(answer.status),
      );
    take('a');
    advance(10);
    send();
    expect(fetches()).toBe(2);
    advance(10);
    send();
    expect(status).toEqual([401, 401]);
    // Within the memory of the first one no other token is fetched.
    expect(fetches()).toBe(2);
    pool.close();
  });

  it('should remember a resource that rejected its token while it was being renewed, and would reject it again', () => {
    const answers: Subject<TokenResponse>[] = [];
    const { pool, advance, fetches } = setUp({}, () => {
      const answer = new Subject<TokenResponse>();
      answers.push(answer);
      return answer;
    });
    const status: number[] = [];
    const send = () =>
      withToken(pool.get('a'), () => of(new Response(null, { status: 401 })), { key: 'orders' }).subscribe((answer) =>
        status.push(answer.status),
      );
    const answer = () => answers.at(-1)?.next({ access_token: 'T', expires_in: 60 });
    takeToken(pool.get('a')).subscribe();
    answer();
    advance(50_000);
    expect(fetches()).toBe(2);
    send();
    answer();
    expect(status).toEqual([401]);
    advance(10);
    send();
    expect(fetches()).toBe(2);
    expect(status).toEqual([401, 401]);
    pool.close();
  });

  it('should fetch once where a caller forces a refresh in the moment in which it is due', () => {
    const { take, advance, pool, scheduler, fetches } = setUp();
    take('a');
    advance(49_999);
    scheduler.frame = 50_000;
    pool.get('a').refresh().subscribe();
    expect(fetches()).toBe(2);
    pool.close();
  });

  it('should say once that its source gives tokens which cannot be kept', () => {
    const { take, advance, told, pool, fetches } = setUp({}, () => of({ access_token: 'T', expires_in: 0 }));
    for (let i = 0; i < 3; i++) {
      expect(take('a')).toBe('T');
      advance(5000);
    }
    expect(fetches()).toBe(3);
    expect(told.filter((line) => line.endsWith('refreshFailed'))).toEqual(['0 a refreshFailed']);
    pool.close();
  });

  it('should stay whole while `wake` may ask for a renewal', () => {
    const wake = new Subject<void>();
    const { take, advance, pool } = setUp({ wake, idleTimeout: 0 });
    take('a');
    advance(10);
    expect(wake.observed).toBe(true);
    advance(LIFE);
    expect(wake.observed).toBe(false);
    pool.close();
  });

  it('should work on a platform without WeakRef and FinalizationRegistry', () => {
    const { WeakRef: given, FinalizationRegistry: registry } = globalThis;
    Object.assign(globalThis, { WeakRef: undefined, FinalizationRegistry: undefined });
    try {
      const { take, advance, pool } = setUp();
      expect(take('a')).toBe('T1');
      advance(10);
      expect(pool.get('a')).toBe(pool.get('a'));
      expect(take('a')).toBe('T1');
      pool.close();
      const chained = setUp({ chainOf: () => 's' });
      expect(chained.take('a')).toBe('T1');
      chained.pool.close();
    } finally {
      Object.assign(globalThis, { WeakRef: given, FinalizationRegistry: registry });
    }
  });

  it('should tell those who watch its events when the pool lets go of it', () => {
    const { take, pool, advance } = setUp({ max: 1 });
    const told: string[] = [];
    const token$ = pool.get('a');
    token$.events.subscribe(({ type }) => told.push(type));
    take('a');
    advance(10);
    void pool.get('b');
    expect(told).toEqual(['refreshStarted', 'tokenChanged', 'idle']);
    takeToken(token$).subscribe();
    expect(told.slice(3)).toEqual(['refreshStarted', 'tokenChanged']);
    token$.close();
    pool.close();
  });

  it('should not send a request of a session that has ended again with a token of the next', () => {
    const { pool, take, advance } = setUp();
    const answer = new Subject<Response>();
    const sent: string[] = [];
    const status: number[] = [];
    withToken(pool.get('a'), (token) => {
      sent.push(token.value);
      return answer;
    }).subscribe((response) => status.push(response.status));
    advance(10);
    pool.get('a').signOut();
    advance(10);
    expect(pool.get('a').current).toBeNull();
    expect(take('a')).toBe('T2');
    advance(10);
    answer.next(new Response(null, { status: 401 }));
    expect([sent, status]).toEqual([['T1'], [401]]);
    pool.close();
  });

  it('should have no timer in the pause after a permanent failure, and fail at once until it is over', () => {
    const { pool, advance, fetches, pending } = setUp({ backoff: { initial: 1000 }, random: () => 0.999 }, (n) => {
      if (n === 1) throw Object.assign(new Error('down'), { status: 400 });
      return tokenOf(n);
    });
    const failures: unknown[] = [];
    const attempt = () =>
      takeToken(pool.get('a')).subscribe({ error: (error: unknown) => failures.push((error as Error).message) });
    attempt();
    advance(100);
    expect(pending()).toBe(0);
    attempt();
    expect(failures).toEqual(Array(2).fill('the token source failed permanently: down'));
    expect(fetches()).toBe(1);
    pool.close();
  });

  it.each<[string, (n: number) => Observable<TokenResponse>]>([
    [
      'a renewal that failed permanently',
      (n) => (n > 1 ? throwError(() => Object.assign(new Error('down'), { status: 400 })) : tokenOf(n)),
    ],
    [
      'a renewal that brought a token which cannot be kept',
      (n) => of({ access_token: 'T', expires_in: n > 1 ? 0 : 60 }),
    ],
  ])('should be asked for again as often as one that is whole, after %s', (_what, answer) => {
    const askedAt = (makeStream: (source: TokenSource, scheduler: VirtualTimeScheduler) => TokenStream) => {
      const scheduler = new VirtualTimeScheduler();
      const times: number[] = [];
      const token$ = makeStream(() => answer(times.push(scheduler.now())), scheduler);
      takeToken(token$).subscribe();
      scheduler.maxFrames = 3 * LIFE;
      scheduler.flush();
      token$.close();
      return times;
    };
    const options = { jitter: 0, idleTimeout: 2 * LIFE };
    const whole = askedAt((source, scheduler) => createTokenStream(source, { scheduler, ...options }));
    const pooled = askedAt((source, scheduler) => createTokenPool(() => source, { scheduler, ...options }).get('a'));
    expect(pooled).toEqual(whole);
    expect(pooled.length).toBeGreaterThan(2);
  });

  it('should stay whole while somebody watches its events, and be told of to them', () => {
    const { pool, take, advance, pending } = setUp({ idleTimeout: 0 });
    const told: string[] = [];
    const watching = pool.get('a').events.subscribe(({ type }) => told.push(type));
    take('a');
    advance(120_000);
    expect(told).toEqual(['refreshStarted', 'tokenChanged', 'idle', 'tokenExpired']);
    watching.unsubscribe();
    advance(1);
    expect(pending()).toBe(0);
    pool.close();
  });

  it.each([undefined, 0])('should stay whole while its store may tell of a sign-out: idleTimeout %p', (idleTimeout) => {
    const signedOut = new Subject<void>();
    const store: TokenStore = {
      refresh: () => of({ response: { access_token: 'T', expires_in: 60 }, age: 0, origin: 'shared' }),
      signedOut,
    };
    const { pool, take, advance, told } = setUp({ store: () => store, idleTimeout });
    take('a');
    advance(55_000);
    signedOut.next();
    expect(told.at(-1)).toBe('55000 a signedOut');
    expect(pool.get('a').current).toBeNull();
    pool.close();
  });

  it('should not listen to its store when the pool lets go of it, and hear of sign-outs again from its next use on', () => {
    const signedOut = new Subject<void>();
    const store = (): TokenStore => ({
      refresh: (_request, fetch) => fetch(null).pipe(map((response) => ({ response, age: 0, origin: 'fetched' }))),
      signedOut,
    });
    const { pool, advance } = setUp({ max: 1, store });
    const token$ = pool.get('a');
    takeToken(token$).subscribe();
    advance(10);
    expect(signedOut.observed).toBe(true);
    void pool.get('b');
    advance(10);
    expect(signedOut.observed).toBe(false);
    takeToken(token$).subscribe();
    advance(10);
    expect(token$.current).not.toBeNull();
    signedOut.next();
    expect(token$.current).toBeNull();
    pool.close();
  });

  it('should forget its token when the pool lets go of it, and be idle', () => {
    const { pool, take, advance, told, pending } = setUp({ max: 1 });
    take('a');
    advance(10);
    const token$ = pool.get('a');
    void pool.get('b');
    expect(told.at(-1)).toBe('10 a idle');
    expect(token$.current).toBeNull();
    advance(1);
    expect(pending()).toBe(0);
    pool.close();
  });

  it('should be renewed when a listener uses it as the pool lets go of it', () => {
    const { take, advance, pool, fetches } = setUp({ max: 1 });
    const token$ = pool.get('a');
    take('a');
    advance(10);
    pool.events.subscribe(({ key, type }) => {
      if (key === 'a' && type === 'idle') takeToken(token$).subscribe();
    });
    void pool.get('b');
    advance(51_000);
    expect(fetches()).toBe(3);
    token$.close();
    pool.close();
  });

  it('should be told of as closed once, however often it is closed', () => {
    const { pool, take, advance, told } = setUp();
    const token$ = pool.get('a');
    take('a');
    advance(10);
    token$.close();
    token$.close();
    pool.close();
    expect(told.filter((line) => line.endsWith('closed'))).toEqual(['10 a closed']);
  });

  it('should be closed as one that is whole: its source is told of its token', () => {
    const closed: unknown[] = [];
    const CLOSE = Symbol.for('rx-fresh-token/close');
    const scheduler = new VirtualTimeScheduler();
    const source = Object.assign(() => tokenOf(1), { [CLOSE]: (token: { value: string }) => closed.push(token.value) });
    const pool = createTokenPool(() => source, { scheduler });
    takeToken(pool.get('a')).subscribe();
    scheduler.maxFrames = 10;
    scheduler.flush();
    const token$ = pool.get('a');
    pool.delete('a');
    expect(closed).toEqual(['T1']);
    expect(token$.current).toBeNull();
    expect(() => {
      token$.reject({ value: 'T1' } as never);
    }).toThrow('the token stream is closed');
    pool.close();
  });

  it('should begin no timer when the pool lets go of it or closes it, and complete its events', () => {
    const { pool, scheduler, take, advance, told, pending } = setUp({ max: 100 });
    for (let i = 0; i < 100; i++) take(`old ${String(i)}`);
    advance(10);
    const schedule = jest.spyOn(scheduler, 'schedule');
    const old = pool.get('old 99');
    for (let i = 0; i < 50; i++) void pool.get(`new ${String(i)}`);
    expect(told.filter((line) => line.endsWith('idle'))).toHaveLength(50);
    pool.delete('old 98');
    pool.close();
    expect(schedule).not.toHaveBeenCalled();
    expect(told.filter((line) => line.endsWith('closed'))).toHaveLength(100);
    expect(pending()).toBe(0);
    let isComplete = false;
    old.events.subscribe({ complete: () => (isComplete = true) });
    expect(isComplete).toBe(true);
  });

  it('should be whole again in the context in which the pool was made', () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const { take, advance, pool } = storage.run('pool', () =>
      setUp({ idleTimeout: 0 }, (n) => {
        seen.push(storage.getStore());
        return tokenOf(n);
      }),
    );
    for (const request of ['first', 'second']) {
      storage.run(request, () => take('a'));
      advance(100_000);
    }
    expect(seen).toEqual(['pool', 'pool']);
    pool.close();
  });

  it('should not ask its source for nobody when those who watched it leave after a permanent failure', () => {
    const refused = throwError(() => Object.assign(new Error('invalid_grant'), { status: 400 }));
    const { pool, take, advance, fetches } = setUp({ idleTimeout: 10 * LIFE }, (n) => (n === 1 ? tokenOf(n) : refused));
    const watching = pool.get('a').events.subscribe();
    take('a');
    advance(3 * LIFE);
    // The renewal, and a check at each end of the token.
    expect(fetches()).toBe(4);
    watching.unsubscribe();
    advance(LIFE);
    expect(fetches()).toBe(4);
    pool.close();
  });

  it('should be renewed though somebody looks at it in the moment in which it is due', () => {
    const { pool, scheduler, take, advance, told } = setUp({ idleTimeout: LIFE });
    scheduler.schedule(() => pool.get('a').events.subscribe().unsubscribe(), 50_000);
    take('a');
    advance(51_000);
    expect(told.slice(2)).toEqual(['50000 a refreshStarted', '50000 a tokenChanged']);
    pool.close();
  });

  it('should give up nothing that waits for its turn', () => {
    const asked: string[] = [];
    const scheduler = new VirtualTimeScheduler();
    const pool = createTokenPool(
      (key: string) => () => {
        asked.push(key);
        return key === 'slow' ? NEVER : tokenOf(1);
      },
      { scheduler, jitter: 0, concurrency: 1, fetchTimeout: 5000, maxWait: 1000 },
    );
    takeToken(pool.get('a')).subscribe();
    scheduler.maxFrames = 49_000;
    scheduler.flush();
    scheduler.frame = 49_000;
    takeToken(pool.get('slow')).subscribe({ error: () => undefined });
    // The renewal of `a` is due at 50 000, and waits until the other fetch is given up.
    scheduler.maxFrames = 54_000;
    scheduler.flush();
    expect(asked).toEqual(['a', 'slow', 'a']);
    pool.close();
  });
});
