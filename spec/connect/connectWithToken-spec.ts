import { EMPTY, lastValueFrom, NEVER, of, take, throwError, toArray } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { createTokenStream, type AccessToken, type TokenSource, type TokenStreamOptions } from 'rx-fresh-token';
import { connectWithToken, type ConnectOptions } from 'rx-fresh-token/connect';
import { createTokenPool } from 'rx-fresh-token/pool';
import type { TokenStep } from 'rx-fresh-token/testing';
import { answered, close, setUp } from './support.js';

type Clock = Pick<TokenStreamOptions, 'scheduler' | 'now' | 'jitter'>;

describe('41 and 43: a stream over any number of connections', () => {
  it(
    'should open one connection with a usable token, and close it when the subscriber leaves',
    marbles((m) => {
      const { log, run, source } = setUp(m, ['1s x 1s y'], {}, { source: { latency: 200 } });
      run({}, 5000);
      expect(log).toEqual(['200 open a', '1200 x', '2201 y', '5000 close a']);
      expect(source.calls).toHaveLength(1);
    }),
  );

  it(
    'should fetch no token and open nothing when the subscriber leaves before the token comes',
    marbles((m) => {
      const { log, run } = setUp(m, ['x'], {}, { source: { latency: 200 } });
      run({}, 100);
      expect(log).toEqual([]);
    }),
  );

  it(
    'should keep the connection when the token is renewed, and when it ends',
    marbles((m) => {
      const { log, run, at, token$ } = setUp(m, ['x']);
      const watching = token$.subscribe();
      at(200_000, () => watching.unsubscribe());
      run({}, 200_000);
      expect(log).toEqual(['0 open a', '0 x', '200000 close a']);
    }),
  );

  it(
    'should reconnect with the token of then, after pauses that grow while no connection lasts',
    marbles((m) => {
      const { log, run } = setUp(m, ['1s # !1006', '20s x 10s # !1006'], { 1006: close(1006) });
      run({}, 63_000);
      expect(log).toEqual([
        '0 open a',
        '1000 close a',
        '1250 open a',
        '21250 x',
        '31251 close a',
        '31501 open b',
        '51501 x',
        '61502 close b',
        '61752 open c',
        '63000 close c',
      ]);
    }),
  );

  it(
    'should let pauses grow to the greatest, and count attempts',
    marbles((m) => {
      const { log, run } = setUp(m, ['#'], { '': close(1006) });
      run({ reconnect: { initial: 100, factor: 3, max: 500, count: 4 } });
      expect(log.filter((line) => !line.includes('close a'))).toEqual([
        '0 open a',
        '100 open a',
        '400 open a',
        '900 open a',
        '1400 open a',
        '1400 error close 1006',
      ]);
    }),
  );

  it(
    'should start the pauses anew only once an open connection has lasted',
    marbles((m) => {
      const { log, run } = setUp(m, ['20s #'], { '': close(1006) }, { isOpenAtOnce: false });
      run({ reconnect: { initial: 100, max: 500, count: 2 } });
      expect(log.filter((line) => !/close [ab]/.test(line))).toEqual([
        '0 open a',
        '20100 open a',
        '40300 open b',
        '60300 error close 1006',
      ]);
    }),
  );

  it(
    'should count how long a connection was open from `opened`, and not from its first message',
    marbles((m) => {
      const { log, run } = setUp(m, ['20s x 1s #'], { '': close(1006) });
      run({ reconnect: { count: 1 } }, 100_000);
      expect(log.filter((line) => line.includes('error'))).toEqual([]);
      expect(log.filter((line) => line.includes('open')).length).toBeGreaterThan(2);
    }),
  );

  cases(
    'should know that a connection has lasted, though the clock is set back meanwhile',
    (m, { open }) => {
      let shift = 0;
      const { scheduler } = m;
      const source = () => of({ access_token: 'a', expires_in: 3600 });
      const { token$, close: end } = open(source, { scheduler, now: () => scheduler.now() + shift, jitter: 0 });
      const opened: number[] = [];
      const connection$ = m.cold<string>('60s #', undefined, close(1006));
      const running = connectWithToken(
        token$,
        (_token, isOpen) => {
          opened.push(scheduler.now());
          isOpen();
          return connection$;
        },
        { reconnect: { initial: 100, count: 1, random: () => 1 } },
      ).subscribe({ error: (error: unknown) => opened.push(error as never) });
      for (const at of [30_000, 90_000]) scheduler.schedule(() => (shift -= 3_600_000), at);
      scheduler.schedule(() => {
        running.unsubscribe();
        end();
      }, 130_000);
      m.flush();
      expect(opened).toEqual([0, 60_100, 120_200]);
    },
    {
      'of a stream': {
        open: (source: TokenSource, options: Clock) => {
          const token$ = createTokenStream(source, options);
          return { token$, close: () => token$.close() };
        },
      },
      'of a pool': {
        open: (source: TokenSource, options: Clock) => {
          const pool = createTokenPool(() => source, options);
          return { token$: pool.get(''), close: () => pool.close() };
        },
      },
    },
  );

  it(
    'should count reconnects though there are no pauses',
    marbles((m) => {
      const { log, run } = setUp(m, ['5ms #'], { '': close(1006) });
      run({ reconnect: { initial: 0, max: 0, count: 3 } });
      expect(log.filter((line) => /open|error/.test(line))).toEqual([
        '0 open a',
        '5 open a',
        '10 open a',
        '15 open a',
        '20 error close 1006',
      ]);
    }),
  );

  cases(
    'should connect again where random returns',
    (m, { random }) => {
      const { log, run } = setUp(m, ['1s # !1006', '-'], { 1006: close(1006) });
      run({ reconnect: { random: random as () => number } }, 3000);
      expect(log).toEqual(['0 open a', '1000 close a', '1000 open a', '3000 close a']);
    },
    [
      { name: 'no number', random: () => NaN },
      { name: 'nothing', random: () => undefined },
    ],
  );

  it(
    'should wait as long as the server asks before it connects again',
    marbles((m) => {
      const { log, run } = setUp(m, ['1s # !busy', '-'], { busy: answered(503, { 'retry-after': '7' }) });
      run({}, 9000);
      expect(log).toEqual(['0 open a', '1000 close a', '8000 open a', '9000 close a']);
    }),
  );

  it(
    'should take the token first after sleep: none that is over goes into a handshake',
    marbles((m) => {
      let slept = 0;
      const { scheduler } = m;
      const now = () => scheduler.now() + slept;
      const { log, run, at } = setUp(
        m,
        ['5s # !1006', '-'],
        { 1006: close(1006) },
        {
          source: { latency: 400, now },
          stream: { now },
        },
      );
      at(5000, () => (slept = 3_600_000));
      run({}, 8000);
      expect(log).toEqual(['400 open a', '5400 close a', '6050 open b', '8000 close b']);
    }),
  );

  it(
    'should work as an operator',
    marbles((m) => {
      const token$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }), { scheduler: m.scheduler });
      m.expect(token$.pipe(connectWithToken(({ value }: AccessToken) => of(value)))).toBeObservable('(T|)');
    }),
  );
});

describe('42: a rejected token', () => {
  const codes = [1008, 3000, 3003, 4401, 4403].map((code) => ({ name: `close code ${code}`, end: close(code) }));
  cases(
    'should be replaced by one refresh, and never be in a handshake again',
    (m, { end }) => {
      const { log, run, source } = setUp(m, ['1s x 1s #', '-'], { '': end });
      run({}, 5000);
      expect(log).toEqual(['0 open a', '1000 x', '2001 close a', '2001 open b', '5000 close b']);
      expect(source.calls.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
    },
    [
      ...codes,
      { name: 'status 401', end: answered(401) },
      { name: 'status 403', end: answered(403) },
      { name: "the error of ws' upgrade", end: new Error('Unexpected server response: 401') },
      { name: "the error event of ws' upgrade", end: { type: 'error', message: 'Unexpected server response: 403' } },
      {
        name: 'the error of websocket',
        end: new Error('Server responded with a non-101 status: 401 Unauthorized\nResponse Headers Follow:\n'),
      },
      { name: "eventsource's error event", end: { type: 'error', code: 401, message: 'Non-200 status code (401)' } },
      { name: "socket.io's error of polling", end: Object.assign(new Error('xhr poll error'), { description: 401 }) },
      {
        name: "socket.io's error of a WebSocket",
        end: Object.assign(new Error('websocket error'), {
          description: { message: 'Unexpected server response: 403' },
        }),
      },
      { name: "RFC 6750's code", end: Object.assign(new Error('jwt expired'), { code: 'invalid_token' }) },
      {
        name: "RFC 6750's code in the data of socket.io's error",
        end: Object.assign(new Error('jwt expired'), { data: { code: 'invalid_token' } }),
      },
      { name: "a status in the data of socket.io's error", end: { data: { status: 401 } } },
      { name: "Feathers' error", end: { data: { name: 'NotAuthenticated', code: 401 } } },
      { name: 'a status in text', end: { status: '401' } },
      {
        name: "React Native's error on Android",
        end: { type: 'error', message: "Expected HTTP 101 response but was '401 Unauthorized'" },
      },
      {
        name: "React Native's error on iOS",
        end: { type: 'error', message: 'received bad response code from server 403' },
      },
      {
        name: "React Native's close event on iOS",
        end: { type: 'close', code: 1006, reason: 'Received bad response code from server: 401.' },
      },
    ],
  );

  cases(
    'should not be blamed',
    (m, { end }) => {
      const { log, run, source } = setUp(m, ['1s #', '-'], { '': end });
      run({}, 2000);
      expect(log).toEqual(['0 open a', '1000 close a', '1250 open a', '2000 close a']);
      expect(source.calls).toHaveLength(1);
    },
    [
      { name: 'when the server is gone', end: close(1006) },
      { name: 'when it goes away', end: close(1001) },
      {
        name: 'when the scope is what is missing',
        end: answered(403, { 'www-authenticate': 'error="insufficient_scope"' }),
      },
      { name: 'when a proxy answers 502', end: new Error('Unexpected server response: 502') },
      {
        name: "when it answers socket.io's polling",
        end: Object.assign(new Error('xhr poll error'), { description: 503 }),
      },
      { name: 'when a number is no status', end: new Error('no response for 4010 ms') },
      { name: 'when a number is a time', end: new Error('no response within 401 ms') },
      { name: 'when it closes with a reason of its own', end: { code: 1011, reason: 'upstream status 401' } },
      { name: 'when the error is a text', end: '4401' },
      { name: 'when there is no error', end: undefined },
    ],
  );

  it(
    'should be compared first: an end that comes after the renewal costs no refresh',
    marbles((m) => {
      const { log, run, at, token$, source } = setUp(m, ['31s # !4401', '-'], { 4401: close(4401) });
      const watching = token$.subscribe();
      at(32_000, () => watching.unsubscribe());
      run({}, 32_000);
      expect(log).toEqual(['0 open a', '31000 close a', '31000 open b', '32000 close b']);
      expect(source.calls.map(({ reason }) => reason)).toEqual(['initial', 'scheduled']);
    }),
  );

  it(
    'should cost one refresh for every token life when the server closes at its end, whether or not messages come',
    marbles((m) => {
      const { log, run } = setUp(m, ['30s # !4401'], { 4401: close(4401) }, { isOpenAtOnce: false });
      run({}, 130_000);
      expect(log.filter((line) => line.includes('open'))).toEqual([
        '0 open a',
        '30000 open b',
        '60000 open c',
        '90000 open d',
        '120000 open e',
      ]);
    }),
  );

  it(
    'should end the stream with the third in a row, each another token',
    marbles((m) => {
      const { log, run } = setUp(m, ['10ms # !4401'], { 4401: close(4401) });
      run();
      expect(log.filter((line) => !line.includes('close a') && !line.includes('close b'))).toEqual([
        '0 open a',
        '10 open b',
        expect.stringMatching(/^\d+ open c$/),
        expect.stringMatching(/^\d+ close c$/),
        expect.stringMatching(/^\d+ error close 4401$/),
      ]);
    }),
  );

  it(
    'should connect after growing pauses, and count them, if each connection is rejected right after its first message',
    marbles((m) => {
      const { log, run } = setUp(m, ['x 9ms # !4401'], { 4401: close(4401) });
      run({ reconnect: { count: 2 } });
      expect(log.filter((line) => /open|error/.test(line))).toEqual([
        '0 open a',
        '10 open b',
        '270 open c',
        '780 open d',
        '790 error close 4401',
      ]);
    }),
  );

  it(
    'should connect at once again after a connection has lasted',
    marbles((m) => {
      const { log, run } = setUp(m, ['x 9ms # !4401', 'x 12s # !4401', 'x'], { 4401: close(4401) });
      run({}, 13_000);
      expect(log.filter((line) => line.includes('open'))).toEqual(['0 open a', '10 open b', '12011 open c']);
    }),
  );

  it(
    'should end the stream with the third in a row, and cost a refresh each, where every token has expired on arrival',
    marbles((m) => {
      const { log, run, source } = setUp(m, ['10ms # !4401'], { 4401: close(4401) }, { source: { lifetime: 0 } });
      run();
      expect(log.filter((line) => /open|error/.test(line)).map((line) => line.replace(/^\d+ /, ''))).toEqual([
        'open a',
        'open b',
        'open c',
        'error close 4401',
      ]);
      expect(source.calls).toHaveLength(3);
    }),
  );

  cases(
    'should not be in a handshake again where the next token has expired on arrival',
    (m, { end }) => {
      const lifetimes = [30, 0, 30];
      const tokens = lifetimes.map((expires_in, index) => ({ access_token: `T${index + 1}`, expires_in }));
      const token$ = createTokenStream(() => of(tokens.shift() ?? { access_token: 'T4' }), { scheduler: m.scheduler });
      const opened: string[] = [];
      const running = connectWithToken(token$, ({ value }: AccessToken) => {
        opened.push(value);
        return m.cold(opened.length === 1 ? '1s #' : '-', undefined, end);
      }).subscribe();
      m.scheduler.schedule(() => {
        running.unsubscribe();
        token$.close();
      }, 5000);
      m.flush();
      expect(opened).toEqual(['T1', 'T2']);
    },
    [
      { name: 'after an explicit rejection', end: close(4401) },
      { name: 'after a bare rejection', end: close(4403) },
    ],
  );

  it(
    'should not count rejections across a connection that was accepted',
    marbles((m) => {
      const { log, run } = setUp(m, ['x 1s # !4401'], { 4401: close(4401) });
      run({}, 6500);
      expect(log.filter((line) => line.includes('error'))).toEqual([]);
      expect(new Set(log.filter((line) => line.includes('open')).map((line) => line.split(' ')[2])).size).toBe(
        log.filter((line) => line.includes('open')).length,
      );
    }),
  );

  it(
    'should wait for another one while the source fails, and not be sent meanwhile',
    marbles((m) => {
      const { log, run } = setUp(
        m,
        ['1s # !4401', '-'],
        { 4401: close(4401) },
        {
          source: { steps: ['token', 'transient', 'transient', 'transient', 'token'] },
        },
      );
      run({}, 20_000);
      expect(log).toEqual(['0 open a', '1000 close a', '2750 open b', '20000 close b']);
    }),
  );

  it(
    'should end the stream if no other one comes within maxWait',
    marbles((m) => {
      const steps = ['token', 'hang'] as const;
      const { log, run } = setUp(m, ['1s # !4401', '-'], { 4401: close(4401) }, { source: { steps } });
      run({ maxWait: 700 }, 20_000);
      expect(log).toEqual(['0 open a', '1000 close a', '1700 error close 4401']);
    }),
  );

  it(
    'should end the stream as the connection ended, if that completed and no other one comes within maxWait',
    marbles((m) => {
      const steps = ['token', 'hang'] as const;
      const { log, run } = setUp(m, ['1s |'], {}, { source: { steps } });
      run({ maxWait: 700, isFinal: () => false, isRejection: () => true }, 20_000);
      expect(log).toEqual(['0 open a', '1000 close a', '1700 complete']);
    }),
  );

  it(
    'should be reported once, though connections with its replacement are lost',
    marbles((m) => {
      const errors = { 4401: close(4401), 1006: close(1006) };
      const { log, run, token$ } = setUp(m, ['1s # !4401', '1s # !1006', '1s # !1006', '-'], errors);
      const reported: string[] = [];
      token$.events.subscribe((event) => {
        if (event.type === 'tokenRejected') reported.push(event.token.value);
      });
      run({}, 5000);
      expect(log.filter((line) => line.includes('open'))).toEqual([
        '0 open a',
        '1000 open b',
        '2250 open b',
        '3750 open b',
      ]);
      expect(reported).toEqual(['a']);
    }),
  );

  it(
    'should not be replaced by one that another caller has seen rejected meanwhile',
    marbles((m) => {
      const { log, run, token$ } = setUp(m, ['x 1s # !4401', '-'], { 4401: close(4401) });
      token$.events.subscribe((event) => {
        if (event.type === 'tokenChanged' && event.token.value === 'b') token$.reject(event.token);
      });
      run({}, 3000);
      expect(log.filter((line) => line.includes('open'))).toEqual(['0 open a', expect.stringContaining(' open c')]);
    }),
  );

  it(
    'should end the stream when the source fails permanently',
    marbles((m) => {
      const { log, run } = setUp(
        m,
        ['1s # !4401', '-'],
        { 4401: close(4401) },
        {
          source: { steps: ['token', 'permanent', 'permanent', 'permanent'] },
        },
      );
      run({}, 20_000);
      expect(log).toEqual([
        '0 open a',
        '1000 close a',
        expect.stringContaining('1000 error the token source failed permanently: the fake source fails'),
      ]);
    }),
  );

  const broken = {
    'fails once': ['transient'],
    'fails for a while': Array(5).fill('transient'),
    'is slow': [],
  } as const;
  cases(
    'should be waited for, however few reconnects there may be, while the source',
    (m, { count, steps, latency }) => {
      const source = { steps: ['token', ...steps, 'token'], latency: (n: number) => (n === 1 ? 0 : latency) } as const;
      const { log, run } = setUp(m, ['1s # !4401', '-'], { 4401: close(4401) }, { source });
      run({ reconnect: { count } }, 30_000);
      expect(log.map((line) => line.replace(/^\d+ /, ''))).toEqual(['open a', 'close a', 'open b', 'close b']);
    },
    [0, 1, 2].flatMap((count) =>
      Object.entries(broken).map(([how, steps]) => ({
        name: `${how}, count ${count}`,
        count,
        steps,
        latency: how === 'is slow' ? 5000 : 0,
      })),
    ),
  );

  cases(
    'should end the stream if the source fails permanently, however few reconnects there may be:',
    (m, { count, diagram, failures }) => {
      const source = { steps: ['token', ...failures, ...Array<TokenStep>(9).fill('permanent')] as TokenStep[] };
      const { log, run, token$ } = setUp(m, [diagram, '-'], { 4401: close(4401) }, { source });
      const watching = token$.subscribe({ error: () => undefined });
      run({ reconnect: { count } }, 60_000);
      watching.unsubscribe();
      expect(log.slice(2)).toEqual([expect.stringContaining('error the token source failed permanently')]);
    },
    [0, 1, 2].flatMap((count) => [
      { name: `count ${count}`, count, diagram: '1s # !4401', failures: [] },
      {
        name: `after other failures, count ${count}`,
        count,
        diagram: '1s # !4401',
        failures: ['transient', 'transient'],
      },
      { name: `before the rejection too, count ${count}`, count, diagram: '26s # !4401', failures: [] },
    ]) as { name: string; count: number; diagram: string; failures: TokenStep[] }[],
  );

  cases(
    'should be reported, though the stream ends with it',
    (m, { diagrams = ['1s # !4401'], options, rejected = ['a'], refreshes = 1 }) => {
      const { log, run, source, token$ } = setUp(m, diagrams, { 4401: close(4401) });
      const reported: string[] = [];
      token$.events.subscribe((event) => {
        if (event.type === 'tokenRejected') reported.push(event.token.value);
      });
      run(options, 40_000);
      expect(log.at(-1)).toMatch(/error close 4401$/);
      expect(reported).toEqual(rejected);
      expect(log.filter((line) => line.includes('open')).at(-1)).toMatch(new RegExp(`open ${rejected.at(-1)}$`));
      expect(source.calls.filter(({ reason }) => reason === 'rejected')).toHaveLength(refreshes);
    },
    [
      { name: 'by isFinal', options: { isFinal: () => true } },
      { name: 'as nothing reconnects', options: { reconnect: false } },
      { name: 'as nothing reconnects, and by isFinal', options: { reconnect: false, isFinal: () => true } },
      {
        name: 'as no attempt is left',
        diagrams: ['x 1s # !4401'],
        options: { reconnect: { count: 0 } },
        rejected: ['a', 'b'],
        refreshes: 2,
      },
      {
        name: 'as it is the third in a row',
        options: {},
        rejected: ['a', 'b', 'c'],
        refreshes: 2,
      },
      {
        name: "by isFinal, in the place of an older connection: onRenewal: 'replace'",
        diagrams: ['-', '1s # !4401'],
        options: { onRenewal: 'replace', isFinal: () => true },
        rejected: ['b'],
      },
    ] as {
      name: string;
      diagrams?: string[];
      options: ConnectOptions;
      rejected?: string[];
      refreshes?: number;
    }[],
  );

  cases(
    'should be asked for another one at most `count` times again while the source works:',
    (m, { count, steps }) => {
      const source = { names: () => 'same', steps } as const;
      const { log, run, token$ } = setUp(m, ['1s # !4401'], { 4401: close(4401) }, { source });
      let rejections = 0;
      token$.events.subscribe(({ type }) => (rejections += Number(type === 'tokenRejected')));
      run({ reconnect: { initial: 100, count } }, 5000);
      expect(log.filter((line) => /open|error/.test(line))).toEqual([
        '0 open same',
        expect.stringContaining('error close 4401'),
      ]);
      expect(rejections).toBe(count + 1);
    },
    [0, 1, 3].map((count) => ({ name: `it brings the same token, count ${count}`, count, steps: [] })),
  );

  cases(
    'should cost no refresh if it is final to isFinal, and may be that no token helps:',
    (m, { end, reconnect }) => {
      const { log, run, source } = setUp(m, ['1s #'], { '': end });
      run({ isFinal: () => true, reconnect }, 2000);
      expect(log.at(-1)).toBe(`1000 error ${end.message}`);
      expect(source.calls).toHaveLength(1);
    },
    [
      ...[1008, 3003, 4403].map((code) => ({ name: `close code ${code}`, end: close(code) })),
      { name: 'status 403', end: answered(403) },
      { name: 'close code 4403, and nothing reconnects', end: close(4403), reconnect: false },
    ] as { name: string; end: Error; reconnect?: false }[],
  );

  it(
    'should be told by isRejection, which sees what the connection ended with',
    marbles((m) => {
      const seen: unknown[] = [];
      const { log, run } = setUp(m, ['1s |', '-']);
      run({ isFinal: () => false, isRejection: (end) => (seen.push(end), true) }, 3000);
      expect([log, seen]).toEqual([['0 open a', '1000 close a', '1000 open b', '3000 close b'], [null]]);
    }),
  );

  it(
    'should be replaced for others too when nothing reconnects',
    marbles((m) => {
      const { log, run, source } = setUp(m, ['1s # !4401'], { 4401: close(4401) });
      run({ reconnect: false }, 2000);
      expect(log).toEqual(['0 open a', '1000 close a', '1000 error close 4401']);
      expect(source.calls.map(({ reason }) => reason)).toEqual(['initial', 'rejected']);
    }),
  );
});

describe('44: the end', () => {
  cases(
    'should be the end of the stream',
    (m, { diagram, end, options = {}, last }) => {
      const { log, run } = setUp(m, [diagram], { '': end });
      run(options, 5000);
      expect(log.slice(2)).toEqual([`1000 ${last}`]);
    },
    [
      { name: 'when a connection completes', diagram: '1s |', last: 'complete' },
      { name: 'by close code 1000', diagram: '1s #', end: close(1000), last: 'complete' },
      {
        name: 'by isFinal',
        diagram: '1s #',
        end: close(4000),
        options: { isFinal: () => true },
        last: 'error close 4000',
      },
      {
        name: 'by any end, if nothing reconnects',
        diagram: '1s #',
        end: close(1006),
        options: { reconnect: false },
        last: 'error close 1006',
      },
      {
        name: 'by no attempt left',
        diagram: '1s #',
        end: close(1006),
        options: { reconnect: { count: 0 } },
        last: 'error close 1006',
      },
    ] as { name: string; diagram: string; end?: unknown; options?: ConnectOptions; last: string }[],
  );

  cases(
    'should be the one that isFinal has seen, whatever isRejection makes of it:',
    (m, { diagram, last, isRejection }) => {
      const { log, run, source } = setUp(m, [diagram], { '': new SyntaxError('no JSON') });
      run({ isFinal: (end) => end === null || end instanceof SyntaxError, isRejection }, 5000);
      expect(log.slice(2)).toEqual([`1000 ${last}`]);
      expect(source.calls).toHaveLength(1);
    },
    [
      ['a completion', '1s |', 'complete'],
      ['an error', '1s #', 'error no JSON'],
    ].flatMap(([what, diagram, last]) =>
      [
        { how: 'throws', isRejection: fail },
        { how: 'returns a promise', isRejection: (() => Promise.resolve(true)) as never },
        { how: 'takes only errors', isRejection: (end: unknown) => (end as Error).message === '' },
        { how: 'is true of a completion', isRejection: (end: unknown) => end === null },
      ].map(({ how, isRejection }) => ({ name: `${what}, it ${how}`, diagram, last, isRejection })),
    ) as { name: string; diagram: string; last: string; isRejection: (end: unknown) => boolean }[],
  );

  it(
    'should not come with a completion, if isFinal says so',
    marbles((m) => {
      const { log, run } = setUp(m, ['1s |', '-']);
      run({ isFinal: () => false }, 3000);
      expect(log).toEqual(['0 open a', '1000 close a', '1250 open a', '3000 close a']);
    }),
  );

  it(
    'should be judged by isFinal, which gets the judgement of the default',
    marbles((m) => {
      const judged: unknown[] = [];
      const { run } = setUp(m, ['1s # !1006', '1s # !4000', '1s |'], { 1006: close(1006), 4000: close(4000) });
      run({
        isFinal: (end, byDefault) => (judged.push((end as { code?: number } | null)?.code, byDefault), byDefault),
      });
      expect(judged).toEqual([1006, false, 4000, false, undefined, true]);
    }),
  );

  it(
    'should come with the session: signOut and close close the connection',
    marbles((m) => {
      const first = setUp(m, ['x']);
      first.at(1000, () => first.token$.signOut());
      first.run({}, 2000);
      expect(first.log.slice(2)).toEqual(['1000 error the session was signed out', '1000 close a']);
    }),
  );

  it(
    'should come with close(), also in a pause',
    marbles((m) => {
      const { log, run, at, token$ } = setUp(m, ['1s # !1006'], { 1006: close(1006) });
      at(1100, () => token$.close());
      run({}, 5000);
      expect(log.slice(1)).toEqual(['1000 close a', '1100 error the token stream is closed']);
    }),
  );

  it(
    'should come when the source fails permanently, or no token comes within maxWait',
    marbles((m) => {
      const { log, run } = setUp(m, ['-'], {}, { source: { steps: ['transient', 'transient', 'permanent'] } });
      run();
      expect(log).toEqual([expect.stringContaining('750 error the token source failed permanently')]);
    }),
  );

  it(
    'should come after maxWait without a token',
    marbles((m) => {
      const { log, run } = setUp(m, ['-'], {}, { source: { latency: 5000 } });
      run({ maxWait: 700 });
      expect(log).toEqual(['700 error no usable token within 700 ms (still fetching)']);
    }),
  );

  cases(
    'should come at once with a mistake of the user, and leave nothing open',
    (m, { options, mistake }) => {
      const { log, run, at, token$ } = setUp(m, ['20s # !1006'], { 1006: close(1006) });
      at(10_000, () => token$.refresh().subscribe());
      run(options, 50_000);
      expect(log.filter((line) => line.includes('open')).length).toBe(
        log.filter((line) => line.includes('close')).length,
      );
      expect(log.filter((line) => line.includes('error'))).toEqual([expect.stringContaining(`error ${mistake}`)]);
      expect(log.join()).not.toMatch(/\b1006/);
    },
    [
      { name: 'isFinal throws', options: { isFinal: fail }, mistake: 'a mistake' },
      { name: 'isRejection throws', options: { isRejection: fail }, mistake: 'a mistake' },
      { name: 'onRenewal throws', options: { onRenewal: fail }, mistake: 'a mistake' },
      { name: 'random throws', options: { reconnect: { random: fail } }, mistake: 'option "random" threw an error' },
      {
        name: 'a predicate returns a promise',
        options: { isFinal: (() => Promise.resolve(true)) as never },
        mistake: 'option "isFinal" returned a promise: it must return a boolean',
      },
    ] as { name: string; options: ConnectOptions; mistake: string }[],
  );

  function fail(): never {
    throw new Error('a mistake');
  }
});

describe('connectWithToken: bad input', () => {
  const token$ = () => createTokenStream(() => NEVER);

  it.each([
    [
      'onRenewal',
      { onRenewal: 'reopen' as never },
      'option "onRenewal" must be "keep", "replace" or a function, got "reopen"',
    ],
    ['reconnect', { reconnect: true as never }, 'option "reconnect" must be false or an object, got boolean'],
    ['reconnect: null', { reconnect: null as never }, 'option "reconnect" must be false or an object, got null'],
    [
      'initial',
      { reconnect: { initial: -1 } },
      'option "reconnect.initial" must be a number, at least 0, finite, got -1',
    ],
    [
      'factor',
      { reconnect: { factor: 0.5 } },
      'option "reconnect.factor" must be a number, at least 1, finite, got 0.5',
    ],
    [
      'count',
      { reconnect: { count: NaN } },
      'option "reconnect.count" must be a number, at least 0, or Infinity, got NaN',
    ],
    ['random', { reconnect: { random: 1 as never } }, 'option "reconnect.random" must be a function, got 1'],
    ['isFinal', { isFinal: 1 as never }, 'option "isFinal" must be a function, got 1'],
    ['maxWait', { maxWait: -1 }, 'option "maxWait" must be a number, at least 0, or Infinity, got -1'],
  ])('should name the option: %s', (_name, options, message) => {
    expect(() => connectWithToken(token$(), () => EMPTY, options)).toThrow(new TypeError(message));
    expect(() => connectWithToken(() => EMPTY, options)).toThrow(new TypeError(message));
  });

  it('should name what is no stream, and what is no function', () => {
    const wrong = 'token$ must be a stream made by createTokenStream';
    expect(() => connectWithToken(NEVER as never, () => EMPTY)).toThrow(new TypeError(wrong));
    expect(() => connectWithToken(token$(), undefined as never)).toThrow('connectWithToken takes a function');
    const operator = connectWithToken(() => EMPTY);
    const hint = new TypeError(`connectWithToken is the first operator: ${wrong}`);
    expect(() => of().pipe(operator)).toThrow(hint);
    // As any operator between would do: what it returns is another Observable.
    expect(() => token$().pipe(take(1), operator)).toThrow(hint);
  });

  it.each([
    [
      'throws',
      (): never => {
        throw new Error('no socket here');
      },
      'no socket here',
    ],
    ['returns nothing', () => undefined as never, 'connect returned undefined, not a Promise or an Observable'],
  ])('should end with the error of a connect that %s', (_name, connect, message) => {
    const errors: unknown[] = [];
    const given$ = createTokenStream(() => of({ access_token: 'secret-token', expires_in: 30 }));
    connectWithToken(given$, connect).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining(message) as string })]);
    expect(String(errors[0])).not.toContain('secret-token');
    given$.close();
  });

  it('should end with a clear error when connect returns a promise of an Observable', async () => {
    const given$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }));
    await expect(lastValueFrom(connectWithToken(given$, () => Promise.resolve(NEVER)))).rejects.toThrow(
      new TypeError(
        'connect returned a promise of an Observable: return from(promise).pipe(switchMap((stream$) => stream$))',
      ),
    );
    given$.close();
  });

  it('should take a promise of one message', async () => {
    const given$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }));
    await expect(lastValueFrom(connectWithToken(given$, () => Promise.resolve('news')))).resolves.toBe('news');
    given$.close();
  });

  it.each<[string, () => AsyncIterable<string>]>([
    [
      'generator',
      async function* () {
        yield await Promise.resolve('a');
        yield 'b';
      },
    ],
    [
      'iterable without `return`',
      () => {
        const messages = ['a', 'b'];
        const next = () => Promise.resolve({ done: messages.length === 0, value: messages.shift() ?? '' });
        return { [Symbol.asyncIterator]: () => ({ next }) };
      },
    ],
  ])('should take the messages of an async %s, and complete with it', async (_name, connect) => {
    const given$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }));
    await expect(lastValueFrom(connectWithToken(given$, connect).pipe(toArray()))).resolves.toEqual(['a', 'b']);
    given$.close();
  });

  it('should take the messages of a ReadableStream, and cancel it when the subscriber leaves, though none comes', async () => {
    const given$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }));
    const cancelled = jest.fn();
    const start = (controller: ReadableStreamDefaultController<string>) => controller.enqueue('a');
    const silent = new ReadableStream<string>({ start, cancel: cancelled });
    const received: string[] = [];
    const running = connectWithToken(given$, () => silent).subscribe((message) => received.push(String(message)));
    await new Promise((done) => setImmediate(done));
    expect([received, cancelled.mock.calls.length]).toEqual([['a'], 0]);
    running.unsubscribe();
    expect(cancelled).toHaveBeenCalledTimes(1);
    given$.close();
  });

  it.each([
    ['a promise', () => Promise.resolve({ done: true as const, value: undefined })],
    ['a promise that is rejected', () => Promise.reject(new Error('already closed'))],
    ['a result, as `for await` allows it', () => ({ done: true, value: undefined })],
  ])(
    'should close an async iterable when the subscriber leaves, even if no message comes: return gives %s',
    (_name, given) => {
      const given$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }));
      const returned = jest.fn(given as () => Promise<IteratorResult<string>>);
      const silent = { next: () => new Promise<never>(() => undefined), return: returned };
      const running = connectWithToken(given$, () => ({ [Symbol.asyncIterator]: () => silent })).subscribe();
      expect(returned).not.toHaveBeenCalled();
      running.unsubscribe();
      expect(returned).toHaveBeenCalledTimes(1);
      given$.close();
    },
  );

  it('should not block the thread when connections fail at once and there is no pause', async () => {
    const given$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }));
    let opened = 0;
    const running = connectWithToken(given$, () => (++opened > 100 ? NEVER : throwError(() => close(1006))), {
      reconnect: { initial: 0 },
    }).subscribe();
    expect(opened).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(opened).toBeGreaterThan(1);
    running.unsubscribe();
    given$.close();
  });

  it.each(['isRejection', 'isFinal'])('should leave no rejected promise of %s unhandled', (name) => {
    const given$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }));
    const then = jest.fn();
    const errors: unknown[] = [];
    connectWithToken(given$, () => throwError(() => close(4401)), { [name]: () => ({ then }) }).subscribe({
      error: (error: unknown) => errors.push(error),
    });
    expect(errors).toEqual([new TypeError(`option "${name}" returned a promise: it must return a boolean`)]);
    expect(then).toHaveBeenCalledWith(undefined, expect.any(Function));
    given$.close();
  });

  it('should pass on the very error that ended the last connection', () => {
    const end = close(1006);
    const given$ = createTokenStream(() => of({ access_token: 'T', expires_in: 30 }));
    const errors: unknown[] = [];
    connectWithToken(given$, () => throwError(() => end), { reconnect: false }).subscribe({
      error: (error: unknown) => errors.push(error),
    });
    expect(errors[0]).toBe(end);
    given$.close();
  });
});
