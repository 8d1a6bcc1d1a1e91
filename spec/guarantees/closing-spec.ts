import { of, Subject, tap } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, takeToken, type TokenStream } from 'rx-fresh-token';
import { setUp } from './rig.js';

describe('26: close()', () => {
  it(
    '26: a source that closes the stream synchronously: no late answer, no timer',
    marbles((m) => {
      const token$: TokenStream = createTokenStream(
        () => {
          token$.close();
          return of({ access_token: 'T', expires_in: 30 });
        },
        { scheduler: m.scheduler, jitter: 0 },
      );
      token$.subscribe();
      expect([token$.current, m.scheduler.actions.length]).toEqual([null, 0]);
    }),
  );

  it(
    '26: close() inside refreshStarted: the source is not asked, no late answer',
    marbles((m) => {
      const rig = setUp(m, () => ({ took: 0 }));
      rig.token$.events.subscribe(({ type }) => {
        if (type === 'refreshStarted') rig.token$.close();
      });
      rig.token$.subscribe({ error: () => undefined });
      expect([rig.token$.current, rig.asked, m.scheduler.actions.length]).toEqual([null, [], 0]);
    }),
  );

  it(
    '26: wake that emits while requests are told of close(): the source is not asked again',
    marbles((m) => {
      const wake = new Subject<unknown>();
      const { token$, asked, at, log, tell } = setUp(m, () => ({ took: 10, fail: { status: 503 } }), {
        wake,
        backoff: { initial: 300 },
        random: () => 1,
      });
      at(0, () => tell('a', takeToken(token$).pipe(tap({ error: () => wake.next(undefined) }))));
      at(150, () => token$.close());
      m.flush();
      expect([asked, log]).toEqual([['0 initial'], ['150 a !TokenStreamClosedError']]);
    }),
  );

  it(
    '26: a request in a `closed` listener: there is no token any more, and `closed` is the last event',
    marbles((m) => {
      const { token$, at, log, tell, ask, events } = setUp(m, () => ({ took: 0 }));
      ask(0, 'a');
      token$.events.subscribe(({ type }) => {
        if (type !== 'closed') return;
        expect(token$.current).toBeNull();
        tell('b', takeToken(token$));
      });
      // The answer of a request that is told by a subscriber's `complete`.
      at(5, () => token$.subscribe({ complete: () => tell('c', takeToken(token$)) }));
      at(10, () => token$.close());
      m.flush();
      expect(log).toEqual(['0 a T1', '10 c !TokenStreamClosedError', '10 b !TokenStreamClosedError']);
      expect(events.at(-1)).toBe('10 closed');
    }),
  );

  it(
    '26: close() by a subscriber of an idle stream, with the token that it is given: it completes, and nothing is asked',
    marbles((m) => {
      const { token$, asked, ask, at } = setUp(
        m,
        (n) => (n === 1 ? { took: 0 } : { took: 100, fail: new Error('down') }),
        { idleTimeout: 0 },
      );
      const told: string[] = [];
      ask(0, 'a');
      // After a failure that nobody waits for, the stream is idle, and its token is still usable.
      at(500, () => token$.refresh().subscribe().unsubscribe());
      at(1000, () =>
        token$.subscribe({
          next: ({ value }) => {
            told.push(value);
            token$.close();
          },
          complete: () => told.push('complete'),
        }),
      );
      at(1000, () => expect(m.scheduler.actions.length).toBe(0));
      m.flush();
      expect([told, asked]).toEqual([
        ['T1', 'complete'],
        ['0 initial', '500 manual'],
      ]);
    }),
  );
});
