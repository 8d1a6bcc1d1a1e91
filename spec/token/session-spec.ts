import { Observable, of } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, takeToken, type TokenStream } from 'rx-fresh-token';
import { settingsOf, type InTurn } from '../../src/token/options.js';
import { createManager, type FullManager } from '../../src/token/tokenManager.js';
import { managerOf } from '../../src/token/tokenStream.js';

const responses = () => {
  let count = 0;
  return () => of({ access_token: `T${String(++count)}`, expires_in: 60 });
};

const reset = (token$: TokenStream): void => {
  (managerOf(token$) as FullManager).reset();
};

describe('a stream', () => {
  it(
    'should have no timer left after a reset, and begin anew with the next use',
    marbles((m) => {
      const token$ = createTokenStream(responses(), { scheduler: m.scheduler, idleTimeout: Infinity });
      const seen: string[] = [];
      takeToken(token$).subscribe(({ value }) => seen.push(value));
      expect(token$.current).not.toBeNull();
      reset(token$);
      expect(token$.current).toBeNull();
      m.flush();
      expect(m.scheduler.now()).toBe(0);
      expect(m.scheduler.actions).toHaveLength(0);
      takeToken(token$).subscribe(({ value }) => seen.push(value));
      expect(seen).toEqual(['T1', 'T2']);
      token$.close();
    }),
  );

  it('should ask its source when its turn comes, and count the life of the token from then', () => {
    const begin: (() => void)[] = [];
    const inTurn: InTurn = (attempt$) =>
      new Observable((subscriber) => {
        begin.push(() => attempt$.subscribe(subscriber));
      });
    let time = 0;
    const source = jest.fn(responses());
    const manager = createManager(source, { ...settingsOf({ now: () => time }), inTurn });
    const seen: number[] = [];
    manager.take().subscribe(({ issuedAt }) => seen.push(issuedAt));
    time = 20_000;
    expect(source).not.toHaveBeenCalled();
    begin[0]?.();
    expect(seen).toEqual([20_000]);
    manager.close();
  });
});
