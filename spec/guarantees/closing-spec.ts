import { of } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, type TokenStream } from 'rx-fresh-token';
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
