import { firstValueFrom, map, NEVER, of, switchMap, take, throwError } from 'rxjs';
import { cases, marbles } from 'rxjs-marbles/jest';
import { takeToken, withToken, type TokenStream } from 'rx-fresh-token';
import { openStream, rejection, setUp } from './rig.js';

const response = { access_token: 'T1', expires_in: 30 };

describe('40: takeToken emits one usable token, and completes', () => {
  it(
    'at once, or when it comes',
    marbles((m) => {
      const { token$ } = setUp(m, undefined, { idleTimeout: 0 });
      const value$ = takeToken(token$).pipe(map(({ value }) => value));
      m.expect(value$).toBeObservable('200ms (a|)', { a: 'T1' });
      m.expect(value$, '1s ^').toBeObservable('1s (a|)', { a: 'T1' });
      m.expect(value$, '25s ^').toBeObservable('25s (a|)', { a: 'T1' });
      m.expect(value$, '60s ^').toBeObservable('60200ms (c|)', { c: 'T3' });
    }),
  );

  it(
    'and shares the fetch with all others',
    marbles((m) => {
      const { token$, at, tell, asked, log } = setUp(m, undefined, { idleTimeout: 0 });
      at(0, () => {
        for (const name of ['a', 'b', 'c']) tell(name, takeToken(token$));
      });
      m.flush();
      expect([asked.slice(0, 1), log]).toEqual([['0 initial'], ['200 a T1', '200 b T1', '200 c T1']]);
    }),
  );

  cases(
    'or errors',
    (m, { maxWait, message }) => {
      const { token$ } = setUp(m, () => ({ took: 9000 }), { maxWait: 700 });
      const plain$ = takeToken(token$, maxWait === undefined ? {} : { maxWait });
      let failure = '';
      plain$.subscribe({ error: (error: unknown) => (failure = `${m.scheduler.now()} ${(error as Error).message}`) });
      m.flush();
      expect(failure).toBe(message);
    },
    [
      { name: 'after the maxWait of the stream', message: '700 no usable token within 700 ms (still fetching)' },
      { name: 'after its own', maxWait: 50, message: '50 no usable token within 50 ms (still fetching)' },
      { name: 'at once', maxWait: 0, message: '0 no usable token within 0 ms (still fetching)' },
    ] as { name: string; maxWait?: number; message: string }[],
  );

  it('as a token function for whatever takes one', async () => {
    const token$ = openStream(() => of(response));
    const password = () => firstValueFrom(takeToken(token$)).then((token) => token.value);
    expect(await Promise.all([password(), password()])).toEqual(['T1', 'T1']);
    token$.close();
    await expect(password()).rejects.toMatchObject({ code: 'ERR_TOKEN_STREAM_CLOSED' });
  });

  it('is cold: it asks for nothing before it is subscribed', () => {
    const source = jest.fn(() => NEVER);
    const token$ = openStream(source);
    void takeToken(token$);
    expect(source).not.toHaveBeenCalled();
    token$.close();
  });

  it.each([-1, NaN, null, '5'])('takes no maxWait of %p', (maxWait) => {
    const token$ = openStream(() => of(response));
    expect(() => takeToken(token$, { maxWait: maxWait as number })).toThrow(/^option "maxWait" must be a number/);
    token$.close();
  });

  it.each([null, undefined, {}, of(response)])('takes streams of createTokenStream only', (stranger) => {
    expect(() => takeToken(stranger as TokenStream)).toThrow(
      new TypeError('token$ must be a stream made by createTokenStream'),
    );
  });
});

describe('40: withToken(send) as an operator is withToken(token$, send)', () => {
  it(
    'and repeats a rejected request once',
    marbles((m) => {
      const { token$, at, tell, log, asked } = setUp(m, undefined, { idleTimeout: 0 });
      const request$ = token$.pipe(
        withToken(({ value }) => (value === 'T1' ? throwError(() => rejection(401)) : of(value))),
      );
      at(0, () => tell('a', request$));
      at(1000, () => tell('b', request$));
      m.flush();
      expect(log).toEqual(['400 a T2', '1000 b T2']);
      expect(asked.slice(0, 2)).toEqual(['0 initial', '200 rejected']);
    }),
  );

  it(
    'and neither cancels nor repeats a request when the token is renewed',
    marbles((m) => {
      const { token$ } = setUp(m);
      const answer = m.cold('                       60s (r|)');
      m.expect(token$.pipe(withToken(() => answer))).toBeObservable('200ms 60s (r|)');
      m.expect(answer).toHaveSubscriptions('        200ms ^ 59999ms !');
    }),
  );

  it(
    'with options, and other operators after it',
    marbles((m) => {
      const { token$, log, at, tell } = setUp(m, () => ({ took: 9000 }));
      at(0, () =>
        tell(
          'a',
          token$.pipe(
            withToken(({ value }) => of(value), { maxWait: 100 }),
            switchMap((value) => of(`${value}!`)),
            take(1),
          ),
        ),
      );
      m.flush();
      expect(log).toEqual(['100 a !TokenUnavailableError']);
    }),
  );

  it('checks its options where it is written, and its stream where it is applied', () => {
    expect(() => withToken(() => of(1), { maxWait: -1 })).toThrow(/^option "maxWait"/);
    expect(() => withToken(() => of(1), { isRejection: 5 as never })).toThrow(/isRejection/);
    const operator = withToken(() => of(1));
    const fault = new TypeError('withToken is the first operator: token$ must be a stream made by createTokenStream');
    expect(() => (of(response) as unknown as TokenStream).pipe(operator)).toThrow(fault);
    const token$ = openStream(() => of(response));
    // As any operator between would do: what it returns is another Observable.
    expect(() => token$.pipe(take(1), operator)).toThrow(fault);
    token$.close();
  });

  it('may be applied to several streams', async () => {
    const operator = withToken(({ value }) => of(value));
    const streams = ['a', 'b'].map((access_token) => openStream(() => of({ access_token, expires_in: 30 })));
    expect(await Promise.all(streams.map((token$) => firstValueFrom(token$.pipe(operator))))).toEqual(['a', 'b']);
    for (const token$ of streams) token$.close();
  });
});
