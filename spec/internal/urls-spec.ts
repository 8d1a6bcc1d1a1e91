import { isLoopback } from '../../src/internal/values/loopback.js';
import { displayUrl, originOf, pageUrl, utf8Of } from '../../src/internal/values/urls.js';

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

it.each([
  ['caf\xc3\xa9', 'café'],
  ['/plain', '/plain'],
  ['', ''],
  ['café – ☕', 'café – ☕'],
  ['☕ caf\xc3\xa9', '☕ caf\xc3\xa9'],
])('utf8Of should read bytes, and leave what are none: %j', (value, text) => {
  expect(utf8Of(value)).toBe(text);
});

it('originOf should read a relative URL by its base', () => {
  expect(originOf('/orders', 'https://api.example/v1')).toBe('https://api.example');
});

it('displayUrl should show the scheme, the host and the path only', () => {
  expect(displayUrl(new URL('https://user:SECRET@api.example:8443/orders?key=SECRET#SECRET'))).toBe(
    'https://api.example:8443/orders',
  );
});

it('pageUrl should be the base of the page, else its address, and nothing outside of pages', () => {
  const root = globalThis as { document?: unknown; location?: unknown };
  const { location } = root;
  try {
    root.location = { href: 'https://page.example/a' };
    const address = pageUrl();
    root.document = { baseURI: 'https://page.example/base/' };
    expect([address, pageUrl()]).toEqual(['https://page.example/a', 'https://page.example/base/']);
    delete root.document;
    delete root.location;
    expect(pageUrl()).toBeUndefined();
  } finally {
    delete root.document;
    if (location !== undefined) root.location = location;
  }
});
