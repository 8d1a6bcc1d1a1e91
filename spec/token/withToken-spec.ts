import { catchError, of, switchMap, throwError, timer, type Observable } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, withToken, type AccessToken, type TokenStream } from 'rx-fresh-token';

/** T1, T2, …: each lives 100 ms and comes at once. */
function freshTokens(scheduler: TestScheduler): TokenStream & { readonly fetched: () => number } {
  let fetched = 0;
  const token$ = createTokenStream(() => of({ access_token: `T${String(++fetched)}`, expires_in: 0.1 }), {
    scheduler,
    jitter: 0,
    refreshBefore: 20,
    expiryMargin: 5,
    idleTimeout: 50,
  });
  return Object.assign(token$, { fetched: () => fetched });
}

const rejected = (status = 401) => Object.assign(new Error('rejected'), { status });
/** Errors compare by name and message only: their status says more. */
const statusOf = (source$: Observable<unknown>) =>
  source$.pipe(catchError((error: unknown) => of((error as { status: number }).status)));

describe('withToken', () => {
  it(
    'should neither cancel nor repeat a request in flight when the token is renewed',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const answer = m.cold('    150ms (r|)');
      const expected = '         150ms (r|)';
      const subscription = '     ^ 149ms !';
      const keep = token$.subscribe();
      m.scheduler.schedule(() => keep.unsubscribe(), 200);

      m.expect(withToken(token$, () => answer)).toBeObservable(expected);
      m.expect(answer).toHaveSubscriptions([subscription]);
      m.flush();
      expect(token$.fetched()).toBeGreaterThan(1);
    }),
  );

  it(
    'should repeat a rejected request once with the next token',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const answers: Record<string, Observable<string>> = {
        T1: m.cold('             -----#        ', undefined, rejected()),
        T2: m.cold('                  -----(r|)'),
      };
      const expected = '         ----------(r|)';

      m.expect(withToken(token$, ({ value }) => answers[value] ?? throwError(rejected))).toBeObservable(expected);
      m.expect(answers.T1 as never).toHaveSubscriptions(['^----!']);
      m.expect(answers.T2 as never).toHaveSubscriptions(['-----^----!']);
    }),
  );

  it(
    'should hand the second rejection to the caller as it is',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const answer = m.cold('    ---#', undefined, rejected(403));
      const expected = '         ------(s|)';

      const seen$ = withToken(token$, () => answer);
      m.expect(statusOf(seen$)).toBeObservable(expected, { s: 403 });
      m.expect(answer).toHaveSubscriptions(['^--!', '---^--!']);
      m.flush();
      expect(token$.fetched()).toBe(2);
    }),
  );

  it(
    'should emit a rejected Response after one repeat, and pass a data row that merely has a status',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const response = { status: 401, headers: new Headers() };
      const answer = m.cold('    --(r|)', { r: response });
      const rows = m.cold('      --(r|)', { r: { status: 403 } });

      m.expect(withToken(token$, () => answer)).toBeObservable('----(r|)', { r: response });
      m.expect(answer).toHaveSubscriptions(['^-!', '--^-!']);
      m.expect(withToken(token$, () => rows)).toBeObservable('  --(r|)', { r: { status: 403 } });
      m.expect(rows).toHaveSubscriptions(['^-!']);
    }),
  );

  it(
    'should emit all that comes after the rejected Response of a repeat',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const responses = { r: { status: 401, headers: new Headers() }, o: { status: 200, headers: new Headers() } };
      const answer = m.cold('    --r-o-(r|)', responses);

      m.expect(withToken(token$, () => answer)).toBeObservable('----r-o-(r|)', responses);
      m.expect(answer).toHaveSubscriptions(['^-!', '--^-----!']);
    }),
  );

  it(
    'should repeat a late rejection with the token that has come meanwhile, and refresh nothing',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const keep = token$.subscribe();
      m.scheduler.schedule(() => keep.unsubscribe(), 120);
      const answers: Record<string, Observable<string>> = {
        T1: m.cold('             90ms #     ', undefined, rejected()),
        T2: m.cold('             -----(r|)'),
      };

      m.expect(withToken(token$, ({ value }) => answers[value] ?? throwError(rejected))).toBeObservable('95ms (r|)');
      m.flush();
      expect(token$.fetched()).toBe(2 + 1); // T1, T2 at 80 ms, T3 at 160 ms
    }),
  );

  it(
    'should cancel the request when its caller leaves, and keep the token for the next one',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const answer = m.cold('    ----------(r|)');

      m.expect(
        withToken(token$, () => answer),
        '^---!',
      ).toBeObservable('-----');
      m.expect(answer).toHaveSubscriptions(['^---!', '------^---------!']);
      m.expect(timer(6, m.scheduler).pipe(switchMap(() => withToken(token$, () => answer)))).toBeObservable(
        '----------------(r|)',
      );
      m.flush();
      expect(token$.fetched()).toBe(1);
    }),
  );

  it(
    'should let an error that is no rejection pass at once',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const answer = m.cold('    ---#', undefined, rejected(500));

      m.expect(statusOf(withToken(token$, () => answer))).toBeObservable('---(s|)', { s: 500 });
      m.expect(answer).toHaveSubscriptions(['^--!']);
    }),
  );

  it(
    'should repeat a rejected request of a client that gives its Response beside the data',
    marbles((m) => {
      const token$ = freshTokens(m.scheduler);
      const answerOf = (status: number) => ({ error: 'no', response: { status, headers: {} } });
      const answer$ = withToken(token$, ({ value }) => of(answerOf(value === 'T2' ? 500 : 401)));

      m.expect(answer$).toBeObservable('(a|)', { a: answerOf(500) });
      m.flush();
      expect(token$.fetched()).toBe(2);
    }),
  );

  it('should take streams of createTokenStream only, and a function that sends', () => {
    const token$ = createTokenStream(() => of({ access_token: 'T1' }));
    expect(() => withToken(of({} as AccessToken) as never, () => of(1))).toThrow(
      new TypeError('token$ must be a stream made by createTokenStream'),
    );
    expect(() => withToken(null as never, () => of(1))).toThrow(TypeError);
    expect(() => withToken(token$, 'GET' as never)).toThrow(TypeError);
    expect(() => withToken(token$, () => of(1), { maxWait: -1 })).toThrow(
      'option "maxWait" must be a number, at least 0, or Infinity, got -1',
    );
  });
});
