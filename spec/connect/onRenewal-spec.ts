import { firstValueFrom, lastValueFrom, NEVER } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, type AccessToken } from 'rx-fresh-token';
import { connectWithToken } from 'rx-fresh-token/connect';
import { fakeTokenSource } from 'rx-fresh-token/testing';
import { close, setUp } from './support.js';

describe("41: onRenewal: 'replace'", () => {
  it(
    'should open the new connection before it closes the old one',
    marbles((m) => {
      const { log, run } = setUp(m, ['x', '2s y'], {}, { isOpenAtOnce: false });
      run({ onRenewal: 'replace' }, 40_000);
      // The first message of the new connection says that it is open.
      expect(log).toEqual(['0 open a', '0 x', '25000 open b', '27000 close a', '27000 y', '40000 close b']);
    }),
  );

  it(
    'should close the old one as soon as connect says that the new one is open',
    marbles((m) => {
      const { log, run } = setUp(m, ['-']);
      run({ onRenewal: 'replace' }, 60_000);
      expect(log).toEqual([
        '0 open a',
        '25000 open b',
        '25000 close a',
        '50000 open c',
        '50000 close b',
        '60000 close c',
      ]);
    }),
  );

  it(
    'should keep the old one when the new one cannot be opened',
    marbles((m) => {
      const { log, run, source } = setUp(
        m,
        ['26s x', '1s # !1006', '-'],
        { 1006: close(1006) },
        { isOpenAtOnce: false },
      );
      run({ onRenewal: 'replace' }, 40_000);
      expect(log).toEqual(['0 open a', '25000 open b', '26000 x', '26000 close b', '40000 close a']);
      expect(source.calls).toHaveLength(2);
    }),
  );

  it(
    'should replace a token with which the new one was rejected, once',
    marbles((m) => {
      const { log, run, source } = setUp(
        m,
        ['x', '1s # !4401', '10ms y'],
        { 4401: close(4401) },
        { isOpenAtOnce: false },
      );
      run({ onRenewal: 'replace' }, 40_000);
      expect(log.slice(2)).toEqual([
        '25000 open b',
        '26000 close b',
        '26000 open c',
        '26010 close a',
        '26010 y',
        '40000 close c',
      ]);
      expect(source.calls.map(({ reason }) => reason)).toEqual(['initial', 'scheduled', 'rejected']);
    }),
  );

  it(
    'should go on with the new one when the old one ends first, and reconnect when both have ended',
    marbles((m) => {
      const { log, run } = setUp(m, ['26s # !1006', '3s # !1006', '-'], { 1006: close(1006) }, { isOpenAtOnce: false });
      run({ onRenewal: 'replace' }, 40_000);
      expect(log).toEqual([
        '0 open a',
        '25000 open b',
        '26000 close a',
        '28000 close b',
        '28250 open b',
        '40000 close b',
      ]);
    }),
  );

  it.each<[string, string, Record<string, unknown>]>([
    ['completes', '26s |', {}],
    ['is closed normally', '26s # !1000', { 1000: close(1000) }],
    ['says goodbye', '26s # !4000', { 4000: close(4000) }],
  ])(
    'should go on with the new one when the old one %s, as where a server allows one connection per user',
    (_how, ends, errors) => {
      marbles((m) => {
        const { log, run } = setUp(m, [ends, '3s y'], errors, { isOpenAtOnce: false });
        const isFinal = errors[4000] ? (end: unknown) => end === errors[4000] : undefined;
        run({ onRenewal: 'replace', isFinal }, 40_000);
        expect(log).toEqual(['0 open a', '25000 open b', '26000 close a', '28000 y', '40000 close b']);
      })();
    },
  );

  it(
    'should end when the new one ends normally',
    marbles((m) => {
      const { log, run } = setUp(m, ['-', '1s # !1000'], { 1000: close(1000) }, { isOpenAtOnce: false });
      run({ onRenewal: 'replace' }, 40_000);
      expect(log).toEqual(['0 open a', '25000 open b', '26000 close b', '26000 close a', '26000 complete']);
    }),
  );

  it(
    'should have two connections at most when renewals come faster than connections open',
    marbles((m) => {
      const { log, run } = setUp(m, ['-'], {}, { isOpenAtOnce: false });
      run({ onRenewal: 'replace' }, 90_000);
      expect(log).toEqual([
        '0 open a',
        '25000 open b',
        '50000 close b',
        '50000 open c',
        '75000 close c',
        '75000 open d',
        '90000 close a',
        '90000 close d',
      ]);
    }),
  );

  it(
    'should not believe a connection that says after its end that it is open',
    marbles((m) => {
      const { log, run, at, openedBy } = setUp(m, ['-', '1s # !1006'], { 1006: close(1006) }, { isOpenAtOnce: false });
      at(27_000, () => openedBy[1]?.());
      run({ onRenewal: 'replace' }, 40_000);
      expect(log).toEqual(['0 open a', '25000 open b', '26000 close b', '40000 close a']);
    }),
  );

  it(
    'should not believe a connection that says after it was given up that it is open',
    marbles((m) => {
      const { log, run, at, openedBy } = setUp(
        m,
        ['# !1006', '60s # !1006', '-', '15s # !1006'],
        { 1006: close(1006) },
        { isOpenAtOnce: false },
      );
      at(51_000, () => openedBy[2]?.());
      run({ onRenewal: 'replace', reconnect: { max: 1000, count: 1 } });
      expect(log).toEqual([
        '0 open a',
        '0 close a',
        '250 open a',
        '25000 open b',
        '50000 close b',
        '50000 open c',
        '60250 close a',
        '65000 close c',
        // No connection has lasted, so there is no reconnect left.
        '65000 error close 1006',
      ]);
    }),
  );
});

describe('41 and 44: onRenewal: a function', () => {
  it(
    'should tell the server in band of every new token, and of none while no connection is there',
    marbles((m) => {
      const told: string[] = [];
      const { log, run } = setUp(m, ['70s x'], {});
      run({ onRenewal: ({ value }) => told.push(`${m.scheduler.now()} ${value}`) }, 60_000);
      expect([log, told]).toEqual([
        ['0 open a', '60000 close a'],
        ['25000 b', '50000 c'],
      ]);
    }),
  );

  it(
    'should tell nothing while the connection is opening, and then the latest token once',
    marbles((m) => {
      const told: string[] = [];
      const { run, at, openedBy } = setUp(m, ['-'], {}, { isOpenAtOnce: false });
      at(55_000, () => openedBy[0]?.());
      at(56_000, () => openedBy[0]?.());
      run({ onRenewal: ({ value }) => told.push(`${m.scheduler.now()} ${value}`) }, 80_000);
      expect(told).toEqual(['55000 c', '75000 d']);
    }),
  );

  it(
    'should take the first message for the sign that the connection is open',
    marbles((m) => {
      const told: string[] = [];
      const { run } = setUp(m, ['30s x'], {}, { isOpenAtOnce: false });
      run({ onRenewal: ({ value }) => told.push(`${m.scheduler.now()} ${value}`) }, 40_000);
      expect(told).toEqual(['30000 b']);
    }),
  );

  it(
    'should take the rejection of a connection for one of the token that was told last',
    marbles((m) => {
      const { log, run, source } = setUp(m, ['26s # !4401', '-'], { 4401: close(4401) });
      run({ onRenewal: () => undefined }, 40_000);
      expect(log).toEqual(['0 open a', '26000 close a', '26000 open c', '40000 close c']);
      expect(source.calls.map(({ reason }) => reason)).toEqual(['initial', 'scheduled', 'rejected']);
    }),
  );

  it(
    'should go on when the source was broken for a while',
    marbles((m) => {
      const told: string[] = [];
      const { log, run, at, token$ } = setUp(
        m,
        ['-'],
        {},
        { source: { steps: ['token', 'permanent', 'permanent', 'permanent', 'token'] } },
      );
      at(50_000, () => token$.refresh().subscribe({ error: () => undefined }));
      run({ onRenewal: ({ value }) => told.push(`${m.scheduler.now()} ${value}`) }, 70_000);
      expect([log, told]).toEqual([['0 open a', '70000 close a'], ['50000 b']]);
    }),
  );

  it('should end the stream when its promise is rejected, as when it throws', async () => {
    const token$ = createTokenStream(fakeTokenSource());
    const connect = (_token: AccessToken, opened: () => void) => (opened(), NEVER);
    const onRenewal = () => Promise.reject(new Error('a mistake'));
    const ended = firstValueFrom(connectWithToken(token$, connect, { onRenewal }));
    token$.refresh().subscribe();
    await expect(ended).rejects.toThrow('a mistake');
    token$.close();
  });

  it('should leave no rejected promise unhandled when the connection has ended before it', async () => {
    const token$ = createTokenStream(fakeTokenSource());
    let reject: (failure: Error) => void = () => undefined;
    const onRenewal = () => new Promise<void>((_resolve, onReject) => (reject = onReject));
    const connect = (_token: AccessToken, opened: () => void) => (opened(), NEVER);
    const running = connectWithToken(token$, connect, { onRenewal }).subscribe();
    await lastValueFrom(token$.refresh());
    running.unsubscribe();
    reject(new Error('the socket is closed'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    token$.close();
  });
});
