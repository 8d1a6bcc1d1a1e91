import {
  HEAD_START,
  headStartOf,
  ON_BEHALF_OF,
  ON_CLOSE,
  ON_SIGN_OUT,
  onBehalfOf,
  principalOf,
  PROOF,
} from '../../src/internal/sourceHooks.js';

it('should find hooks by names on which two copies of the package agree', () => {
  expect([PROOF, ON_CLOSE, ON_SIGN_OUT, HEAD_START, ON_BEHALF_OF].map((symbol) => Symbol.keyFor(symbol))).toEqual([
    'rx-fresh-token/proof',
    'rx-fresh-token/close',
    'rx-fresh-token/sign-out',
    'rx-fresh-token/head-start',
    'rx-fresh-token/on-behalf-of',
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

it('should find the principal of a signal, however many stand in for it', () => {
  const [principal, deputy, clerk] = [
    new AbortController().signal,
    new AbortController().signal,
    new AbortController().signal,
  ];
  expect(principalOf(principal)).toBe(principal);
  expect(onBehalfOf(principal, deputy)).toBe(deputy);
  expect(onBehalfOf(deputy, clerk)).toBe(clerk);
  expect([deputy, clerk].map(principalOf)).toEqual([principal, principal]);
  expect(clerk).toHaveProperty([ON_BEHALF_OF], principal);
});
