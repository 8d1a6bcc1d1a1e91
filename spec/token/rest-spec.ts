import { firstValueFrom, map, NEVER, Observable, of, Subject } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, takeToken, type TokenResponse, type TokenStore } from 'rx-fresh-token';
import { IN_TURN, type InTurn } from '../../src/internal/sourceHooks.js';
import { managerOf } from '../../src/token/tokenStream.js';

const responses = () => {
  let count = 0;
  return () => of({ access_token: `T${String(++count)}`, expires_in: 60 });
};

describe('a stream', () => {
  it('should be in use while somebody waits or listens, or its source is asked', () => {
    const answer = new Subject<TokenResponse>();
    const token$ = createTokenStream(() => answer);
    const { isInUse } = managerOf(token$);
    expect(isInUse()).toBe(false);
    const waiting = token$.subscribe();
    expect(isInUse()).toBe(true);
    waiting.unsubscribe();
    expect(isInUse()).toBe(true);
    answer.next({ access_token: 'T1', expires_in: 60 });
    expect(isInUse()).toBe(false);
    const listening = token$.subscribe();
    expect(isInUse()).toBe(true);
    listening.unsubscribe();
    token$.close();
  });

  it(
    'should have no timer left when it rests, and begin anew with the next use',
    marbles((m) => {
      const token$ = createTokenStream(responses(), { scheduler: m.scheduler, idleTimeout: Infinity });
      const seen: string[] = [];
      takeToken(token$).subscribe(({ value }) => seen.push(value));
      expect(token$.current).not.toBeNull();
      managerOf(token$).rest();
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
    managerOf(token$).rest();
    expect(signedOut.observed).toBe(false);
    await firstValueFrom(token$);
    expect(signedOut.observed).toBe(true);
    signedOut.next(null);
    expect(token$.current).toBeNull();
    managerOf(token$).rest();
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
