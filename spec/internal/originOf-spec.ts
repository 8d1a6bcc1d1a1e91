import { isLoopback } from '../../src/internal/loopback.js';
import { originOf } from '../../src/internal/originOf.js';
import { HEAD_START, headStartOf, ON_BEHALF_OF, ON_CLOSE, PROOF } from '../../src/internal/sourceHooks.js';

it.each([
  ['https://api.example/orders?x#y', 'https://api.example'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['/orders', undefined],
  ['', undefined],
  [null, undefined],
  [undefined, undefined],
])('originOf should be that of an absolute URL, and of nothing else: %p', (url, origin) => {
  expect(originOf(url)).toBe(origin);
});

it.each([
  ['localhost', true],
  ['a.localhost', true],
  ['api.shop.localhost', true],
  ['127.0.0.1', true],
  ['127.10.200.254', true],
  ['[::1]', true],
  ['localhost.example', false],
  ['127.0.0.1.example', false],
  ['128.0.0.1', false],
  ['[::2]', false],
])('isLoopback should know %s: %p', (hostname, loopback) => {
  expect(isLoopback({ hostname })).toBe(loopback);
});

it('should find hooks by names on which two copies of the package agree', () => {
  expect([PROOF, ON_CLOSE, HEAD_START, ON_BEHALF_OF].map((symbol) => Symbol.keyFor(symbol))).toEqual(['rx-fresh-token/proof', 'rx-fresh-token/close', 'rx-fresh-token/head-start', 'rx-fresh-token/on-behalf-of']);
});

it.each([[5, 5], [0, 0], [-1, 0], [Infinity, 0], [NaN, 0], ['5', 0], [undefined, 0]])('a head start of %p should count as %p', (given, counted) => {
  expect(headStartOf({ [HEAD_START]: given })).toBe(counted);
});
