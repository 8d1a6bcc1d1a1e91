import {
  fetcherBehind,
  GIVEN_BY,
  HEAD_START,
  headStartOf,
  ON_BEHALF_OF,
  ON_CLOSE,
  ON_SIGN_OUT,
  onBehalfOf,
  ORIGINAL,
  originalOf,
  PROOF,
} from '../../src/internal/hiddenMembers.js';

it('should find hooks by names on which two copies of the package agree', () => {
  const symbols = [PROOF, ON_CLOSE, ON_SIGN_OUT, HEAD_START, ON_BEHALF_OF, GIVEN_BY, ORIGINAL];
  expect(symbols.map((symbol) => Symbol.keyFor(symbol))).toEqual([
    'rx-fresh-token/proof',
    'rx-fresh-token/close',
    'rx-fresh-token/sign-out',
    'rx-fresh-token/head-start',
    'rx-fresh-token/on-behalf-of',
    'rx-fresh-token/given-by',
    'rx-fresh-token/original',
  ]);
});

it.each([
  [5, 5],
  [0, 0],
  [-1, 0],
  [Infinity, 0],
  [NaN, 0],
  ['5', 0],
  [undefined, 0],
])('a head start of %p should count as %p', (given, counted) => {
  expect(headStartOf({ [HEAD_START]: given })).toBe(counted);
});

it('should know the token fetcher behind a signal, however many stand in for it', () => {
  const [fetcher, [first, deputy, clerk, other]] = [{}, [1, 2, 3, 4].map(() => new AbortController().signal)];
  if (!first || !deputy || !clerk || !other) throw new Error('four signals');
  Object.assign(first, { [ON_BEHALF_OF]: fetcher });
  expect(onBehalfOf(first, deputy)).toBe(deputy);
  expect(onBehalfOf(deputy, clerk)).toBe(clerk);
  for (const signal of [first, deputy, clerk]) expect(fetcherBehind(signal)).toBe(fetcher);
  expect(clerk).toHaveProperty([ON_BEHALF_OF], fetcher);
});

it('should add nothing to a signal that works for no token fetcher', () => {
  const [caller, own] = [new AbortController().signal, new AbortController().signal];
  expect(onBehalfOf(caller, own)).toBe(own);
  expect(fetcherBehind(own)).toBeUndefined();
  expect(Object.getOwnPropertySymbols(own)).not.toContain(ON_BEHALF_OF);
});

it('should find the request behind a copy of it, and be content with one that has none', () => {
  const request = { [ORIGINAL]: () => request, reason: 'initial' };
  const other = { reason: 'initial' };
  expect([originalOf({ ...request }), originalOf(other)]).toEqual([request, other]);
  expect(originalOf({ ...request })).toBe(request);
});
