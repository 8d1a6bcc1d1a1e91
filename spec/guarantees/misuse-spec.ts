import { of } from 'rxjs';
import { withToken } from 'rx-fresh-token';
import { openStream } from './rig.js';

it('withToken should refuse an isRejection that is no function', () => {
  const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
  expect(() => withToken(token$, () => of(1), { isRejection: 5 as never })).toThrow(/isRejection/);
  expect(() => withToken(token$, 5 as never)).toThrow(/function/);
});

it('streams should be known by a name on which two copies of the package agree', () => {
  const token$ = openStream(() => of({ access_token: 'T1', expires_in: 30 }));
  expect(Object.getOwnPropertySymbols(token$).map((symbol) => Symbol.keyFor(symbol))).toContain(
    'rx-fresh-token/manager@2',
  );
  for (const stranger of [null, undefined, {}, of(1)])
    expect(() => withToken(stranger as never, () => of(1))).toThrow(/createTokenStream/);
});
