import { inspect } from 'node:util';
import { NEVER, of } from 'rxjs';
import { InvalidTokenResponseError, TokenEndpointError } from '../../src/errors.js';
import { accessToken } from '../../src/token/decisions/accessToken.js';
import { isPermanentFailure, retryAfterOf } from '../../src/answers/isPermanentFailure.js';
import { isMarkedPermanent, permanentError } from '../../src/answers/permanentError.js';
import { checkTokenResponse, isFetchResponse, readFetchResponse } from '../../src/answers/tokenResponse.js';

const failureOf = (value: unknown): Error | undefined => {
  try {
    checkTokenResponse(value);
    return undefined;
  } catch (error) {
    return error as Error;
  }
};

const NO_TOKEN = 'has no access_token (undefined)';
const NOT_SENDABLE = 'has an access_token that no header can carry: is there a line break in it?';

describe('checkTokenResponse', () => {
  it.each<[string, unknown]>([
    ['the least', { access_token: 'a' }],
    [
      'every visible ASCII character',
      { access_token: Array.from({ length: 0x7e - 0x20 }, (_, i) => String.fromCharCode(0x21 + i)).join('') },
    ],
    ['a type', { access_token: 'a', token_type: 'DPoP' }],
    ['a null type', { access_token: 'a', token_type: null }],
    ['an empty type', { access_token: 'a', token_type: '' }],
    ['a type that no header can carry', { access_token: 'a', token_type: 'Application Access Token' }],
    ['a type that is no string', { access_token: 'a', token_type: 5 }],
    ['an error beside a token', { access_token: 'a', error: 'none' }],
    ['a status beside a token', { access_token: 'a', status: 400 }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { access_token: 'a' })],
  ])('should let pass: %s', (_kind, value) => {
    expect(failureOf(value)).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'is undefined, not { access_token, expires_in }'],
    ['null', null, 'is null, not { access_token, expires_in }'],
    ['a string', 'SECRET', 'is string, not { access_token, expires_in }'],
    ['an empty string', '', 'is an empty string, not { access_token, expires_in }'],
    ['a number', 5, 'is number, not { access_token, expires_in }'],
    ['a function', () => 'SECRET', 'is function, not { access_token, expires_in }'],
    ['an array', ['SECRET'], 'is an array, not { access_token, expires_in }'],
    [
      'an HTTP response',
      { headers: {}, data: { access_token: 'SECRET' } },
      'has no access_token (undefined), but headers: return the parsed body, { access_token, expires_in }',
    ],
    [
      'a body inside another',
      { data: { access_token: 'SECRET' } },
      'has no access_token (undefined), but data.access_token: return { access_token, expires_in }',
    ],
    [
      'an Observable inside a promise',
      of({ access_token: 'SECRET' }),
      'has no access_token (undefined), but subscribe: return the parsed body, { access_token, expires_in }',
    ],
    [
      'a promise inside an Observable',
      Promise.resolve({ access_token: 'SECRET' }),
      'has no access_token (undefined), but then: return the parsed body, { access_token, expires_in }',
    ],
    [
      'bytes',
      new TextEncoder().encode('SECRET'),
      'has no access_token (undefined), but byteLength: return the parsed body, { access_token, expires_in }',
    ],
    [
      'a Blob',
      new Blob(['SECRET']),
      'has no access_token (undefined), but arrayBuffer: return the parsed body, { access_token, expires_in }',
    ],
    [
      "MSAL's result",
      { accessToken: 'SECRET', expiresOn: new Date() },
      'has no access_token (undefined), but accessToken: return { access_token, expires_in }',
    ],
    [
      'a token of another stream',
      accessToken({ access_token: 'SECRET' }, 0, 1),
      'has no access_token (undefined), but raw: return the parsed body, { access_token, expires_in }',
    ],
    ['a mock of fetch', { ok: true, status: 200, json: () => ({}) }, `${NO_TOKEN}; it has ok, status, json`],
    ['the name of another login', { token: 'SECRET' }, `${NO_TOKEN}, but token: return { access_token, expires_in }`],
    [
      'that name beside a member `json`',
      { json: 'SECRET', token: 'SECRET' },
      `${NO_TOKEN}, but token: return { access_token, expires_in }`,
    ],
    ['a JWT by that name', { jwt: 'SECRET' }, `${NO_TOKEN}, but jwt: return { access_token, expires_in }`],
    ...(
      [
        ['access', { refresh: 'R', access: 'SECRET' }],
        ['auth_token', { auth_token: 'SECRET' }],
        ['authToken', { user: null, authToken: 'SECRET' }],
        ['idToken', { idToken: 'SECRET', refreshToken: 'R', expiresIn: '3600' }],
        ['tenant_access_token', { code: 0, tenant_access_token: 'SECRET' }],
        ['data.token', { data: { token: 'SECRET' } }],
        ['data.accessToken', { success: true, data: { refreshToken: 'R', accessToken: 'SECRET' } }],
        ['auth.client_token', { auth: { client_token: 'SECRET', lease_duration: 60 } }],
        ['result.access_token', { success: true, result: { access_token: 'SECRET' } }],
        ['body.access_token', { status: 0, body: { access_token: 'SECRET' } }],
        ['AuthenticationResult.AccessToken', { AuthenticationResult: { AccessToken: 'SECRET' } }],
        ['data.login.token', { data: { login: { token: 'SECRET' } }, errors: [], error: {} }],
        ['user.token', { user: { email: 'SECRET', token: 'SECRET' } }],
        ['accessJwt', { accessJwt: 'SECRET', refreshJwt: 'SECRET', handle: 'SECRET' }],
        ['status.token', { kind: 'TokenRequest', status: { token: 'SECRET', expirationTimestamp: '2026' } }],
        ['session.access_token', { user: {}, session: { access_token: 'SECRET', refresh_token: 'SECRET' } }],
        ['session.token', { status: 'pending', session: { token: 'SECRET' } }],
        ['json.access_token', { json: { access_token: 'SECRET' } }],
        ['token, id_token', { token: 'SECRET', id_token: 'SECRET' }],
      ] as [string, object][]
    ).map(([path, response]): [string, unknown, string] => [
      `the token as ${path}`,
      response,
      `${NO_TOKEN}, but ${path}: return { access_token, expires_in }`,
    ]),
    ...(
      [
        ['nothing', {}, ''],
        ['an empty error', { error: '', errors: [] }, '; it has errors'],
        ['the envelope of a server', { data: null, message: 'SECRET' }, '; it has message'],
        ['a refusal', { success: false, message: 'SECRET' }, '; it has success, message'],
        ["WeChat's error", { errcode: 40125, errmsg: 'SECRET' }, '; it has errcode, errmsg'],
        [
          "TikTok's error",
          { data: { error_code: 10007, description: 'SECRET' } },
          '; it has data.error_code, data.description',
        ],
        ['a status that is no HTTP status', { status: 2554, body: {} }, '; it has status, body'],
        ['a login that is not done', { token: null }, ''],
        ['a refresh token alone', { refresh_token: 'SECRET', expires_in: 30 }, '; it has refresh_token, expires_in'],
        ['a session that waits', { status: 'pending', session_token: 'SECRET' }, '; it has status, session_token'],
        ['a token to ask with', { loggedIn: false, csrf: { token: 'SECRET' } }, '; it has loggedIn, csrf.token'],
        [
          'a refresh token inside',
          { tokens: { refreshToken: { token: 'SECRET' } } },
          '; it has tokens.refreshToken.token',
        ],
        [
          'a getter that throws',
          {
            user: {
              get token() {
                throw new Error('SECRET');
              },
            },
          },
          '; it has user',
        ],
        ['many members', { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 }, '; it has a, b, c, d, e'],
        ['members below the third level', { a: { b: { c: { SECRET: 1 } } } }, '; it has a.b.c'],
        ['tokens by user', { tokens: { SECRET7: { token: 'SECRET' } } }, '; it has tokens'],
        ['names that may be secrets', { SECRET7: 1, [`SECRET${'x'.repeat(20)}`]: 1, 'SECRET x': 1 }, ''],
        ['a map by secrets that are all letters', { tokens: { qwSECRETzxTok: { token: 'x' } } }, '; it has tokens'],
        [
          'bytes inside',
          { payload: Buffer.alloc(5e6, 'SECRET'), list: new Array(5e6).fill('SECRET') },
          '; it has payload, list',
        ],
      ] as [string, object, string][]
    ).map(([kind, response, names]): [string, unknown, string] => [kind, response, `${NO_TOKEN}${names}`]),
    ['a token in an array', { access_token: ['SECRET'] }, 'has no access_token (an array)'],
    ['a token that is a number', { access_token: 5 }, 'has no access_token (number)'],
    ['a token that is an object', { access_token: { token: 'SECRET' } }, 'has no access_token (object)'],
    [
      'an Authorization header',
      { access_token: 'Bearer SECRET' },
      'has an access_token that no header can carry: leave "Bearer " out',
    ],
    [
      'the scheme in lower case',
      { access_token: 'bearer SECRET' },
      'has an access_token that no header can carry: leave "Bearer " out',
    ],
    [
      'a Response that is read no further',
      new Response('SECRET'),
      'has no access_token (undefined), but headers: return the parsed body, { access_token, expires_in }',
    ],
  ])('should refuse, not quote, and call a mistake of the source: %s', (_kind, value, fault) => {
    const error = failureOf(value);
    expect(error).toBeInstanceOf(InvalidTokenResponseError);
    expect(error!.message).toBe(`the token response ${fault}`);
    expect(isMarkedPermanent(error)).toBe(true);
    expect(error!.message).not.toContain('SECRET');
  });

  it.each<[string, unknown, string]>([
    ['null as token', { access_token: null }, 'has no access_token (null)'],
    [
      'a token that the source has not got yet',
      { access_token: undefined, expires_in: 30 },
      'has no access_token (undefined)',
    ],
    ['an empty token', { access_token: '' }, 'has no access_token (an empty string)'],
    [
      'a token that is not there yet',
      { access_token: '', id_token: 'SECRET' },
      'has no access_token (an empty string)',
    ],
    ['a space', { access_token: 'SECRET x' }, NOT_SENDABLE],
    ['a line break', { access_token: 'SECRET\r\nx: y' }, NOT_SENDABLE],
    ['a trailing line break', { access_token: 'SECRET\n' }, NOT_SENDABLE],
    ['NUL', { access_token: 'SECRET\0' }, NOT_SENDABLE],
    ['DEL', { access_token: 'SECRET\x7f' }, NOT_SENDABLE],
    ['Latin-1', { access_token: 'SECRETé' }, NOT_SENDABLE],
    ['more than that', { access_token: 'SECRET☕' }, NOT_SENDABLE],
  ])('should refuse, and not quote: %s', (_kind, value, fault) => {
    const error = failureOf(value);
    expect(error).toBeInstanceOf(InvalidTokenResponseError);
    expect(error!.message).toBe(`the token response ${fault}`);
    expect(isMarkedPermanent(error)).toBe(false);
  });

  it.each([
    [{ error: 'invalid_client' }, 'the token endpoint answered with the error invalid_client', undefined],
    [
      { error: 'invalid_grant', error_description: 'expired' },
      'the token endpoint answered with the error invalid_grant',
      'expired',
    ],
    [{ error: 'server_error', token: 'SECRET' }, 'the token endpoint answered with the error server_error', undefined],
    [{ error: 'slow_down', error_description: 5 }, 'the token endpoint answered with the error slow_down', undefined],
    [{ error: 'a\nb' }, 'the token endpoint answered with an error', undefined],
    [{ error: 'x'.repeat(81) }, 'the token endpoint answered with an error', undefined],
    [
      { error: 'server_error', access_token: null },
      'the token endpoint answered with the error server_error',
      undefined,
    ],
    [{ error: 'server_error', access_token: 7 }, 'the token endpoint answered with the error server_error', undefined],
  ])('should make a TokenEndpointError of %j', (value, message, description) => {
    const error = failureOf(value) as TokenEndpointError;
    expect(error).toBeInstanceOf(TokenEndpointError);
    expect([error.message, error.error, error.error_description]).toEqual([message, value.error, description]);
    expect('error_description' in error).toBe(description !== undefined);
    expect('status' in error).toBe(false);
  });

  it.each([
    'no such refresh token 9f8e7d6c5b4a',
    'invalid_token:9f8e7d6c5b4a',
    '9f8e7d6c5b4a',
    'expired refresh token swordfish',
    'too many requests with the token 9f8e7d6c5b4a',
  ])('should print only what is spelled like a code, and keep the rest for code that reads it: %s', (given) => {
    for (const value of [{ error: given }, { error: given, statusCode: 400 }, { errors: [{ code: given }] }]) {
      const error = failureOf(value) as TokenEndpointError;
      expect(error.message).toMatch(/^the token endpoint answered( 400)? with an error$/);
      if (value.error) expect(error.error).toBe(given);
      expect(inspect(error, { showHidden: true }) + JSON.stringify(error)).not.toContain(given);
    }
  });

  it.each(['invalid_grant', 'PERMISSION_DENIED', 'E0000011', 'AADSTS50196', 'com.amazon#NotAuthorized', 'bad-request'])(
    'should print %s',
    (code) => {
      const error = failureOf({ error: code }) as TokenEndpointError;
      expect([error.message, JSON.parse(JSON.stringify(error))]).toMatchObject([
        `the token endpoint answered with the error ${code}`,
        { error: code },
      ]);
    },
  );

  it.each([
    { errors: [{ message: 'SECRET' }] },
    { errors: ['SECRET'] },
    { errors: [{ code: 5 }] },
    { errors: { email: ['SECRET'] } },
    { errors: [{ message: 'SECRET', extensions: { code: 'BAD_USER_INPUT' } }], data: null },
    { error: true, message: 'SECRET' },
    { error: { code: -32500, message: 'SECRET' } },
    { error: { code: 200, message: 'SECRET' } },
    { error: true, status: 200 },
  ])('should make a permanent TokenEndpointError of a body with an error that has no code: %j', (body) => {
    const error = failureOf(body);
    expect(error).toBeInstanceOf(TokenEndpointError);
    expect(error!.message).toBe('the token endpoint answered with an error');
    expect(isPermanentFailure(error)).toBe(true);
  });

  it.each([
    { errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] },
    { error: { is_transient: true } },
    { error: true, status: 503 },
    { error: { code: 503 } },
    { ok: false, error: 'ratelimited' },
    { status: 429 },
  ])('should leave it temporary if the body says so: %j', (body) => {
    expect(isPermanentFailure(failureOf(body))).toBe(false);
  });

  it.each([
    [{ status: 401, message: 'SECRET' }, 401, 'the token endpoint answered 401'],
    [{ statusCode: 403 }, 403, 'the token endpoint answered 403'],
    [{ status: 503, title: 'SECRET' }, 503, 'the token endpoint answered 503'],
    [{ ok: false, status: 503, json: () => ({}) }, 503, 'the token endpoint answered 503'],
    [{ statusCode: 401, error: 'Unauthorized' }, 401, 'the token endpoint answered 401 with the error Unauthorized'],
  ])('should read the status that a body repeats: %j', (value, status, message) => {
    const error = failureOf(value) as TokenEndpointError;
    expect(error).toBeInstanceOf(TokenEndpointError);
    expect([error.message, error.status]).toEqual([message, status]);
  });
});

describe('what clients give that do not throw', () => {
  it.each<[string, Error]>([
    ['of fetch', new TypeError('fetch failed')],
    ['of a timeout', new DOMException('no', 'TimeoutError')],
    ["Node's", Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })],
    ["Supabase's", Object.assign(new Error('Failed to fetch'), { status: 0 })],
    ["urql's", Object.assign(new Error('no'), { graphQLErrors: [], networkError: new TypeError('Failed to fetch') })],
    ['of a server in trouble', Object.assign(new Error('no'), { status: 503 })],
  ])('should be judged as if it was thrown: %s', (_what, error) => {
    expect(failureOf({ data: null, error, response: undefined })).toBe(error);
    expect(isPermanentFailure(error)).toBe(false);
  });

  it.each<[string, (error: Error) => object]>([
    ['alone', (error) => error],
    ['in a list', (error) => ({ error: [error] })],
    ['among errors', (error) => ({ data: null, errors: [{ message: 'x' }, error] })],
  ])('should be thrown wherever the error is: %s', (_where, put) => {
    const error = new TypeError('fetch failed');
    expect(failureOf(put(error))).toBe(error);
  });

  it.each<object>([
    { access_token: null, error: { message: 'session not ready' } },
    { access_token: '', errors: ['down'] },
    { access_token: undefined, error: true },
  ])('should be temporary while the token is empty: %j', (response) => {
    expect(isPermanentFailure(failureOf(response))).toBe(false);
  });

  it('should be permanent, where the error says so', () => {
    const error = Object.assign(new Error('no'), { status: 400, code: 'invalid_grant' });
    expect(isPermanentFailure(failureOf({ data: null, error }))).toBe(true);
  });

  it.each([0, 'FETCH_ERROR', 'PARSING_ERROR'])('should be temporary with the status %j: no answer came', (status) => {
    const error = failureOf({ data: null, error: { status, error: 'TypeError: SECRET', message: 'SECRET' } });
    expect(error).toBeInstanceOf(TokenEndpointError);
    expect(error!.message).toBe('the token endpoint did not answer');
    expect(isPermanentFailure(error)).toBe(false);
  });
});

describe('a body that says that the server is in trouble', () => {
  it.each<object>([
    { errors: [{ status: '503' }] },
    { errorCode: 503 },
    { status_code: '503' },
    { status: '503 Service Unavailable' },
    { errors: [{ title: 'x' }, { status: 503 }] },
    { error: '404', status: 503 },
    { data: null, errors: [{ message: 'x', extensions: { http: { status: 503 } } }] },
    { data: null, errors: [{ message: 'x', extensions: { code: 'DOWNSTREAM', response: { status: 503 } } }] },
    { errors: [{ extensions: { statusCode: 503 } }] },
    { status: '503' },
    { statusCode: '503', message: 'x' },
    { code: '429' },
    { error: 503 },
    { error: '503' },
    { error: { code: '503' } },
    { status: 'UNAVAILABLE' },
    { error: { type: 'rate_limit_error', message: 'x' } },
    { error: { type: 'overloaded_error' } },
  ])('should be temporary: %j', (body) => {
    expect(isPermanentFailure(failureOf(body))).toBe(false);
  });

  it.each<object>([
    { code: '400' },
    { error: { type: 'invalid_request_error' } },
    { status: 'error' },
    { status: 'FORBIDDEN' },
    { errors: [{ status: '401' }] },
    { errors: [{ status: '5031' }] },
    { error: true, code: Object.create(null) as object },
  ])('should be permanent: %j', (body) => {
    expect(isPermanentFailure(failureOf(body))).toBe(true);
  });
});

describe('isFetchResponse', () => {
  it.each<[string, unknown, boolean]>([
    ['a Response', new Response(null), true],
    ['that of a ponyfill', { status: 200, headers: new Map(), text: () => '' }, true],
    ['a token response', { access_token: 'a' }, false],
    ['a token response with odd members', { access_token: 'a', status: 200, headers: {}, text: 'x' }, false],
    ["axios' response", { status: 200, headers: { get: () => null }, data: {} }, false],
    ['undefined', undefined, false],
    ['null', null, false],
    ['a string', 'x', false],
  ])('should judge %s', (_kind, value, is) => {
    expect(isFetchResponse(value)).toBe(is);
  });
});

describe('readFetchResponse', () => {
  const failure = (response: Response) =>
    readFetchResponse(response, NEVER).then(fail, (error: unknown) => error as Error);
  const fail = () => {
    throw new Error('it was read');
  };

  it.each([200, 201, 203])('should give the body of a %i', async (status) => {
    const body = { access_token: 'a', expires_in: 30 };
    await expect(readFetchResponse(new Response(JSON.stringify(body), { status }), NEVER)).resolves.toEqual(body);
  });

  it.each<[string, number, string | null, object, string]>([
    [
      'the OAuth error',
      400,
      '{"error":"invalid_grant","error_description":"old"}',
      { status: 400, error: 'invalid_grant', error_description: 'old' },
      'the token endpoint answered 400 with the error invalid_grant',
    ],
    ['JSON of another kind', 401, '{"message":"SECRET"}', { status: 401 }, 'the token endpoint answered 401'],
    ['a page', 401, '<h1>SECRET</h1>', { status: 401 }, 'the token endpoint answered 401'],
    ['nothing', 503, null, { status: 503 }, 'the token endpoint answered 503'],
    ['null', 500, 'null', { status: 500 }, 'the token endpoint answered 500'],
    ['a list', 500, '["SECRET"]', { status: 500 }, 'the token endpoint answered 500'],
  ])('should say what the endpoint said, and quote no body: %s', async (_kind, status, body, fields, message) => {
    const error = await failure(new Response(body, { status, headers: { 'retry-after': '7' } }));
    expect(error).toBeInstanceOf(TokenEndpointError);
    expect(error).toMatchObject({ ...fields, message });
    expect(Object.keys(error)).not.toContain('headers');
    expect((error as { headers?: Headers }).headers?.get('retry-after')).toBe('7');
    expect(JSON.stringify(error)).not.toContain('SECRET');
  });

  it.each<[string, number, object, boolean]>([
    ['a page after a redirect', 200, { redirected: true }, true],
    ['a redirect that a browser hides', 200, { status: 0 }, true],
    ['a redirect that is not followed', 303, {}, true],
    ['a page without a redirect', 200, {}, false],
    ['nothing new', 304, {}, false],
    ['a page after a redirect, which says that the server failed', 503, { redirected: true }, false],
  ])('should know that a sign-in page may be in the place of a token: %s', async (_kind, status, fields, is) => {
    const response = new Response(status === 304 ? null : '<!doctype html>', {
      status,
      headers: { 'content-type': 'text/html' },
    });
    for (const [name, value] of Object.entries(fields)) Object.defineProperty(response, name, { value });
    const error = await failure(response);
    expect(isMarkedPermanent(error)).toBe(is);
    expect(error.message.includes('redirected, perhaps to its sign-in page')).toBe(is);
  });

  it('should say that a page cannot read an answer in the mode no-cors', async () => {
    const opaque = { status: 0, type: 'opaque', headers: new Headers(), text: () => Promise.resolve('') };
    const error = await failure(opaque as unknown as Response);
    expect([isMarkedPermanent(error), error.message]).toEqual([true, expect.stringContaining('"no-cors"')]);
  });

  it('should read a success without a token as a failure if it asks for a later try', async () => {
    const headers = { 'retry-after': '7' };
    const error = await failure(Response.json({ state: 'pending' }, { headers }));
    expect(error).toMatchObject({ message: 'the token endpoint answered 200', status: 200 });
    expect([isPermanentFailure(error), retryAfterOf(error, 0)]).toEqual([false, 7000]);
    expect(await failure(Response.json({ data: { token: 'SECRET' } }, { headers }))).toMatchObject({
      message: 'the token endpoint answered 200, but data.token: return { access_token, expires_in }',
    });
    const body = { access_token: 'a' };
    await expect(readFetchResponse(Response.json(body, { headers }), NEVER)).resolves.toEqual(body);
    const older = await failure(Response.json({ state: 'pending' }, { headers: { 'x-retry-after': '7' } }));
    expect([isPermanentFailure(older), retryAfterOf(older, 0)]).toEqual([false, 7000]);
    const last = Response.json({ state: 'refused' }, { headers: { 'x-ratelimit-remaining': '0' } });
    await expect(readFetchResponse(last, NEVER)).resolves.toEqual({ state: 'refused' });
  });

  it.each([
    'QWxhZGRpbjpvcGVuIHNlcw==',
    'abcdefghijklmnop=',
    '%53ECRET=',
    '504-gateway-timeout',
    'ERROR_503_MAINTENANCE',
  ])('should take a text of one word for no form and no token, and not quote it: %j', async (text) => {
    const error = await failure(new Response(text));
    expect(error.message).toBe('the token endpoint answered 200 with a body that is not JSON');
    expect(isMarkedPermanent(error)).toBe(false);
  });

  it.each(['eyJhbGciOiJIUzI1NiJ9.e30.c2ln', 'eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn\n'])(
    'should say that a text may be the token, and not quote it: %j',
    async (text) => {
      const error = await failure(new Response(text));
      expect(error.message).toBe(
        'the token endpoint answered 200 with a body that is not JSON, perhaps the token itself: ' +
          'make { access_token, expires_in } of it',
      );
      expect(isMarkedPermanent(error)).toBe(true);
    },
  );

  it('should read a token after a redirect', async () => {
    const response = new Response('{"access_token":"a"}', { headers: { 'content-type': 'text/html' } });
    Object.defineProperty(response, 'redirected', { value: true });
    await expect(readFetchResponse(response, NEVER)).resolves.toEqual({ access_token: 'a' });
  });

  it.each([
    [204, null, true],
    [200, '', false],
    [200, ' \n', false],
  ])('should call an empty body a mistake of the source if its status says so: %i %j', async (status, body, final) => {
    const error = await failure(new Response(body, { status }));
    expect(error.message).toBe(`the token endpoint answered ${String(status)} with an empty body`);
    expect(error).toBeInstanceOf(InvalidTokenResponseError);
    expect(isMarkedPermanent(error)).toBe(final);
  });

  it.each(['<h1>SECRET</h1>', 'access_token: SECRET', '{"access_token":"SECRET', 'ServiceUnavailable', 'error 503'])(
    'should neither read nor quote a body that is not JSON: %s',
    async (body) => {
      const error = await failure(new Response(body));
      expect(error).toBeInstanceOf(InvalidTokenResponseError);
      expect(error.message).toBe('the token endpoint answered 200 with a body that is not JSON');
      expect(error.cause).toBeUndefined();
      expect(isMarkedPermanent(error)).toBe(false);
    },
  );
});

describe('isMarkedPermanent', () => {
  it('should tell the mistakes of a source from all other failures', () => {
    expect(isMarkedPermanent(permanentError('no'))).toBe(true);
    for (const other of [new InvalidTokenResponseError('no'), new TypeError('no'), 'no', undefined, null])
      expect(isMarkedPermanent(other)).toBe(false);
  });
});
