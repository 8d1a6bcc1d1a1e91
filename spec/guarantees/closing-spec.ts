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
});
