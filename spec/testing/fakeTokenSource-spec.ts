import { runInNewContext } from 'node:vm';
import { firstValueFrom, Subscription, VirtualTimeScheduler } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, type TokenRequest } from 'rx-fresh-token';
import { fakeTokenSource, tokenMarbles, virtualClock } from 'rx-fresh-token/testing';

const request = (more: Partial<TokenRequest> = {}): TokenRequest => ({
  reason: 'initial',
  attempt: 1,
  previous: null,
  signal: new AbortController().signal,
  ...more,
});

function raise(message: string): never {
  throw new Error(message);
}

describe('fakeTokenSource', () => {
  it(
    'should yield tokens that read as letters, after its latency, each living from its call',
    marbles((m) => {
      const source = fakeTokenSource({ scheduler: m.scheduler, latency: 200 });
      const token$ = createTokenStream(source, { scheduler: m.scheduler, jitter: 0, idleTimeout: 0 });
      m.expect(tokenMarbles(token$), '^ 60s !').toBeObservable('200ms a 24999ms b 24999ms c');
      m.flush();
      expect(
        source.calls.map(({ at, reason, previous, token, settledAt }) => [at, reason, previous, token, settledAt]),
      ).toEqual([
        [0, 'initial', null, 'a', 200],
        [25_000, 'scheduled', 'a', 'b', 25_200],
        [50_000, 'scheduled', 'b', 'c', 50_200],
      ]);
      source.verify();
    }),
  );

  it('should be virtual inside of TestScheduler.run without being handed the scheduler', () => {
    new TestScheduler((actual, expected) => {
      expect(actual).toEqual(expected);
    }).run(({ expectObservable }) => {
      const source = fakeTokenSource({ latency: 5, lifetime: 60 });
      expectObservable(tokenMarbles(createTokenStream(source, { jitter: 0, idleTimeout: 0 })), '^ 150ms !').toBe(
        '5ms a 49ms b 49ms c',
      );
    });
  });

  it('should answer synchronously without latency', () => {
    const seen: unknown[] = [];
    fakeTokenSource()(request()).subscribe((response) => seen.push(response));
    expect(seen).toEqual([{ access_token: 'a', token_type: 'Bearer', expires_in: 30 }]);
  });

  it("should throw an error of the platform as well, which in a test runner's sandbox is another realm's", () => {
    const foreign: unknown[] = [
      runInNewContext(`new TypeError('fetch failed')`),
      new DOMException('gone', 'AbortError'),
    ];
    const source = fakeTokenSource({ steps: foreign as Error[] });
    const seen: unknown[] = [];
    for (let i = 0; i < 2; i++)
      source(request()).subscribe({ next: () => seen.push('a response'), error: (error: unknown) => seen.push(error) });
    expect(seen).toEqual(foreign);
    expect(source.calls.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
  });

  it('should give a scripted response as it is, though it reads like an error', () => {
    const odd = { access_token: 'x', name: 'n', message: 'm' };
    const seen: unknown[] = [];
    fakeTokenSource({ steps: [odd] })(request()).subscribe((response) => seen.push(response));
    expect(seen).toEqual([odd]);
  });

  it.each([[{ lifetime: () => -1 }], [{ latency: () => NaN }]])(
    'should tell of a function out of range, which the stream takes for a failed fetch: %p',
    (options) => {
      const source = fakeTokenSource(options);
      const errors: unknown[] = [];
      source(request()).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).toEqual([expect.any(TypeError)]);
      expect(source.verify).toThrow(
        new RegExp(`- call 1 at \\d+ ms: TypeError: option "${Object.keys(options)[0] ?? ''}" must be`),
      );
    },
  );

  it('should do what its script says, then yield tokens, and spend no name on failures', () => {
    const own = new Error('own');
    const source = fakeTokenSource({
      steps: ['transient', 'token', 'permanent', own, { access_token: 'mine', expires_in: 1 }, 'hang'],
    });
    const seen: unknown[] = [];
    const called = new Subscription();
    for (let i = 0; i < 7; i++) {
      called.add(
        source(request()).subscribe({
          next: ({ access_token }) => seen.push(access_token),
          error: (error: unknown) => seen.push(error),
        }),
      );
      if (i === 5) called.unsubscribe();
    }
    expect(seen).toEqual([
      expect.objectContaining({ code: 'ERR_TOKEN_ENDPOINT', status: 503 }),
      'a',
      expect.objectContaining({ code: 'ERR_TOKEN_ENDPOINT', status: 400, error: 'invalid_client' }),
      own,
      'mine',
      'b',
    ]);
    expect(source.calls.map(({ outcome }) => outcome)).toEqual([
      'failed',
      'token',
      'failed',
      'failed',
      'token',
      'aborted',
      'token',
    ]);
    source.verify();
  });

  it(
    'should be seen as transient or permanent by a stream',
    marbles((m) => {
      const stream = (step: 'transient' | 'permanent') => {
        const source = fakeTokenSource({ scheduler: m.scheduler, latency: 10, steps: [step] });
        return tokenMarbles(
          createTokenStream(source, { scheduler: m.scheduler, jitter: 0, random: () => 1, idleTimeout: 0 }),
        );
      };
      m.expect(stream('transient'), '^ 1s !').toBeObservable('270ms a');
      m.expect(stream('permanent'), '^ 1s !').toBeObservable('10ms #', undefined, 'ERR_TOKEN_UNAVAILABLE');
    }),
  );

  it.each([
    ['numbers', ['token-1', 'token-2']],
    ['letters', ['a', 'b']],
    [(n: number) => `T${String(n * 10)}`, ['T10', 'T20']],
  ] as const)('should name tokens by %s', async (names, expected) => {
    const source = fakeTokenSource({ names });
    for (const name of expected) expect((await firstValueFrom(source(request()))).access_token).toBe(name);
  });

  it('should go on with numbers after the last letter', async () => {
    const source = fakeTokenSource();
    let last = '';
    for (let i = 0; i < 53; i++) last = (await firstValueFrom(source(request()))).access_token;
    expect(source.calls.at(51)?.token).toBe('Z');
    expect(last).toBe('token-53');
  });

  it(
    'should take latency and lifetime per call, and leave out a life that is unknown',
    marbles((m) => {
      const source = fakeTokenSource({
        scheduler: m.scheduler,
        latency: (n) => n * 10,
        lifetime: (n) => (n === 1 ? 1500 : Infinity),
      });
      const seen: unknown[] = [];
      source(request()).subscribe((response) => seen.push(m.scheduler.now(), response.expires_in));
      m.scheduler.schedule(() => {
        source(request()).subscribe((response) => seen.push(m.scheduler.now(), 'expires_in' in response));
      }, 10);
      m.flush();
      expect(seen).toEqual([10, 1.5, 30, false]);
    }),
  );

  it(
    'should record callers who leave, by unsubscribing or by the signal, and issue nothing to them',
    marbles((m) => {
      const source = fakeTokenSource({ scheduler: m.scheduler, latency: 100, allowOverlap: true });
      const controller = new AbortController();
      const heard: unknown[] = [];
      const leaving = source(request()).subscribe();
      source(request({ signal: controller.signal })).subscribe({ error: (error: unknown) => heard.push(error) });
      m.scheduler.schedule(() => {
        leaving.unsubscribe();
        controller.abort('enough');
        source(request({ signal: controller.signal })).subscribe({ error: (error: unknown) => heard.push(error) });
      }, 40);
      m.flush();
      expect(heard).toEqual(['enough', 'enough']);
      expect(source.calls).toMatchObject(
        [40, 40, 40].map((settledAt) => ({ outcome: 'aborted', token: null, settledAt })),
      );
      expect(source.fateOf('a')).toBe('unknown');
    }),
  );

  it(
    'should record a stream’s timeout as aborted',
    marbles((m) => {
      const source = fakeTokenSource({ scheduler: m.scheduler, steps: ['hang'] });
      const token$ = createTokenStream(source, {
        scheduler: m.scheduler,
        jitter: 0,
        random: () => 1,
        fetchTimeout: 1000,
        idleTimeout: 0,
      });
      m.expect(tokenMarbles(token$), '^ 2s !').toBeObservable('1250ms a');
      m.flush();
      expect(source.calls).toMatchObject([
        { outcome: 'aborted', settledAt: 1000 },
        { at: 1250, attempt: 2, outcome: 'token' },
      ]);
      source.verify();
    }),
  );

  it(
    'should know which of its tokens are alive, on the clock of a server',
    marbles((m) => {
      const clock = virtualClock(m.scheduler);
      const source = fakeTokenSource({ scheduler: m.scheduler, now: clock.serverNow, lifetime: 1000, latency: 100 });
      const fates: string[] = [];
      const look = (at: number) =>
        m.scheduler.schedule(() => fates.push(`${m.scheduler.now()} ${source.fateOf('a')}`), at);
      source(request()).subscribe();
      [50, 101, 999, 1000].forEach(look);
      m.flush();
      source.revoke('a');
      expect([...fates, source.fateOf('a'), source.fateOf('b')]).toEqual([
        '50 unknown',
        '101 alive',
        '999 alive',
        '1000 expired',
        'revoked',
        'unknown',
      ]);
    }),
  );

  describe('verify()', () => {
    it('should pass while all is as expected', () => {
      expect(() => {
        fakeTokenSource().verify();
      }).not.toThrow();
    });

    it('should tell of steps that were not reached', () => {
      const source = fakeTokenSource({ steps: ['token', 'hang', 'token'] });
      source(request()).subscribe();
      expect(() => {
        source.verify();
      }).toThrow('fakeTokenSource: 1 fault\n- of 3 steps the last 2 were not reached');
    });

    it('should tell of names that throw, or give no string', async () => {
      for (const [names, said] of [
        [() => raise('no name left'), 'Error: no name left'],
        [() => '', 'TypeError: option "names(1)" must be a string that is not empty, got ""'],
      ] as const) {
        const source = fakeTokenSource({ scheduler: new VirtualTimeScheduler(), names });
        await expect(firstValueFrom(source(request()))).rejects.toThrow();
        expect(() => {
          source.verify();
        }).toThrow(new Error(`fakeTokenSource: 1 fault\n- call 1 at 0 ms: ${said}`));
      }
    });

    it('should tell of calls that overlap, unless that is allowed', () => {
      for (const allowOverlap of [false, true]) {
        const source = fakeTokenSource({ steps: ['hang', 'token'], allowOverlap });
        const hanging = source(request()).subscribe();
        source(request({ reason: 'manual' })).subscribe();
        hanging.unsubscribe();
        source(request()).subscribe();
        const verified = expect(() => {
          source.verify();
        });
        if (allowOverlap) verified.not.toThrow();
        else verified.toThrow(/: 1 fault\n- call 2 at \d+ ms \(manual\) was made while call 1 was under way$/);
      }
    });

    it(
      'should tell of calls past maxCalls, which fail permanently at once',
      marbles((m) => {
        const source = fakeTokenSource({ scheduler: m.scheduler, maxCalls: 1, latency: 10 });
        const token$ = createTokenStream(source, { scheduler: m.scheduler, jitter: 0, idleTimeout: 0 });
        m.expect(tokenMarbles(token$), '^ 40s !').toBeObservable(
          '10ms a 28999ms #',
          undefined,
          'ERR_TOKEN_UNAVAILABLE',
        );
        m.flush();
        expect(() => {
          source.verify();
        }).toThrow(/- call 2 at 25000 ms \(scheduled\) is one too many: maxCalls is 1/);
      }),
    );
  });
});

it('should end a token at its millisecond, whatever floating point makes of its seconds', () => {
  let now = 0;
  const source = fakeTokenSource({ now: () => now, lifetime: 2007 });
  source({ reason: 'initial', attempt: 1, previous: null, signal: new AbortController().signal }).subscribe();
  const fates = [2006, 2007].map((at) => {
    now = at;
    return source.fateOf('a');
  });
  expect(fates).toEqual(['alive', 'expired']);
});

it.each([
  ['cannot be read', { access_token: 'a', expires_in: 'soon' }],
  ['is empty', { access_token: 'a', expires_in: '' }],
])('should know as the stream does how long a token lives whose expires_in %s', (_kind, step) => {
  let now = 0;
  const source = fakeTokenSource({ now: () => now, steps: [step] });
  source(request()).subscribe();
  now = 60_000;
  expect(source.fateOf('a')).toBe('alive');
});

it('should record a response without a token as a failure', () => {
  const source = fakeTokenSource({ steps: [{ error: 'invalid_client' } as never] });
  source(request()).subscribe();
  expect(source.calls).toMatchObject([{ outcome: 'failed', token: null }]);
});
