import { parseBody, parseJson } from '../../src/answers/parseBody.js';

describe('the body of an answer', () => {
  it.each<[string, unknown]>([
    ['access_token=T&token_type=bearer&expires_in=5', { access_token: 'T', token_type: 'bearer', expires_in: '5' }],
    [' \n access_token=a%20b+c \n', { access_token: 'a b c' }],
    ['access_token=T&scope=', { access_token: 'T', scope: '' }],
    ['access_token=T&scope=a&', { access_token: 'T', scope: 'a' }],
    ['x.y-z%5B%5D=1', { 'x.y-z[]': '1' }],
    ['{"access_token":"a=b&c=d"}', { access_token: 'a=b&c=d' }],
    ['\uFEFF {"a":1}', { a: 1 }],
    ['"a=b"', 'a=b'],
    ['null', null],
  ])('should be read as what it is, a form or JSON: %j', (text, value) => {
    expect(parseBody(text)).toEqual(value);
  });

  it.each([
    'dG9rZW4=',
    'dG9rZW4= ',
    'dG9rZW4=  ',
    'dG9rZQ==',
    'the code a=b',
    'a=b is the code',
    'a=b&c',
    '<a href=x>',
    '{"a":',
    '',
    'T',
  ])('should be nothing where it is neither, such as a token in Base64 or prose: %j', (text) => {
    expect([parseBody(text), parseJson(text)]).toEqual([undefined, undefined]);
  });
});
