import { fieldsOf, headerOf } from '../../src/internal/answers.js';

describe('fieldsOf', () => {
  it('should be the object itself', () => {
    const value = { status: 5 };
    expect(fieldsOf(value)).toBe(value);
  });

  it.each([undefined, null, 5, 'text', true, Symbol('x'), () => 5])('should have no fields for %p', (value) => {
    expect(fieldsOf(value)).toEqual({});
  });
});

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
    ["the error's own before its response's", { headers: { [name]: 'own' }, response: { headers } }, 'own'],
    ["the response's where its own lack it", { headers: {}, response: { headers } }, 'Bearer'],
    ['an XMLHttpRequest', { xhr: { getResponseHeader: (key: string) => (key === name ? 'Bearer' : null) } }, 'Bearer'],
    ['an empty header', { headers: { [name]: '' } }, ''],
    ['an XMLHttpRequest without the header', { xhr: { getResponseHeader: () => null } }, undefined],
    ['an xhr that is none', { xhr: {} }, undefined],
    ['a Response without the header', new Response(null), undefined],
    ['a list instead of a text', { headers: { [name]: ['Bearer'] } }, undefined],
    ['a response in words', { response: 'refused', headers: 'none' }, undefined],
    ['null', null, undefined],
    ['a string', 'Bearer', undefined],
  ])('should read %s', (_kind, answer, value) => {
    expect(headerOf(answer, name)).toBe(value);
  });
});
