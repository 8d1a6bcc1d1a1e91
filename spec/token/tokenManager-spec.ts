import { map, of } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream } from 'rx-fresh-token';

describe('a subscriber who comes when the token is due', () => {
  it(
    'should hear of its successor once, when the source answers at once',
    marbles((m) => {
      let asked = 0;
      const token$ = createTokenStream(() => of({ access_token: `T${String(++asked)}`, expires_in: 30 }), {
        scheduler: m.scheduler,
        jitter: 0,
        idleTimeout: 0,
      });
      const values$ = token$.pipe(map(({ value }) => value));
      m.expect(values$, '    ^ 9s !                    ').toBeObservable('a             ', { a: 'T1' });
      // Idle from 25 s on, usable until 29 s.
      m.expect(values$, '    27s ^ 999ms !             ').toBeObservable('27s b         ', { b: 'T2' });
      m.flush();
      expect(asked).toBe(2);
    }),
  );
});
