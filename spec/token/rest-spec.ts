import { firstValueFrom, map, NEVER, Observable, of, Subject } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, takeToken, type TokenStore, type TokenStream } from 'rx-fresh-token';
import { IN_TURN, type InTurn } from '../../src/internal/sourceHooks.js';
import type { EndingManager } from '../../src/token/tokenManager.js';
import { managerOf } from '../../src/token/tokenStream.js';

const responses = () => {
  let count = 0;
  return () => of({ access_token: `T${String(++count)}`, expires_in: 60 });
};

const rest = (token$: TokenStream): void => {
  (managerOf(token$) as EndingManager).rest();
};

describe('a stream', () => {
  it(
    'should have no timer left when it rests, and begin anew with the next use',
    marbles((m) => {
      const token$ = createTokenStream(responses(), { scheduler: m.scheduler, idleTimeout: Infinity });
      const seen: string[] = [];
      takeToken(token$).subscribe(({ value }) => seen.push(value));
      expect(token$.current).not.toBeNull();
      rest(token$);
      expect(token$.current).toBeNull();
      m.flush();
      expect(m.scheduler.now()).toBe(0);
      expect(m.scheduler.actions).toHaveLength(0);
      takeToken(token$).subscribe(({ value }) => seen.push(value));
      expect(seen).toEqual(['T1', 'T2']);
      token$.close();
    }),
  );

  it('should let go of its store when it rests, and hear of sign-outs again from its next use on', async () => {
    const signedOut = new Subject<unknown>();
    const fetched = responses();
    const store: TokenStore = {
      refresh: () => fetched().pipe(map((response) => ({ response, age: 0, origin: 'shared' }))),
      signedOut,
    };
    const token$ = createTokenStream(() => NEVER, { store });
    await firstValueFrom(token$);
    rest(token$);
    expect(signedOut.observed).toBe(false);
    await firstValueFrom(token$);
    expect(signedOut.observed).toBe(true);
    signedOut.next(null);
    expect(token$.current).toBeNull();
    rest(token$);
    token$.close();
    await expect(firstValueFrom(token$)).rejects.toThrow('closed');
    expect(signedOut.observed).toBe(false);
  });

  it('should ask its source when its turn comes, and count the life of the token from then', () => {
    const begin: (() => void)[] = [];
    const inTurn: InTurn = (attempt$) =>
      new Observable((subscriber) => {
        begin.push(() => attempt$.subscribe(subscriber));
      });
    let time = 0;
    const options = { [IN_TURN]: inTurn, now: () => time };
    const source = jest.fn(responses());
    const token$ = createTokenStream(source, options);
    const seen: number[] = [];
    takeToken(token$).subscribe(({ issuedAt }) => seen.push(issuedAt));
    time = 20_000;
    expect(source).not.toHaveBeenCalled();
    begin[0]?.();
    expect(seen).toEqual([20_000]);
    token$.close();
  });
});
