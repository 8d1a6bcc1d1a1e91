import { inspect } from 'node:util';
import * as errors from '../src/errors.js';

const {
  HttpStatusError,
  InvalidTokenResponseError,
  isTokenError,
  OriginNotAllowedError,
  RequestTimeoutError,
  TokenEndpointError,
  TokenFetchTimeoutError,
  TokenStoreError,
  TokenStreamClosedError,
  TokenUnavailableError,
} = errors;

type Make = (copy: typeof errors, options?: ErrorOptions) => Error & { code: string };

const table: [name: string, code: string, make: Make][] = [
  [
    'TokenUnavailableError',
    'ERR_TOKEN_UNAVAILABLE',
    (copy, options) => new copy.TokenUnavailableError('words', options),
  ],
  [
    'TokenFetchTimeoutError',
    'ERR_TOKEN_FETCH_TIMEOUT',
    (copy, options) => new copy.TokenFetchTimeoutError('words', options),
  ],
  ['TokenEndpointError', 'ERR_TOKEN_ENDPOINT', (copy, options) => new copy.TokenEndpointError('words', options)],
  [
    'InvalidTokenResponseError',
    'ERR_INVALID_TOKEN_RESPONSE',
    (copy, options) => new copy.InvalidTokenResponseError('words', options),
  ],
  ['TokenStoreError', 'ERR_TOKEN_STORE', (copy, options) => new copy.TokenStoreError('words', options)],
  [
    'TokenStreamClosedError',
    'ERR_TOKEN_STREAM_CLOSED',
    (copy, options) => new copy.TokenStreamClosedError('words', options),
  ],
  [
    'OriginNotAllowedError',
    'ERR_ORIGIN_NOT_ALLOWED',
    (copy, options) => new copy.OriginNotAllowedError('words', options),
  ],
  ['RequestTimeoutError', 'ERR_REQUEST_TIMEOUT', (copy, options) => new copy.RequestTimeoutError('words', options)],
  [
    'HttpStatusError',
    'ERR_HTTP_STATUS',
    (copy, options) => new copy.HttpStatusError('words', new Response(null, { status: 503 }), options),
  ],
];

/** As a bundler that keeps two versions would load it. */
function secondCopy(): typeof errors {
  let copy!: typeof errors;
  jest.isolateModules(() => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- isolateModules isolates what is required
    copy = require('../src/errors.js') as typeof errors;
  });
  return copy;
}

describe.each(table)('%s', (name, code, make) => {
  it(`should carry its name, the code ${code} and its message`, () => {
    const error = make(errors);
    expect(error).toBeInstanceOf(Error);
    expect([error.name, error.code, error.message]).toEqual([name, code, 'words']);
    expect(String(error)).toBe(`${name}: words`);
    expect(error.stack).toContain('errors-spec');
    expect(Object.keys(error)).toContain('code');
    expect(Object.keys(error)).not.toContain('name');
  });

  it('should say as JSON what a logger would lose: its name, its message, and that of its cause', () => {
    expect(JSON.parse(JSON.stringify(make(errors)))).toMatchObject({ name, code, message: 'words' });
    expect(JSON.parse(JSON.stringify(make(errors)))).not.toHaveProperty('cause');
    const cause = new Error('inner\n  GET https://user@host/?q=SECRET', { cause: new Error('SECRET') });
    expect(JSON.parse(JSON.stringify(make(errors, { cause })))).toMatchObject({
      name,
      code,
      cause: 'inner GET https://host/',
    });
  });

  it('should carry a cause where there is one, and no property where there is none', () => {
    const cause = new Error('inner');
    expect(make(errors, { cause }).cause).toBe(cause);
    expect('cause' in make(errors)).toBe(false);
    expect(Object.keys(make(errors, { cause }))).not.toContain('cause');
  });

  it('should print the message and the stack of a cause, and nothing that it holds', () => {
    const cause = Object.assign(new TypeError('POST https://host/?q=SECRET failed'), { config: { data: 'SECRET' } });
    const printed = inspect(make(errors, { cause }), { depth: 9, showHidden: true });
    expect(printed).toContain(`${name}: words`);
    expect(printed).toContain(`code: '${code}'`);
    expect(printed).toMatch(/cause: TypeError: POST https:\/\/host\/ failed\n +at .*errors-spec/);
    expect(printed).not.toContain('SECRET');
    expect(inspect(make(errors))).not.toContain('cause');
  });

  it.each<[string, unknown, string]>([
    ['an answer', { status: 401, body: 'SECRET' }, "cause: '401'"],
    ['an error of this package', new TokenEndpointError('x', { status: 400 }), 'status: 400'],
    [
      'an error that cannot be read',
      new Proxy(new Error('x'), {
        get: () => {
          throw new Error('SECRET');
        },
      }),
      "cause: 'object'",
    ],
  ])('should print its cause: %s', (_kind, cause, words) => {
    const printed = inspect(make(errors, { cause }));
    expect(printed).toContain(words);
    expect(printed).not.toContain('SECRET');
  });

  it('should be known by isTokenError, with its own code and no other, in either copy of the module', () => {
    const other = secondCopy();
    expect(other.TokenUnavailableError).not.toBe(TokenUnavailableError);
    for (const error of [make(errors), make(other)]) {
      for (const copy of [errors, other]) {
        expect(copy.isTokenError(error)).toBe(true);
        for (const [, each] of table)
          expect(copy.isTokenError(error, each as 'ERR_TOKEN_ENDPOINT')).toBe(each === code);
      }
    }
  });
});

describe('isTokenError', () => {
  it.each<[string, unknown]>([
    ['an Error', new Error('x')],
    ['an Error that borrows a code', Object.assign(new Error('x'), { code: 'ERR_TOKEN_ENDPOINT' })],
    ['an Error that borrows a name', Object.assign(new Error('x'), { name: 'TokenEndpointError' })],
    ['a copy made by JSON', JSON.parse(JSON.stringify(new TokenUnavailableError('x')))],
    ['a string', 'ERR_TOKEN_ENDPOINT'],
    ['a number', 5],
    ['null', null],
    ['undefined', undefined],
  ])('should not know %s', (_kind, value) => {
    expect(isTokenError(value)).toBe(false);
    expect(isTokenError(value, 'ERR_TOKEN_ENDPOINT')).toBe(false);
  });

  it('should know what a user derives', () => {
    class Mine extends TokenFetchTimeoutError {}
    expect(isTokenError(new Mine('x'), 'ERR_TOKEN_FETCH_TIMEOUT')).toBe(true);
  });
});

describe('TokenUnavailableError', () => {
  it.each<[string, unknown, string]>([
    ['an Error', new Error('fetch failed'), 'words: fetch failed'],
    ['an Error without a message', new TypeError(), 'words: TypeError'],
    ['a string', 'down', 'words: down'],
    ['an answer', { status: 401 }, 'words: 401'],
    ['an object', { reason: 'SECRET' }, 'words: object'],
    ['null', null, 'words: object'],
    ['an error with lines', new Error('a\n  b'), 'words: a b'],
    [
      'a URL with a query',
      new Error('GET https://host/path?code=SECRET failed'),
      'words: GET https://host/path failed',
    ],
    ['one of its own kind', new TokenUnavailableError('inner', { cause: new Error('x') }), 'words: inner: x'],
  ])('should end its message with that of its cause: %s', (_kind, cause, message) => {
    expect(new TokenUnavailableError('words', { cause }).message).toBe(message);
  });

  it('should say by itself that there is no token', () => {
    expect(new TokenUnavailableError().message).toBe('no usable token');
    expect(new TokenUnavailableError(undefined, { cause: new Error('x') }).message).toBe('no usable token: x');
  });
});

describe('TokenEndpointError', () => {
  it('should carry what the endpoint said, and nothing that it did not', () => {
    const said = { status: 429, error: 'slow_down', error_description: 'later', retryAfter: 5000 };
    expect(new TokenEndpointError('x', said)).toMatchObject(said);
    expect(Object.keys(new TokenEndpointError('x', { status: 400 })).sort()).toEqual(['code', 'status']);
    expect(new TokenEndpointError('x').error).toBeUndefined();
  });

  it('should give the explanation of the server to whoever asks for it, and print nothing of it', () => {
    const error = new TokenEndpointError('x', { status: 400, error_description: 'wrong secret SECRET' });
    expect(error.error_description).toBe('wrong secret SECRET');
    for (const printed of [
      inspect(error, { showHidden: true }),
      inspect(error, { getters: true }),
      JSON.stringify(error),
    ])
      expect(printed).not.toContain('SECRET');
    expect(Object.keys(error).sort()).toEqual(['code', 'status']);
    expect('error_description' in new TokenEndpointError('x')).toBe(false);
  });

  it('should take nothing else of the body of an answer', () => {
    const body = { error: 'invalid_grant', code: 50076, refresh_token: 'SECRET', name: 'Contoso', message: 'SECRET' };
    const error = new TokenEndpointError('x', body);
    expect(Object.entries(error)).toEqual([
      ['code', 'ERR_TOKEN_ENDPOINT'],
      ['error', 'invalid_grant'],
    ]);
    expect([error.name, error.message]).toEqual(['TokenEndpointError', 'x']);
  });

  it('should not show its cause among what was said', () => {
    const error = new TokenEndpointError('x', { cause: new Error('inner'), status: 400 });
    expect(Object.keys(error).sort()).toEqual(['code', 'status']);
  });
});

describe('TokenStreamClosedError', () => {
  it('should say so by itself', () => {
    expect(new TokenStreamClosedError().message).toBe('the token stream is closed');
  });
});

describe('HttpStatusError', () => {
  it('should give its response, and print nothing of it', () => {
    const response = new Response('SECRET', { status: 404, headers: { 'x-echo': 'SECRET' } });
    const error = new HttpStatusError('GET https://api.example.com/ answered 404', response);
    expect(error.response).toBe(response);
    expect(error.status).toBe(404);
    expect([JSON.stringify(error), inspect(error, { showHidden: true, depth: 9 })].join()).not.toContain('SECRET');
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'HttpStatusError',
      code: 'ERR_HTTP_STATUS',
      message: 'GET https://api.example.com/ answered 404',
      status: 404,
    });
  });
});

it('should export no error that the table above leaves out', () => {
  const classes = {
    HttpStatusError,
    InvalidTokenResponseError,
    OriginNotAllowedError,
    RequestTimeoutError,
    TokenEndpointError,
    TokenFetchTimeoutError,
    TokenStoreError,
    TokenStreamClosedError,
    TokenUnavailableError,
  };
  expect(Object.keys(errors).sort()).toEqual([...Object.keys(classes), 'isTokenError'].sort());
  expect(table.map(([name]) => name).sort()).toEqual(Object.keys(classes).sort());
});
