import { catchError, of, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, TokenEndpointError, TokenUnavailableError, type TokenEvent } from 'rx-fresh-token';
import { EVENT_LETTERS, eventMarbles, fakeTokenSource, plainError, tokenMarbles } from 'rx-fresh-token/testing';

describe('plainError', () => {
  const refused = new TokenEndpointError('no', {
    status: 400,
    error: 'invalid_grant',
    error_description: 'gone',
    retryAfter: 5,
  });

  it('should keep what says what happened, through all causes', () => {
    const error = new TokenUnavailableError('none', { cause: refused });
    expect(plainError(error)).toStrictEqual({
      name: 'TokenUnavailableError',
      message: 'none: no',
      code: 'ERR_TOKEN_UNAVAILABLE',
      cause: {
        name: 'TokenEndpointError',
        message: 'no',
        code: 'ERR_TOKEN_ENDPOINT',
        status: 400,
        error: 'invalid_grant',
        error_description: 'gone',
        retryAfter: 5,
      },
    });
  });

  it('should keep the errors of an AggregateError', () => {
    expect(plainError(new AggregateError([new Error('a'), 'b'], 'both'))).toStrictEqual({
      name: 'AggregateError',
      message: 'both',
      errors: [{ name: 'Error', message: 'a' }, 'b'],
    });
  });

  it.each([['a text'], [undefined], [null], [{ status: 403 }], [{ name: 'Bob', message: 'hi', age: 3 }], [7]])(
    'should return %p as it is',
    (value) => {
      expect(plainError(value)).toBe(value);
    },
  );

  it('should come to an end where causes go in circles', () => {
    const error = new Error('outer', { cause: new Error('inner') });
    (error.cause as Error).cause = error;
    expect(plainError(error)).toStrictEqual({
      name: 'Error',
      message: 'outer',
      cause: { name: 'Error', message: 'inner', cause: '(circular)' },
    });
  });

  it(
    'should let marbles tell errors apart that differ in their cause only',
    marbles((m) => {
      const plain$ = throwError(() => new Error('x', { cause: refused })).pipe(
        catchError((error: unknown) => throwError(() => plainError(error))),
      );
      m.expect(plain$).toBeObservable('#', undefined, { name: 'Error', message: 'x', cause: plainError(refused) });
      expect(plainError(new Error('x', { cause: refused }))).not.toEqual(plainError(new Error('x')));
    }),
  );
});

describe('tokenMarbles', () => {
  it(
    'should let tokens read as their letters, and all else pass',
    marbles((m) => {
      const token$ = createTokenStream(fakeTokenSource({ scheduler: m.scheduler }), {
        scheduler: m.scheduler,
        idleTimeout: 0,
      });
      m.expect(tokenMarbles(token$), '^ 1s !').toBeObservable('a');
      m.expect(tokenMarbles(m.hot('-x-y|', { x: 1, y: { value: 'not a token' } }))).toBeObservable('-x-y|', {
        x: 1,
        y: { value: 'not a token' },
      });
    }),
  );

  it.each([
    [new TokenUnavailableError('none'), 'ERR_TOKEN_UNAVAILABLE'],
    [new TokenEndpointError('none', { status: 400 }), 'ERR_TOKEN_ENDPOINT'],
    [Object.assign(new Error('x'), { status: 403 }), '403'],
    [{ status: 401 }, '401'],
    [new RangeError('far'), 'RangeError: far'],
    ['text', 'text'],
    [null, 'null'],
  ])('should let the error %p read as %s', (error, mark) => {
    marbles((m) => {
      m.expect(tokenMarbles(throwError(() => error))).toBeObservable('#', undefined, mark);
    })();
  });
});

describe('eventMarbles', () => {
  it(
    'should let events read as letters',
    marbles((m) => {
      const source = fakeTokenSource({
        scheduler: m.scheduler,
        latency: 10,
        lifetime: 1000,
        steps: ['token', 'transient', 'permanent'],
      });
      const token$ = createTokenStream(source, {
        scheduler: m.scheduler,
        jitter: 0,
        random: () => 1,
        idleTimeout: 0,
        backoff: { initial: 100 },
      });
      m.scheduler.schedule(() => {
        token$.subscribe({ error: () => undefined });
      }, 5);
      m.scheduler.schedule(() => {
        token$.close();
      }, 1100);
      m.expect(eventMarbles(token$.events)).toBeObservable('5ms s 9ms c 822ms s 9ms f 51ms s 9ms f 94ms x 94ms (z|)');
    }),
  );

  it('should have a letter of its own for each', () => {
    const letters: string[] = Object.values(EVENT_LETTERS);
    expect(new Set(letters).size).toBe(letters.length);
    const events: TokenEvent[] = [{ type: 'idle', at: 0 }];
    const seen: string[] = [];
    eventMarbles(of(...events)).subscribe((letter) => seen.push(letter));
    expect(seen).toEqual(['i']);
  });
});
