import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import { filter, firstValueFrom, NEVER, Subject, map, of, throwError, timer } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import {
  takeToken,
  TokenStreamClosedError,
  withToken,
  type AccessToken,
  type StoredToken,
  type TokenResponse,
  type TokenSource,
  type TokenStore,
  type TokenStream,
} from 'rx-fresh-token';
import { createTokenPool, type TokenPoolOptions } from 'rx-fresh-token/pool';
import { captureContext } from '../../src/internal/async/callerContext.js';
import { until } from '../until.js';

type Key = string | { tenant: string; audience?: string | undefined };

/** Each key has tokens of its own, with numbers. */
function setUp(options: TokenPoolOptions<Key> = {}) {
  const fetched: string[] = [];
  const source = (key: Key): TokenSource => {
    let count = 0;
    const name = typeof key === 'string' ? key : `${key.tenant}/${key.audience ?? '-'}`;
    return () => {
      const access_token = `${name}#${String(++count)}`;
      fetched.push(access_token);
      return of({ access_token, expires_in: 60 });
    };
  };
  const pool = createTokenPool(source, options);
  const value = async (key: Key) => (await firstValueFrom(takeToken(pool.get(key)))).value;
  return { pool, fetched, value };
}

const stored = (response: TokenResponse): StoredToken => ({ response, age: 0, origin: 'fetched' });

/** Its sources answer when they are told to. */
function pending(options: TokenPoolOptions<string>) {
  const asked: string[] = [];
  const answers = new Map<string, Subject<TokenResponse>>();
  const pool = createTokenPool(
    (key: string) => () => {
      asked.push(key);
      const answer = new Subject<TokenResponse>();
      answers.set(key, answer);
      return answer;
    },
    options,
  );
  const answer = (key: string) => answers.get(key)?.next({ access_token: `T-${key}`, expires_in: 60 });
  return { pool, asked, answer };
}

it('should have one stream for a key, though a listener asks for it while another key is dropped', async () => {
  const { pool, fetched, value } = setUp({ max: 1 });
  await value('a');
  const asked: unknown[] = [];
  pool.events.subscribe(({ type }) => type === 'idle' && asked.push(pool.get('b')));
  const token$ = pool.get('b');
  expect(asked).toEqual([token$]);
  await value('b');
  expect([pool.size, fetched]).toEqual([1, ['a#1', 'b#1']]);
  pool.close();
});

describe('a pool', () => {
  it('should have one stream for equal keys, and another for each key that differs in any member', async () => {
    const { pool, value } = setUp();
    expect(pool.get({ tenant: 'a', audience: 'x' })).toBe(pool.get({ audience: 'x', tenant: 'a' }));
    expect(await value({ tenant: 'a', audience: 'x' })).toBe('a/x#1');
    expect(await value({ tenant: 'a', audience: 'y' })).toBe('a/y#1');
    expect(await value({ tenant: 'b', audience: 'x' })).toBe('b/x#1');
    expect(await value({ tenant: 'a' })).toBe('a/-#1');
    expect(pool.size).toBe(4);
    pool.close();
  });

  it('should not follow a key that its caller changes later', async () => {
    const key = { tenant: 'a' };
    const pool = createTokenPool(
      ({ tenant }: { tenant: string }) =>
        () =>
          of({ access_token: tenant }),
    );
    const lazy = createTokenPool((own: { tenant: string }) => () => of({ access_token: own.tenant }));
    const streams = [pool.get(key), lazy.get(key)];
    key.tenant = 'b';
    for (const token$ of streams) expect((await firstValueFrom(token$)).value).toBe('a');
    expect((await firstValueFrom(lazy.get(key))).value).toBe('b');
    pool.close();
    lazy.close();
  });

  it('should refuse a key that says something else each time', () => {
    let count = 0;
    const { pool } = setUp();
    const key = {
      get tenant() {
        return String(count++);
      },
    };
    expect(() => pool.get(key)).toThrow('must not change');
    expect(pool.size).toBe(0);
  });

  it('should name a key by idOf, and hand the key itself to the source', async () => {
    const given: unknown[] = [];
    const pool = createTokenPool(
      (request: { headers: Map<string, string> }) => {
        given.push(request);
        return () => of({ access_token: request.headers.get('tenant') ?? '' });
      },
      { idOf: ({ headers }) => headers.get('tenant') ?? '' },
    );
    const request = { headers: new Map([['tenant', 'a']]) };
    expect((await firstValueFrom(pool.get(request))).value).toBe('a');
    expect(pool.get({ headers: new Map(request.headers) })).toBe(pool.get(request));
    expect(given).toEqual([request]);
    expect(given[0]).toBe(request);
    expect(() => pool.get({ headers: new Map() })).toThrow(
      'option "idOf" must return a string that is not empty, got an empty string',
    );
    pool.close();
  });

  it('should have one stream of a key whose source asks for that key while it is made, and none once it is closed', () => {
    let inner: TokenStream | undefined;
    let asked = 0;
    const pool = createTokenPool((key: string) => {
      if (key === 'closing') pool.close();
      else if (++asked === 1) inner = pool.get(key);
      return () => of({ access_token: key });
    });
    expect(pool.get('a')).toBe(inner);
    expect(pool.size).toBe(1);
    expect(() => pool.get('closing')).toThrow('the token pool is closed');
  });

  it('should make its streams in the context in which the pool was made', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const pool = storage.run('pool', () =>
      createTokenPool((key: string) => {
        seen.push(storage.getStore());
        return () => {
          seen.push(storage.getStore());
          return of({ access_token: key });
        };
      }),
    );
    await storage.run('request', async () => {
      await firstValueFrom(pool.get('a'));
      expect(storage.getStore()).toBe('request');
      expect(captureContext()(() => storage.getStore())).toBe('request');
    });
    expect(seen).toEqual(['pool', 'pool']);
    pool.close();
  });

  it('should ask at most so many sources at once, and tell each how old its token is', () => {
    marbles((m) => {
      let running = 0;
      let most = 0;
      const pool = createTokenPool(
        (key: string) => () => {
          most = Math.max(most, ++running);
          return timer(100, m.scheduler).pipe(
            map((): TokenResponse => {
              running--;
              return { access_token: key, expires_in: 10 };
            }),
          );
        },
        // The last of them wait longer than one fetch may take.
        { concurrency: 4, scheduler: m.scheduler, fetchTimeout: 150, maxWait: 10_000, idleTimeout: 0 },
      );
      const issued: number[] = [];
      for (let i = 0; i < 40; i++) takeToken(pool.get(String(i))).subscribe(({ issuedAt }) => issued.push(issuedAt));
      m.scheduler.schedule(() => {
        expect(issued).toHaveLength(40);
        expect(most).toBe(4);
        expect(issued[39]).toBe(900);
        pool.close();
      }, 1100);
      m.flush();
      expect.assertions(3);
    })();
  });
});

it('should spend one refresh for a rejection that comes while the renewal waits for its turn', () => {
  marbles((m) => {
    let count = 0;
    const source = (key: string) => () =>
      timer(key === 'slow' ? 300 : 10, m.scheduler).pipe(
        map((): TokenResponse => ({ access_token: `${key}${String(++count)}`, expires_in: 2 })),
      );
    const times = { jitter: 0, refreshBefore: 1000, expiryMargin: 10 };
    const pool = createTokenPool(source, { concurrency: 1, scheduler: m.scheduler, ...times });
    const token$ = pool.get('fast');
    const listening = token$.subscribe();
    const reasons: string[] = [];
    token$.events.subscribe((event) => {
      if (event.type === 'refreshStarted') reasons.push(event.reason);
    });
    const at = (ms: number, act: () => unknown) => m.scheduler.schedule(act, ms);
    const forbidden = () =>
      withToken(token$, () => of({ status: 403, headers: {} }), { key: 'GET /forbidden' }).subscribe();
    at(900, () => takeToken(pool.get('slow')).subscribe());
    at(1100, forbidden);
    at(1300, forbidden);
    at(1400, forbidden);
    at(1500, () => {
      listening.unsubscribe();
      pool.close();
    });
    m.flush();
    expect(reasons).toEqual(['scheduled', 'rejected']);
  })();
});

describe('a pool that is full', () => {
  it('should drop the stream that was used least recently, which begins anew when it is asked for again', async () => {
    const { pool, value, fetched } = setUp({ max: 2 });
    await value('a');
    await value('b');
    await value('a');
    await value('c');
    expect(pool.size).toBe(2);
    expect(await value('a')).toBe('a#1');
    expect(await value('b')).toBe('b#1');
    expect(fetched).toEqual(['a#1', 'b#1', 'c#1', 'b#1']);
    pool.close();
  });

  it('should never drop a stream that somebody listens to or waits for, or whose source is being asked', () => {
    const answers = new Map<string, Subject<TokenResponse>>();
    const pool = createTokenPool(
      (key: string) => () => {
        const answer = new Subject<TokenResponse>();
        answers.set(key, answer);
        return answer;
      },
      { max: 1 },
    );
    const [listened$, waited$, asked$] = [pool.get('listened'), pool.get('waited'), pool.get('asked')];
    // All three were dropped but the last, since nobody used them: asked for again, each is used at once.
    expect(pool.size).toBe(1);
    expect(pool.get('listened')).not.toBe(listened$);
    const listening = pool.get('listened').subscribe();
    answers.get('listened')?.next({ access_token: 'T', expires_in: 60 });
    const waiting = takeToken(pool.get('waited')).subscribe();
    takeToken(pool.get('asked')).subscribe().unsubscribe();
    const held = ['listened', 'waited', 'asked'].map((key) => pool.get(key));
    for (let i = 0; i < 100; i++) void pool.get(`other${String(i)}`);
    expect(['listened', 'waited', 'asked'].map((key) => pool.get(key))).toEqual(held);
    expect(held).not.toContain(waited$);
    expect(held).not.toContain(asked$);
    listening.unsubscribe();
    waiting.unsubscribe();
    answers.get('waited')?.next({ access_token: 'T', expires_in: 60 });
    answers.get('asked')?.next({ access_token: 'T', expires_in: 60 });
    void pool.get('another');
    expect(pool.size).toBe(1);
    pool.close();
  });

  it('should search for room no longer than it must, however many are in use, and shrink when they are not', () => {
    const { pool } = setUp({ max: 2 });
    const listening = Array.from({ length: 500 }, (_, i) => pool.get(String(i)).subscribe());
    expect(pool.size).toBe(500);
    listening.forEach((subscription) => {
      subscription.unsubscribe();
    });
    void pool.get('another');
    expect(pool.size).toBe(2);
    pool.close();
  });

  it('should shrink to its limit again after a burst, though no new key comes', async () => {
    const source = () => timer(5).pipe(map(() => ({ access_token: 'T', expires_in: 60 })));
    const pool = createTokenPool<string>(() => source, { max: 2, concurrency: Infinity });
    const answers = Array.from({ length: 500 }, (_, i) => firstValueFrom(pool.get(String(i))));
    const listener = pool.get('0').subscribe();
    expect(pool.size).toBe(500);
    await Promise.all(answers);
    await until(() => pool.size === 2);
    expect(pool.get('0').current?.value).toBe('T');
    listener.unsubscribe();
    pool.close();
  });

  it('should keep the token of the key that was used last, beside streams that are in use', async () => {
    let asked = 0;
    const source = () => of({ access_token: `T${String(++asked)}`, expires_in: 60 });
    const pool = createTokenPool<string>(() => source, { max: 3 });
    const listening = ['a', 'b', 'c'].map((key) => pool.get(key).subscribe());
    for (let i = 0; i < 5; i++) {
      expect((await firstValueFrom(takeToken(pool.get('d')))).value).toBe('T4');
      await firstValueFrom(timer(2));
    }
    listening.forEach((subscription) => {
      subscription.unsubscribe();
    });
    pool.close();
  });

  it.each(['get', 'delete'] as const)('should shrink although a listener calls %s meanwhile', (method) => {
    const { pool } = setUp({ max: 2 });
    let left = 3;
    pool.events.subscribe(({ type }) => {
      if (type === 'idle' && left-- > 0) void pool[method](`k${String(left)}`);
    });
    const listening = Array.from({ length: 8 }, (_, i) => pool.get(`k${String(i)}`).subscribe());
    listening.forEach((subscription) => {
      subscription.unsubscribe();
      void pool.get('other');
    });
    for (let i = 0; i < 20; i++) void pool.get(`new${String(i)}`);
    expect(pool.size).toBe(2);
    pool.close();
  });

  it('should count no stream that is closed, and keep none', () => {
    const { pool } = setUp({ max: 10 });
    const streams = Array.from({ length: 50 }, (_, i) => {
      const token$ = pool.get(String(i));
      token$.subscribe();
      return token$;
    });
    expect(pool.size).toBe(50);
    streams.forEach((token$) => {
      token$.close();
    });
    expect(pool.size).toBe(0);
    pool.close();
  });

  it('should leave a stream that somebody holds usable: a request under way is repeated, the next one has a token', async () => {
    const { pool, value } = setUp({ max: 1 });
    const held$ = pool.get('a');
    const sent: string[] = [];
    const response = withToken(held$, async (token) => {
      sent.push(token.value);
      if (sent.length > 1) return token.value;
      // While the token is being handed out, the stream is in use.
      await Promise.resolve();
      await value('b');
      expect(held$.current).toBeNull();
      throw Object.assign(new Error('refused'), { status: 401 });
    });
    expect(await firstValueFrom(response)).toBe('a#2');
    expect(sent).toEqual(['a#1', 'a#2']);
    expect(await firstValueFrom(held$.pipe(withToken((token) => of(token.value))))).toBe('a#2');
    expect(pool.get('a')).not.toBe(held$);
    held$.close();
    pool.close();
  });

  it.each(['later', 'in an event'])(
    'should keep the stream of a key when one that it had before is closed: %s',
    async (when) => {
      const { pool, value } = setUp({ max: 2 });
      const old$ = pool.get('a');
      await value('a');
      void pool.get('b');
      await firstValueFrom(timer(2));
      let next$: TokenStream | undefined;
      if (when === 'in an event')
        pool.events.subscribe(({ key, type }) => {
          if (key !== 'a' || type !== 'idle') return;
          next$ = pool.get('a');
          old$.close();
        });
      void pool.get('c');
      next$ ??= pool.get('a');
      old$.close();
      expect(pool.get('a')).toBe(next$);
      expect(pool.size).toBe(2);
      pool.close();
      await expect(firstValueFrom(next$)).rejects.toMatchObject({ code: 'ERR_TOKEN_STREAM_CLOSED' });
    },
  );

  it('should give up the place in the queue of a stream that nobody waits for any more', () => {
    const asked: string[] = [];
    const pool = createTokenPool(
      (key: string) => () => {
        asked.push(key);
        return NEVER;
      },
      { max: 1, concurrency: 1 },
    );
    const first = takeToken(pool.get('a')).subscribe();
    takeToken(pool.get('b')).subscribe().unsubscribe();
    void pool.get('c');
    first.unsubscribe();
    pool.delete('a');
    expect(asked).toEqual(['a']);
    pool.close();
  });
});

it('should have no turn taken by a key that waits for another one of its chain', () => {
  const asked: string[] = [];
  const pool = createTokenPool(
    (key: string) => () => {
      asked.push(key);
      return NEVER;
    },
    { concurrency: 2, chainOf: (key) => (key === 'other' ? undefined : 'session') },
  );
  const waiting = ['one', 'two', 'three', 'other'].map((key) => takeToken(pool.get(key)).subscribe());
  expect(asked).toEqual(['one', 'other']);
  waiting[0]?.unsubscribe();
  pool.delete('one');
  waiting.forEach((waiter) => {
    waiter.unsubscribe();
  });
  pool.close();
});

it.each(['signOut', 'close'] as const)(
  'should ask no more sources at once than may be, though an exchange of a chain goes on after a %s',
  (end) => {
    const { pool, asked, answer } = pending({ concurrency: 1, chainOf: (key) => key.slice(0, 1) });
    const take = (key: string) => takeToken(pool.get(key)).subscribe({ error: () => undefined });
    take('a1');
    pool.get('a1')[end]();
    take('b1');
    take('a2');
    expect(asked).toEqual(['a1']);
    answer('a1');
    expect(asked).toEqual(['a1', 'b1']);
    answer('b1');
    expect(asked).toEqual(['a1', 'b1', 'a2']);
    pool.close();
  },
);

describe('the events of a pool', () => {
  it('should be those of all streams with their keys, of those that were there before and of those that come', async () => {
    const { pool, value } = setUp({ idleTimeout: 0 });
    await value('a');
    const told: unknown[] = [];
    const listening = pool.events.subscribe((event) => told.push([event.key, event.type]));
    await value({ tenant: 'b' });
    pool.get('a').signOut();
    expect(told).toEqual([
      [{ tenant: 'b' }, 'refreshStarted'],
      [{ tenant: 'b' }, 'tokenChanged'],
      ['a', 'signedOut'],
    ]);
    listening.unsubscribe();
    await value('c');
    expect(told).toHaveLength(3);
    pool.close();
  });

  it('should hold the error of a failed attempt, but not print it: it may hold a request with secrets', async () => {
    const error = Object.assign(new Error('401'), { status: 401, config: { data: 'client_secret=s3cr3t' } });
    const pool = createTokenPool(() => () => throwError(() => error));
    const event = firstValueFrom(pool.events.pipe(filter(({ type }) => type === 'refreshFailed')));
    await expect(firstValueFrom(takeToken(pool.get('a')))).rejects.toThrow('401');
    expect(await event).toMatchObject({ key: 'a', error });
    expect(inspect(await event) + JSON.stringify(await event)).not.toContain('s3cr3t');
    pool.close();
  });

  it('should tell two listeners the same once each, and cause no fetch', async () => {
    const { pool, value, fetched } = setUp();
    void pool.get('a');
    const told: string[] = [];
    pool.events.subscribe(({ type }) => told.push(`1 ${type}`));
    pool.events.subscribe(({ type }) => told.push(`2 ${type}`));
    expect(fetched).toEqual([]);
    await value('a');
    expect(told).toEqual(['1 refreshStarted', '2 refreshStarted', '1 tokenChanged', '2 tokenChanged']);
    pool.close();
  });

  it('should say nothing more of a stream that was dropped, and complete when the pool is closed', async () => {
    const { pool, value } = setUp({ max: 1 });
    const told: string[] = [];
    let isComplete = false;
    pool.events.subscribe({
      next: ({ key, type }) => told.push(`${key as string} ${type}`),
      complete: () => (isComplete = true),
    });
    const held$ = pool.get('a');
    await value('b');
    await firstValueFrom(held$);
    expect(told).toEqual(['b refreshStarted', 'b tokenChanged']);
    pool.close();
    expect(told.at(-1)).toBe('b closed');
    expect(isComplete).toBe(true);
    pool.events.subscribe({ complete: () => told.push('complete') });
    expect(told.at(-1)).toBe('complete');
  });
});

describe('a key that is deleted', () => {
  const storeOf = (signOut: () => void): TokenStore => ({
    refresh: (_request, fetch) => fetch().pipe(map((response) => ({ response, age: 0, origin: 'fetched' }))),
    signOut,
  });

  it('should have its stream closed, and begin anew', async () => {
    const { pool, value } = setUp();
    const token$ = pool.get('a');
    await value('a');
    pool.delete('a');
    pool.delete('never seen');
    expect(pool.size).toBe(0);
    await expect(firstValueFrom(takeToken(token$))).rejects.toMatchObject({ code: 'ERR_TOKEN_STREAM_CLOSED' });
    expect(await value('a')).toBe('a#1');
    pool.close();
  });

  it('should begin anew as well if its stream itself was closed, as by `using`', async () => {
    const { pool, value } = setUp();
    const token$ = pool.get('a');
    await value('a');
    token$[Symbol.dispose]();
    expect(await value('a')).toBe('a#1');
    expect(pool.get('a')).not.toBe(token$);
    await expect(firstValueFrom(takeToken(token$))).rejects.toMatchObject({ code: 'ERR_TOKEN_STREAM_CLOSED' });
    expect(pool.size).toBe(1);
    pool.close();
  });

  it('should end its session where that was asked for, whether the pool has its stream or not', async () => {
    const ended: string[] = [];
    const { pool, value } = setUp({ store: (id) => storeOf(() => ended.push(id)) });
    await value('a');
    const told: string[] = [];
    pool.events.subscribe(({ key, type }) => told.push(`${key as string} ${type}`));
    pool.delete('a', { signOut: true });
    expect(told).toEqual(['a signedOut', 'a closed']);
    pool.delete('b', { signOut: true });
    expect(ended).toEqual(["'a'", "'b'"]);
    await value('c');
    pool.delete('c', { signOut: undefined });
    expect(ended).toHaveLength(2);
    expect(pool.size).toBe(0);
    pool.close();
  });
});

it('a pool should drop no other key where it ends the session of one that it does not have', async () => {
  const { pool, value } = setUp({ max: 2 });
  const values = [await value('a'), await value('b')];
  pool.delete('c', { signOut: true });
  expect([pool.size, await value('a'), await value('b')]).toEqual([2, ...values]);
  pool.close();
});

describe('a pool that is closed', () => {
  it('should close its streams, and refuse whatever is asked of it', async () => {
    const { pool, value } = setUp();
    const token$ = pool.get('a');
    await value('a');
    pool[Symbol.dispose]();
    pool.close();
    await expect(firstValueFrom(token$)).rejects.toMatchObject({ code: 'ERR_TOKEN_STREAM_CLOSED' });
    expect(pool.size).toBe(0);
    for (const ask of [
      () => pool.get('a'),
      () => {
        pool.delete('a', { signOut: true });
      },
    ])
      expect(ask).toThrow('the token pool is closed');
  });

  it.each<[string, TokenPoolOptions<string>]>([
    ['concurrency', {}],
    ['chainOf', { chainOf: (key) => key.slice(0, 1) }],
  ])('should ask no source whose turn had not come: %s', (_option, options) => {
    const asked: string[] = [];
    const pool = createTokenPool(
      (key: string) => () => {
        asked.push(key);
        return NEVER;
      },
      { concurrency: 2, ...options },
    );
    const errors: unknown[] = [];
    for (const key of ['a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1', 'c2', 'c3'])
      takeToken(pool.get(key)).subscribe({ error: (error: unknown) => errors.push(error) });
    const before = [...asked];
    pool.close();
    expect(before).toHaveLength(2);
    expect(asked).toEqual(before);
    expect(errors).toEqual(Array(9).fill(expect.any(TokenStreamClosedError)));
  });

  it('should ask no further source if one closes it', () => {
    const asked: string[] = [];
    const pool = createTokenPool(
      (key: string) => () => {
        if (asked.push(key) === 2) pool.close();
        return NEVER;
      },
      { concurrency: 1 },
    );
    const waiting = ['a', 'b', 'c', 'd'].map((key) => takeToken(pool.get(key)).subscribe({ error: () => undefined }));
    waiting[0]?.unsubscribe();
    pool.delete('a');
    expect(asked).toEqual(['a', 'b']);
  });

  it.each<[string, TokenPoolOptions<string>]>([
    ['alone', {}],
    ['with a store', { store: () => ({ refresh: (_request, fetch) => fetch(null).pipe(map(stored)) }) }],
  ])('should close the streams that it had dropped when they would fetch: %s', (_what, options) => {
    const { pool, asked } = pending({ max: 1, ...options });
    const [idle$, used$] = [pool.get('idle'), pool.get('used')];
    void pool.get('other');
    const errors: unknown[] = [];
    const use = (token$: TokenStream) =>
      takeToken(token$).subscribe({ error: (error: unknown) => errors.push((error as TokenStreamClosedError).code) });
    pool.close();
    use(idle$);
    use(used$);
    expect(errors).toEqual(Array(2).fill('ERR_TOKEN_STREAM_CLOSED'));
    expect(asked).toEqual([]);
    expect(() => {
      idle$.reject({ value: 'T' } as AccessToken);
    }).toThrow('the token stream is closed');
  });

  it('should have a stream that it had dropped ask no more, and end those who listen to it', async () => {
    const { pool, asked, answer } = pending({ max: 1 });
    const dropped$ = pool.get('a');
    void pool.get('b');
    let isComplete = false;
    dropped$.subscribe({ complete: () => (isComplete = true) });
    answer('a');
    pool.close();
    expect(isComplete).toBe(false);
    dropped$.refresh().subscribe({ error: () => undefined });
    await firstValueFrom(timer(2));
    expect([isComplete, asked]).toEqual([true, ['a']]);
  });
});

describe('bad input', () => {
  const source = () => () => of({ access_token: 'T' });
  it.each<[string, unknown]>([
    ['max', { max: 0 }],
    ['max', { max: '10' }],
    ['concurrency', { concurrency: 0.5 }],
    ['concurrency', { concurrency: NaN }],
    ['idOf', { idOf: 'id' }],
    ['store', { store: { refresh: () => NEVER } }],
    ['chainOf', { chainOf: 'session' }],
    ['chainOf', { chainOf: () => 'a', store: () => ({ refresh: () => NEVER }) }],
    ['initial', { initial: { access_token: 'T' } }],
    ['maxWait', { maxWait: -1 }],
  ])('should be named when the pool is created: %s', (name, options) => {
    expect(() => createTokenPool(source, options as TokenPoolOptions<string>)).toThrow(TypeError);
    expect(() => createTokenPool(source, options as TokenPoolOptions<string>)).toThrow(`"${name}"`);
  });

  it.each([null, 'hunter2', () => 1])('should be named in the place of the options, and not shown: %p', (options) => {
    expect(() => createTokenPool(source, options as TokenPoolOptions<string>)).toThrow('options must be an object');
    expect(() => createTokenPool(source, options as TokenPoolOptions<string>)).not.toThrow('hunter2');
  });

  it.each([null, true])('should be refused in the place of the options of `delete`: %p', (options) => {
    const pool = createTokenPool<string>(source);
    const token$ = pool.get('a');
    expect(() => {
      pool.delete('a', options as unknown as { signOut: boolean });
    }).toThrow('options must be an object');
    expect(pool.get('a')).toBe(token$);
    pool.close();
  });

  it('should not be a string with half a surrogate pair, unless a store is named by it', () => {
    const half = 'a\uD83D';
    for (const options of [{}, { chainOf: () => 's' }])
      expect(() => createTokenPool<string>(source, options).get(half)).not.toThrow();
    const storing = createTokenPool<string>(source, { store: () => ({ refresh: () => NEVER }) });
    expect(() => storing.get(half)).toThrow('half a surrogate pair');
  });

  it('should leave no rejected promise unhandled where one is given in the place of a value', async () => {
    const rejecting = (() => Promise.reject(new Error('down'))) as never;
    expect(() => createTokenPool<string>(rejecting).get('a')).toThrow('makes the token source of a key');
    for (const option of ['store', 'idOf', 'chainOf'])
      expect(() => createTokenPool<string>(source, { [option]: rejecting }).get('a')).toThrow(
        `"${option}" must return`,
      );
    await new Promise((resolve) => setTimeout(resolve, 5)); // an unhandled rejection fails the spec
  });

  it('should be named when a key is asked for first', () => {
    const wrong = { access_token: 'T' } as unknown;
    expect(() => createTokenPool(wrong as typeof source)).toThrow('makes the token source of a key');
    const noSource = createTokenPool<string>((() => of(wrong)) as unknown as typeof source);
    expect(() => noSource.get('a')).toThrow('makes the token source of a key');
    const shared: TokenStore = { refresh: () => NEVER };
    const sharing = createTokenPool<string>(source, { store: () => shared });
    void sharing.get('a');
    expect(() => sharing.get('b')).toThrow('"store" must return another store each time');
    const noStore = createTokenPool<string>(source, { store: () => undefined as unknown as TokenStore });
    expect(() => noStore.get('a')).toThrow('"store" must return a token store');
    const noChain = createTokenPool<string>(source, { chainOf: () => '' });
    expect(() => noChain.get('a')).toThrow('"chainOf" must return a string');
    expect(() => {
      sharing.delete('a', { signOut: 1 as unknown as boolean });
    }).toThrow('"signOut" must be true or false');
  });
});
