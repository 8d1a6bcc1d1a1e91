import { isLoopback } from '../../src/internal/loopback.js';
import { originOf } from '../../src/internal/urls.js';

it.each([
  ['https://api.example/orders?x#y', 'https://api.example'],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['/orders', undefined],
  ['localhost:3000', undefined],
  ['', undefined],
  [null, undefined],
  [undefined, undefined],
])('originOf should be that of an absolute URL, and of nothing else: %p', (url, origin) => {
  expect(originOf(url)).toBe(origin);
});

it.each([
  ['localhost', true],
  ['a.localhost', false],
  ['localhost.', false],
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
