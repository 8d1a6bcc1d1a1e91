import { firstValueFrom, of, throwError } from 'rxjs';
import { marbles } from 'rxjs-marbles/jest';
import { createTokenStream, takeToken, withToken, type TokenStreamOptions } from 'rx-fresh-token';
import { openStream } from './rig.js';

it('withToken should refuse an isRejection that is no function', () => {
  const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
  expect(() => withToken(token$, () => of(1), { isRejection: 5 as never })).toThrow(/isRejection/);
  expect(() => withToken(token$, 5 as never)).toThrow(/function/);
});

it.each<[unknown, string]>([
  [undefined, 'undefined'],
  [null, 'null'],
  [{ data: [] }, 'object'],
  [5, 'number'],
])('withToken should name itself where its function returns what cannot be read: %p', async (returned, shown) => {
  const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
  const message = `the function of withToken returned ${shown}, not a Promise or an Observable`;
  const send = () => returned as never;
  // The first request waits for the token, and the second has it.
  for (const each$ of [token$.pipe(withToken(send)), withToken(token$, send)])
    await expect(firstValueFrom(each$)).rejects.toEqual(new TypeError(message));
});

it.each<[unknown]>([[null], ['https://id.example'], [5]])('should name the options where they are %p', (options) => {
  const source = () => of({ access_token: 'T1', expires_in: 30 });
  const token$ = openStream(source);
  expect(() => createTokenStream(source, options as never)).toThrow(new TypeError('options must be an object'));
  expect(() => withToken(token$, () => of(1), options as never)).toThrow(/options.* must be an object/);
  expect(() => takeToken(token$, options as never)).toThrow(/options.* must be an object/);
});

it('streams should be known by a name on which two copies of the package agree', () => {
  const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
  expect(Object.getOwnPropertySymbols(token$).map((symbol) => Symbol.keyFor(symbol))).toContain(
    'rx-fresh-token/manager@3',
  );
  for (const stranger of [null, undefined, {}, of(1)])
    expect(() => withToken(stranger as never, () => of(1))).toThrow(/createTokenStream/);
});

describe('an option that is a wrong function', () => {
  const broken = (): never => {
    throw new Error('undefined is not iterable');
  };

  it.each<[string, TokenStreamOptions, string]>([
    [
      'a lifetime of text',
      { lifetime: () => '30000' as never },
      'option "lifetime" must return a number or undefined, got string',
    ],
    [
      'a lifetime of null',
      { lifetime: () => null as never },
      'option "lifetime" must return a number or undefined, got object',
    ],
    [
      'a lifetime that is not a number',
      { lifetime: ({ expires_at }) => Number(expires_at) * 1000 },
      'option "lifetime" must return a number or undefined, got NaN',
    ],
    ['a lifetime that throws', { lifetime: broken }, 'option "lifetime" threw an error'],
    ['a refreshBefore that throws', { refreshBefore: broken }, 'option "refreshBefore" threw an error'],
    ['a random that throws', { random: broken }, 'option "random" threw an error'],
  ])('should fail at once and name the option, after one request: %s', async (_kind, options, message) => {
    let asked = 0;
    const token$ = openStream(() => of({ access_token: `T${String(++asked)}`, expires_in: 30 }), options);
    await expect(firstValueFrom(takeToken(token$))).rejects.toMatchObject({
      code: 'ERR_TOKEN_UNAVAILABLE',
      cause: { code: 'ERR_INVALID_TOKEN_RESPONSE', message },
    });
    expect(asked).toBe(1);
  });

  it(
    'should fail permanently, and name the option, when random throws after a failure',
    marbles((m) => {
      const asked: number[] = [];
      const failures: unknown[] = [];
      const token$ = createTokenStream(
        () => {
          asked.push(m.scheduler.now());
          return asked.length === 1 ? of({ access_token: 'T1', expires_in: 30 }) : throwError(() => new Error('down'));
        },
        {
          scheduler: m.scheduler,
          jitter: 0,
          random: () => (asked.length > 1 ? broken() : 1),
        },
      );
      token$.events.subscribe((event) => {
        if (event.type === 'refreshFailed') failures.push([event.at, event.message, event.permanent]);
      });
      token$.subscribe({ error: (error: unknown) => failures.push((error as Error).message) });
      m.scheduler.schedule(() => {
        token$.close();
      }, 29_500);
      m.flush();
      expect(asked).toEqual([0, 25_000, 29_000]);
      expect(failures).toEqual([
        [25_000, 'option "random" threw an error', true],
        [29_000, 'option "random" threw an error', true],
        'the token source failed permanently: option "random" threw an error',
      ]);
    }),
  );
});
