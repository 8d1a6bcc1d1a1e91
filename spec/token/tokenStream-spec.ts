import { marbles } from 'rxjs-marbles/jest';
import { timer, map } from 'rxjs';
import { createTokenStream } from 'rx-fresh-token';

describe('reject()', () => {
  it.each([null, undefined, {}, 'T1', { value: 5 }])('should be a TypeError for what is no token: %j', (token) => {
    const token$ = createTokenStream(() => [{ access_token: 'T1' }]);
    token$.subscribe().unsubscribe();
    expect(() => {
      token$.reject(token as never);
    }).toThrow(new TypeError('reject takes a token of the stream'));
    expect(token$.current?.value).toBe('T1');
    token$.close();
  });
});

describe('createTokenStream', () => {
  it.each(['refresh', 'reject', 'signOut', 'close'] as const)(
    'should let a test put a spy in the place of %s',
    (name) => {
      const token$ = createTokenStream(() => [{ access_token: 'T1' }]);
      const spy = jest.spyOn(token$, name).mockReturnValue(undefined);
      void token$[name](null as never);
      expect(spy).toHaveBeenCalledTimes(1);
      // Vitest and Sinon define the member anew, where Jest assigns it.
      expect(Object.getOwnPropertyDescriptor(token$, name)).toMatchObject({ configurable: true, enumerable: false });
      spy.mockRestore();
      token$.close();
    },
  );

  it('should let a test put a spy in the place of the getter of current', () => {
    const token$ = createTokenStream(() => [{ access_token: 'T1' }]);
    const spy = jest.spyOn(token$, 'current', 'get').mockReturnValue(null);
    token$.subscribe().unsubscribe();
    expect(token$.current).toBeNull();
    spy.mockRestore();
    expect(token$.current?.value).toBe('T1');
    token$.close();
  });

  it(
    'should renew a 30 s token at 25 s',
    marbles((m) => {
      let n = 0;
      const asked: number[] = [];
      const token$ = createTokenStream(
        () => {
          asked.push(m.scheduler.now());
          return timer(200).pipe(map(() => ({ access_token: `T${String(++n)}`, expires_in: 30 })));
        },
        { scheduler: m.scheduler, jitter: 0 },
      );
      m.expect(token$.pipe(map((t) => t.value)), '^ 60s !').toBeObservable('200ms a 24999ms b 24999ms c', {
        a: 'T1',
        b: 'T2',
        c: 'T3',
      });
      m.flush();
      expect(asked).toEqual([0, 25000, 50000, 75000]); // used until 60 s, so once more before it idles
    }),
  );
});
