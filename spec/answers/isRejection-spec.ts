import { TokenEndpointError, TokenUnavailableError } from '../../src/errors.js';
import { isAcceptance, kindOfRejection, isRejection, looksLikeResponse } from '../../src/answers/isRejection.js';

const answered = (status: number, challenge?: string) =>
  new Response(null, { status, headers: challenge === undefined ? {} : { 'www-authenticate': challenge } });
/** The claims that Entra asks for. */
const claims = (accessToken: unknown, forUrls = false) => {
  const encoded = btoa(JSON.stringify({ access_token: accessToken }));
  return forUrls ? encoded.replaceAll('+', '-').replaceAll('/', '_') : encoded;
};
/** What axios throws. */
const axiosLike = (status: number, challenge?: string) =>
  Object.assign(new Error('rejected'), { response: { status, headers: { 'www-authenticate': challenge } } });
/** What RxJS' ajax throws. */
const ajaxLike = (status: number, challenge?: string) =>
  Object.assign(new Error('rejected'), {
    status,
    response: 'text',
    xhr: { getResponseHeader: (name: string) => (name === 'www-authenticate' ? (challenge ?? null) : null) },
  });

const kinds: [string, (status: number, challenge?: string) => unknown][] = [
  ['a Response', answered],
  ["axios' error", axiosLike],
  ["ajax' error", ajaxLike],
];

describe.each(kinds)('%s', (_kind, make) => {
  it.each<[number, string | undefined, boolean, boolean]>([
    [401, undefined, true, true],
    [401, 'Bearer error="insufficient_scope"', false, true],
    [
      401,
      'Bearer realm="https://auth.example/token",scope="repository:a:push",error="insufficient_scope"',
      false,
      true,
    ],
    [401, 'Bearer error="insufficient_scope", Bearer error="invalid_token"', true, true],
    [401, 'Bearer realm="insufficient_scope"', true, true],
    [401, 'Bearer error="insufficient_user_authentication", acr_values="mfa"', false, true],
    [401, 'Bearer realm="", error="insufficient_claims", claims="e30="', false, true],
    [
      401,
      `Bearer error="insufficient_claims", claims="${claims({ acrs: { essential: true, value: 'c1' } })}"`,
      false,
      true,
    ],
    [
      401,
      `Bearer error="insufficient_claims", claims="${claims({ nbf: { essential: true, value: '1' } })}"`,
      true,
      true,
    ],
    [401, `Bearer claims=${claims({ nbf: { value: '1' } })}, error=insufficient_claims`, true, true],
    [
      401,
      `Bearer error="insufficient_claims", error_description="claims = none", claims="${claims({ nbf: 1 })}"`,
      true,
      true,
    ],
    [
      401,
      `Bearer error="insufficient_claims", claims="${claims({ acrs: 1 })}", PoP claims="${claims({ nbf: 1 })}"`,
      true,
      true,
    ],
    [401, `Bearer error="insufficient_claims", claims="${claims({ a: '~~~???', nbf: 1 }, true)}"`, true, true],
    [401, 'Bearer error="insufficient_claims", claims="%"', false, true],
    [401, 'DPoP error="use_dpop_nonce"', false, true],
    [401, 'DPoP error="use_dpop_nonce", Bearer error="invalid_token"', true, true],
    [403, 'Bearer error=insufficient_user_authentication', false, false],
    [403, undefined, true, false],
    [403, 'Bearer error="invalid_token"', true, true],
    [403, 'Bearer realm="x", error=invalid_token', true, true],
    [403, 'bearer ERROR = "INVALID_TOKEN"', true, true],
    [403, 'Bearer error="insufficient_scope", scope="admin"', false, false],
    [403, 'Bearer realm="x", error=insufficient_scope', false, false],
    [403, 'bearer Error="Insufficient_Scope"', false, false],
    [403, 'Bearer error = "insufficient_scope"', false, false],
    [403, "Bearer realm='x', error='insufficient_scope'", false, false],
    [401, "DPoP error='use_dpop_nonce'", false, true],
    [403, "Bearer error='invalid_token'", true, true],
    [403, 'Bearer error="", error_description="insufficient_scope"', true, false],
    [403, 'Bearer realm="insufficient_scope"', true, false],
    [403, 'Bearer error="insufficient_scopes"', true, false],
    [403, 'Bearer my_error="insufficient_scope"', true, false],
    [403, 'Bearer error="invalid_tokens"', true, false],
    [400, undefined, false, true],
    [402, undefined, false, true],
    [404, undefined, false, true],
    [407, undefined, false, true],
    [500, undefined, false, true],
    [200, undefined, false, true],
  ])('with status %i and challenge %p: rejection %p, explicit %p', (status, challenge, rejection, explicit) => {
    expect([isRejection(make(status, challenge)), kindOfRejection(make(status, challenge))]).toEqual([
      rejection,
      explicit ? 'explicit' : 'bare',
    ]);
  });
});

it('should see the rejection in an answer that has a statusCode', () => {
  const answer = { statusCode: 401, headers: {}, body: null };
  expect([looksLikeResponse(answer), isRejection(answer), isAcceptance(answer)]).toEqual([true, true, false]);
});

it.each([
  [
    'invalid_token beside a Retry-After',
    { 'www-authenticate': 'Bearer error="invalid_token"', 'retry-after': '1' },
    true,
  ],
  ['a rate limit that is empty', { 'x-ratelimit-remaining': '' }, true],
  ['a rate limit that is used up', { 'x-ratelimit-remaining': '0' }, false],
])('should judge a 403 with %s', (_what, headers, is) => {
  expect(isRejection(new Response(null, { status: 403, headers }))).toBe(is);
});

it('should read headers of a record in any case', () => {
  expect(isRejection({ status: 403, headers: { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' } })).toBe(
    false,
  );
});

describe('isRejection', () => {
  it.each<[string, unknown, boolean]>([
    ['a bare status', { status: 401 }, true],
    ['the status before the one of the response', { status: 500, response: { status: 401 } }, false],
    ['the status of the response, where its own is no number', { status: 'error', response: { status: 401 } }, true],
    ['a status that is a string', { status: '401' }, false],
    ['an Error', new Error('401'), false],
    ['a number', 401, false],
    ['a string', '401', false],
    ['null', null, false],
    ['undefined', undefined, false],
    ['a response that is no object', { response: 401 }, false],
    ['an error that wraps a 401', new Error('no orders', { cause: axiosLike(401) }), true],
    ['an error that wraps an error that wraps a 403', new Error('no', { cause: { cause: { status: 403 } } }), true],
    ['an error that wraps a 503', new Error('no orders', { cause: axiosLike(503) }), false],
    [
      'an error with a status of its own',
      Object.assign(new Error('no', { cause: { status: 401 } }), { status: 500 }),
      false,
    ],
    ['another stream whose source got a 401', new TokenUnavailableError('no', { cause: { status: 401 } }), false],
    [
      'an error that wraps the 401 of a source',
      new Error('no', { cause: new TokenEndpointError('no', { status: 401 }) }),
      false,
    ],
    ['an error with several errors below it', Object.assign(new Error('no'), { errors: [{ status: 401 }] }), false],
    ['a row of data with a status', { data: { httpStatus: 401 }, response: { status: 201, headers: {} } }, false],
    [
      'an error that wraps it',
      new Error('no', { cause: new TokenUnavailableError('no', { cause: { status: 401 } }) }),
      false,
    ],
  ])('should judge %s', (_kind, outcome, rejection) => {
    expect(isRejection(outcome)).toBe(rejection);
  });
});

it('should take a 403 below an error for as explicit as it is', () => {
  const wrap = (cause: unknown) => new Error('no orders', { cause });
  const challenge = 'Bearer error="invalid_token"';
  expect([wrap(axiosLike(403)), wrap(axiosLike(403, challenge))].map(kindOfRejection)).toEqual(['bare', 'explicit']);
});

it.each(['insufficient_scope', 'invalid_token'])('should read the challenge that API Gateway renames: %s', (error) => {
  const headers = { 'x-amzn-remapped-www-authenticate': `Bearer error="${error}"` };
  const result = new Response(null, { status: 403, headers });
  expect([isRejection(result), kindOfRejection(result)]).toEqual(
    error === 'invalid_token' ? [true, 'explicit'] : [false, 'bare'],
  );
});

describe('a 403 with a body that can be read', () => {
  it.each<[unknown, boolean]>([
    [{ error: { code: 403, errors: [{ reason: 'userRateLimitExceeded' }] } }, false],
    [{ error: { code: 403, status: 'RESOURCE_EXHAUSTED' } }, false],
    [{ error: 'insufficient_scope' }, false],
    ['{"error":"insufficient_scope"}', false],
    [{ error: 'token_timeout' }, true],
    [[{ errorCode: 'REQUEST_LIMIT_EXCEEDED' }], false],
    [{ error: { code: 403, errors: [{ reason: 'forbidden' }] } }, true],
    [{ error: 'Forbidden' }, true],
    [{ error: 'access_denied' }, true],
    ['<html>', true],
    [null, true],
  ])('should be judged by its code: %j', (body, rejection) => {
    const headers = {};
    expect(isRejection({ response: { status: 403, headers, data: body } })).toBe(rejection);
    expect(isRejection({ status: 403, headers, data: body })).toBe(rejection);
    expect(isRejection({ name: 'HttpErrorResponse', status: 403, headers, error: body })).toBe(rejection);
  });

  it('should count as a rejection with a 401 or invalid_token, whatever the body says', () => {
    const data = { error: 'rate_limit_exceeded' };
    expect(isRejection({ status: 401, headers: {}, data })).toBe(true);
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' };
    expect(isRejection({ status: 403, headers, data })).toBe(true);
  });
});

describe('a 403 that limits the rate of requests', () => {
  const limited = (headers: Record<string, string>, status = 403) => new Response(null, { status, headers });

  it.each<[object, boolean]>([
    [{ 'retry-after': '60' }, false],
    [{ 'Retry-After': 'Fri, 31 Dec 1999 23:59:59 GMT' }, false],
    [{ 'retry-after': '' }, false],
    [{ 'x-ratelimit-remaining': '0' }, false],
    [{ 'ratelimit-remaining': ' 0 ' }, false],
    [{ 'x-ratelimit-remaining': '0.0' }, false],
    [{ 'x-ratelimit-remaining': '0.5' }, true],
    [{ 'ratelimit-remaining': '0;w=60' }, false],
    [{ ratelimit: 'limit=100, remaining=0, reset=5' }, false],
    [{ ratelimit: 'limit=100 remaining=0 reset=5' }, false],
    [{ ratelimit: 'limit=100, remaining=0.5, reset=5' }, true],
    [{ 'x-ratelimit-remaining': '05' }, true],
    [{ 'x-ratelimit-remaining': '0.00, 5' }, false],
    [{ 'retry-after': '60', 'x-ratelimit-remaining': '0' }, false],
    [{ 'x-ratelimit-remaining': '7' }, true],
    [{ 'x-ratelimit-remaining': 'none' }, true],
    [{ 'x-ratelimit-limit': '0' }, true],
  ])('should be no rejection: %j', (headers, rejection) => {
    expect(isRejection(limited(headers as Record<string, string>))).toBe(rejection);
    expect(isRejection({ response: { status: 403, headers } })).toBe(rejection);
  });

  it('should be a rejection all the same with a 401', () => {
    expect(isRejection(limited({ 'retry-after': '60' }, 401))).toBe(true);
  });
});

describe('isAcceptance', () => {
  it.each<[string, unknown, boolean]>([
    ['a 200', answered(200), true],
    ['a 304', answered(304), true],
    ['a 404', answered(404), false],
    ['a 401', answered(401), false],
    ['a 502 of a gateway', answered(502), false],
    ['a data row', { status: 500 }, true],
    ['what openapi-fetch gives of a 500', { error: 'no', response: answered(500) }, false],
    ['what openapi-fetch gives of a 200', { data: 'ok', response: answered(200) }, true],
    ['a body', 'ok', true],
    ['nothing', undefined, true],
  ])('should judge %s', (_kind, outcome, accepts) => {
    expect(isAcceptance(outcome)).toBe(accepts);
  });
});

describe('looksLikeResponse', () => {
  it.each<[string, unknown, boolean]>([
    ['a Response', answered(401), true],
    ['what has a status and headers', { status: 401, headers: {} }, true],
    ['a data row', { status: 403 }, false],
    ['a data row with headers as text', { status: 403, headers: 'none' }, false],
    ['a data row with null headers', { status: 403, headers: null }, false],
    ['a status in words', { status: 'rejected', headers: {} }, false],
    ['a string', 'x', false],
    ['null', null, false],
    ['undefined', undefined, false],
  ])('should judge %s', (_kind, value, looks) => {
    expect(looksLikeResponse(value)).toBe(looks);
  });
});
