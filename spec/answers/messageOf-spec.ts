import { messageOf } from '../../src/answers/messageOf.js';

/** What the platform says of a body that is no JSON. */
function parseError(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    return error;
  }
}

const circle = new TypeError('fetch failed');
circle.cause = circle;

describe('messageOf', () => {
  it.each<[string, unknown, string]>([
    ['an Error', new Error('fetch failed'), 'fetch failed'],
    [
      'a relative URL without a slash',
      new TypeError('Failed to parse URL from token?code=SECRET'),
      'Failed to parse URL from token',
    ],
    [
      "node-fetch's header",
      new TypeError('SECRET\n is not a legal HTTP header value'),
      '… is not a legal HTTP header value',
    ],
    [
      "Firefox' header",
      new TypeError('Window.fetch: SECRET is an invalid header value.'),
      'Window.fetch: … is an invalid header value.',
    ],
    [
      "Safari's header",
      new TypeError("Header 'x-api-key' has invalid value: 'SECRET'"),
      "Header 'x-api-key' has invalid value: …",
    ],
    [
      "graphql-request's error, which quotes its request",
      new Error('no: {"response":{"status":200},"request":{"query":"login","variables":{"password":"SECRET"}}}'),
      'no: …',
    ],
    [
      "Node's fetch, that could not connect",
      new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:9') }),
      'fetch failed: connect ECONNREFUSED 127.0.0.1:9',
    ],
    [
      "Node's fetch, where a host has several addresses",
      new TypeError('fetch failed', { cause: Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }) }),
      'fetch failed: ECONNREFUSED',
    ],
    [
      "Node's fetch, with a secret in the cause",
      new TypeError('fetch failed', { cause: new Error('unknown scheme in https://host/p?code=SECRET') }),
      'fetch failed: unknown scheme in https://host/p',
    ],
    [
      "Node's fetch, whose proxy refused the tunnel",
      new TypeError('fetch failed', {
        cause: new Error('Request was cancelled.', {
          cause: new Error('Proxy response (407) !== 200 when HTTP Tunneling'),
        }),
      }),
      'fetch failed: Proxy response (407) !== 200 when HTTP Tunneling',
    ],
    ["Node's fetch, whose cause goes round in a circle", circle, 'fetch failed: fetch failed'],
    ["Node's fetch, for no known reason", new TypeError('fetch failed', { cause: {} }), 'fetch failed'],
    ['another error with a cause', new Error('no', { cause: new Error('a body') }), 'no'],
    ['an Error without a message', new RangeError(), 'RangeError'],
    ['what has a message', { message: 'no' }, 'no'],
    ['what has a name only', { name: 'Custom' }, 'Custom'],
    ['a message that is no string', { message: 5, name: 'Custom' }, 'Custom'],
    ['an object with neither', {}, 'object'],
    ['a string', 'down', 'down'],
    ['an empty string', '', 'string'],
    ['a number', 5, 'number'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'object'],
    [
      'an error whose message cannot be read',
      {
        get message() {
          throw new Error('no');
        },
        name: 'Custom',
      },
      'Custom',
    ],
    [
      'an error of which nothing can be read',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
        },
      ),
      'object',
    ],
    ['a name that is no string', { name: 5 }, 'object'],
    ['several lines', new Error('a\r\n\tb\n c'), 'a b c'],
    ['a URL with a query', new Error('GET https://host/p?code=SECRET failed'), 'GET https://host/p failed'],
    ['a URL with a fragment', new Error('see (https://host/p#SECRET)'), 'see (https://host/p)'],
    ['a URL in quotes', new Error('"https://host?a=SECRET": no'), '"https://host": no'],
    ['a body that is no JSON', parseError('s3cr3t-opaque-token'), "Unexpected token 's', … is not valid JSON"],
    [
      'a longer body that is no JSON',
      parseError('{"a": "b", "access_token": SECRET, "token_type": "Bearer", "expires_in": 3600 }'),
      "Unexpected token 'S', … is not valid JSON",
    ],
    [
      'a body that is no JSON, in Safari and Bun',
      new SyntaxError('JSON Parse error: Unexpected identifier "SECRET"'),
      'JSON Parse error: Unexpected identifier …',
    ],
    [
      'a header that cannot be sent',
      new TypeError('Headers.append: "Basic SECRET\nSECRET" is an invalid header value.'),
      'Headers.append: … is an invalid header value.',
    ],
    [
      'a header',
      new Error('rejected: Authorization: Bearer SECRET-SECRET-SECRET'),
      'rejected: Authorization: Bearer …',
    ],
    ...['a:b', 'j:b', 'me:abc', 'user:pass', 'ab:c', 'orders:x', 'o:\u00e9', 'id:'].map(
      (pair): [string, Error, string] => [
        `the credentials ${pair}`,
        new Error(`no client has Basic ${Buffer.from(pair).toString('base64')}, sorry`),
        'no client has Basic …, sorry',
      ],
    ),
    ...[
      'Basic authentication failed',
      'Basic auth is required, version 6',
      'WWW-Authenticate: Basic realm="Orders", charset="UTF-8"',
      'Basic Authorization over HTTP',
      'Basic Options: none',
      'Basic credentials (RFC 7617) are missing',
      'the Bearer scheme, not Basic OAuth2',
    ].map((text): [string, Error, string] => [`words: ${text}`, new Error(text), text]),
    ['words after a scheme', new Error('the Bearer token is missing'), 'the Bearer token is missing'],
    ['other quotations', new Error('the path "a" is not exported by "b"'), 'the path "a" is not exported by "b"'],
    ['a Response that is thrown', new Response('SECRET', { status: 401 }), '401'],
    ['a body that is thrown', { error: 'invalid_client', error_description: 'SECRET' }, 'invalid_client'],
    ['an answer that is thrown', { status: 400, data: { error: 'invalid_grant' } }, '400 invalid_grant'],
    ['prose in the place of a code', { error: 'SECRET words' }, 'object'],
    ['prose that limits the rate', { status: 400, error: 'too many requests with SECRET' }, '400'],
    ['two URLs', new Error('a://b?SECRET to c://d#SECRET'), 'a://b to c://d'],
    [
      'a URL with a password, as in the message of fetch',
      new TypeError('URL that includes credentials: https://user:SECRET@host/p'),
      'URL that includes credentials: https://host/p',
    ],
    [
      'a relative URL, as in Angular',
      new Error('Http failure for /bff/token?code=SECRET: 401 OK'),
      'Http failure for /bff/token: 401 OK',
    ],
    ['a relative URL in quotes', new Error('[POST] "/bff/token?code=SECRET": 401'), '[POST] "/bff/token": 401'],
    [
      'a URL without a scheme',
      new Error('id.example/token?key=SECRET, //id.example/x#SECRET.'),
      'id.example/token, //id.example/x.',
    ],
    [
      'a query with brackets',
      new Error("https://id/token?scope=(a)&key=SECRET and /x?name('y')&key=SECRET"),
      'https://id/token and /x',
    ],
    ['a password with an @', new Error('https://user:p@SECRET@host/p'), 'https://host/p'],
    ['a question after a slash', new Error('token and/or key? yes'), 'token and/or key? yes'],
    ['a question without a URL', new Error('really? yes'), 'really? yes'],
  ])('should be the message of %s, on one line, without what may be a secret', (_kind, error, message) => {
    expect(messageOf(error)).toBe(message);
  });

  it('should be short', () => {
    expect(messageOf(new Error('x'.repeat(5000)))).toBe('x'.repeat(300));
  });

  it.each(['/', '"', 'a/', '//a', '\n', 'Bearer '])('should read a long message in linear time: %j', (text) => {
    // Quadratic, one of these takes minutes.
    expect(messageOf(new Error(text.repeat(200_000))).length).toBeLessThanOrEqual(300);
  });
});
