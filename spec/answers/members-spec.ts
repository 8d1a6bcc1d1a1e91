import { headerOf } from '../../src/answers/members.js';

describe('headerOf', () => {
  const name = 'www-authenticate';
  const headers = new Headers({ [name]: 'Bearer' });

  it.each<[string, unknown, string | undefined]>([
    ['a Response', new Response(null, { headers }), 'Bearer'],
    ['a record', { headers: { [name]: 'Bearer' } }, 'Bearer'],
    [
      'headers with a get() of their own, as those of Angular and axios',
      { headers: { get: (key: string) => (key === name ? 'Bearer' : null) } },
      'Bearer',
    ],
    ['the response that an error carries', Object.assign(new Error('x'), { response: { headers } }), 'Bearer'],
    ['a record of the response that an error carries', { response: { headers: { [name]: 'Bearer' } } }, 'Bearer'],
    ["wreck's error", { data: { res: { statusCode: 401, headers: { [name]: 'Bearer' } } } }, 'Bearer'],
    ["Box' error", { responseInfo: { headers: { [name]: 'Bearer' } } }, 'Bearer'],
    ["Okta's error", { xhr: { status: 401, headers: { [name]: 'Bearer' } } }, 'Bearer'],
    ["AWS' error", { $metadata: {}, $response: { statusCode: 401, headers: { [name]: 'Bearer' } } }, 'Bearer'],
    ["Kiota's error", { responseStatusCode: 401, responseHeaders: { [name]: ['Bearer'] } }, 'Bearer'],
    ["the error's own before its response's", { headers: { [name]: 'own' }, response: { headers } }, 'own'],
    ["the response's where its own lack it", { headers: {}, response: { headers } }, 'Bearer'],
    ['an XMLHttpRequest', { xhr: { getResponseHeader: (key: string) => (key === name ? 'Bearer' : null) } }, 'Bearer'],
    ['an empty header', { headers: { [name]: '' } }, ''],
    ['an XMLHttpRequest without the header', { xhr: { getResponseHeader: () => null } }, undefined],
    ['an xhr that is none', { xhr: {} }, undefined],
    ['a Response without the header', new Response(null), undefined],
    ['a list instead of a text', { headers: { [name]: ['Bearer'] } }, 'Bearer'],
    ['a response in words', { response: 'refused', headers: 'none' }, undefined],
    ['null', null, undefined],
    ['a string', 'Bearer', undefined],
  ])('should read %s', (_kind, answer, value) => {
    expect(headerOf(answer, name)).toBe(value);
  });
});
