import { map, of, Subject, switchMap, throwError, timer } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, takeToken, withToken, type TokenResponse } from 'rx-fresh-token';
import { managerOf } from '../../src/token/tokenStream.js';

const ignore = { error: () => undefined };

describe('waits', () => {
  it(
    'should be told once per token, with the number of those who waited and the longest wait',
    marbles((m) => {
      const source = () =>
        timer(100, m.scheduler).pipe(map((): TokenResponse => ({ access_token: 'T', expires_in: 60 })));
      const token$ = createTokenStream(source, { scheduler: m.scheduler, idleTimeout: 0 });
      const told: unknown[] = [];
      managerOf(token$).waits$.subscribe((wait) => told.push(wait));
      // One who listens to all does not wait.
      const listening = token$.subscribe();
      const take = () => takeToken(token$).subscribe();
      for (const delay of [10, 40, 99, 150]) timer(delay, m.scheduler).subscribe(take);
      timer(160, m.scheduler).subscribe(() => {
        listening.unsubscribe();
        token$.close();
      });
      m.flush();
      expect(told).toEqual([{ waiters: 3, longest: 90, outcome: 'token' }]);
    }),
  );

  it(
    'should be told once, with how they end, when a listener of the failure signs out',
    marbles((m) => {
      const source = () => timer(100, m.scheduler).pipe(switchMap(() => throwError(() => new TypeError('mistake'))));
      const token$ = createTokenStream(source, { scheduler: m.scheduler, isPermanent: () => true });
      const told: unknown[] = [];
      managerOf(token$).waits$.subscribe((wait) => told.push(wait));
      token$.events.subscribe(({ type }) => {
        if (type === 'refreshFailed') token$.signOut();
      });
      for (let i = 0; i < 4; i++) takeToken(token$).subscribe(ignore);
      m.flush();
      expect(told).toEqual([{ waiters: 4, longest: 100, outcome: 'signedOut' }]);
    }),
  );

  it(
    'should not count those who have left',
    marbles((m) => {
      const answer = new Subject<TokenResponse>();
      const token$ = createTokenStream(() => answer, { scheduler: m.scheduler, idleTimeout: 0 });
      const told: unknown[] = [];
      managerOf(token$).waits$.subscribe((wait) => told.push(wait));
      takeToken(token$, { maxWait: 20 }).subscribe(ignore);
      timer(50, m.scheduler).subscribe(() => takeToken(token$).subscribe());
      timer(80, m.scheduler).subscribe(() => {
        answer.next({ access_token: 'T', expires_in: 60 });
        token$.close();
      });
      m.flush();
      expect(told).toEqual([{ waiters: 1, longest: 30, outcome: 'token' }]);
    }),
  );

  it(
    'should measure the wait of the first of those who still wait, when others have left meanwhile',
    marbles((m) => {
      const source = () => timer(142, m.scheduler).pipe(map((): TokenResponse => ({ access_token: 'T' })));
      const token$ = createTokenStream(source, { scheduler: m.scheduler, idleTimeout: 0 });
      const told: unknown[] = [];
      managerOf(token$).waits$.subscribe((wait) => told.push(wait));
      for (let at = 0; at < 140; at += 15)
        timer(at, m.scheduler).subscribe(() => takeToken(token$, { maxWait: 20 }).subscribe(ignore));
      timer(150, m.scheduler).subscribe(() => {
        token$.close();
      });
      m.flush();
      expect(told).toEqual([{ waiters: 1, longest: 7, outcome: 'token' }]);
    }),
  );

  it(
    'should not be told where nobody waits: a request goes on with the token that is renewed for it',
    marbles((m) => {
      const source = () => of({ access_token: 'T2', expires_in: 60 });
      const initial = { access_token: 'T1', expires_in: 60 };
      const token$ = createTokenStream(source, { scheduler: m.scheduler, idleTimeout: 0, initial });
      const told: unknown[] = [];
      managerOf(token$).waits$.subscribe((wait) => told.push(wait));
      const used: string[] = [];
      timer(55_000, m.scheduler).subscribe(() =>
        withToken(token$, ({ value }) => of(value)).subscribe((value) => used.push(value)),
      );
      m.flush();
      expect([used, told]).toEqual([['T2'], []]);
    }),
  );

  it('should be told of failures and sign-outs too', () => {
    const outcomes: string[] = [];
    const failure = Object.assign(new Error('no'), { status: 400 });
    for (const answer$ of [new Subject<TokenResponse>(), new Subject<TokenResponse>()]) {
      const token$ = createTokenStream(() => answer$);
      managerOf(token$).waits$.subscribe(({ outcome }) => outcomes.push(outcome));
      takeToken(token$).subscribe(ignore);
      if (outcomes.length === 0) answer$.error(failure);
      else token$.signOut();
      token$.close();
    }
    expect(outcomes).toEqual(['failed', 'signedOut']);
  });
});
