import { InvalidTokenResponseError, TokenEndpointError } from '../../src/errors.js';
import { isPermanentFailure } from '../../src/answers/isPermanentFailure.js';
import {
  clockSkewOf,
  mediaTypeOf,
  retryAfterIn,
  tokenResponseOf,
  type Answer,
} from '../../src/oauth/endpoint/answer.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const at = (offset: number) => new Date(NOW + offset).toUTCString();

describe('retryAfterIn', () => {
  it('should read when a rate limit ends', () => {
    const headers = new Headers({ 'x-rate-limit-reset': String(NOW / 1000 + 60) });
    expect([429, 503].map((status) => retryAfterIn({ status, headers }, NOW))).toEqual([60_000, undefined]);
  });

  it('should not wait for the end of a limit after a refusal that no wait helps', () => {
    const headers = new Headers({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' });
    expect([true, false].map((isFinal) => retryAfterIn({ status: 400, headers }, NOW, isFinal))).toEqual([
      undefined,
      60_000,
    ]);
  });

  it.each<[string, Record<string, string>, number | undefined]>([
    ['nothing', {}, undefined],
    ['seconds', { 'retry-after': '120' }, 120_000],
    ['zero', { 'retry-after': '0' }, 0],
    ['a fraction', { 'retry-after': '0.5' }, 500],
    ['a date by our clock when the server tells no other', { 'retry-after': at(30_000) }, 30_000],
    ['a date by the clock of the server that wrote it', { 'retry-after': at(630_000), date: at(600_000) }, 30_000],
    ['a date that has passed', { 'retry-after': at(-1000) }, 0],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['a number that is not one of seconds', { 'retry-after': '1e9' }, undefined],
    ['an endless number', { 'retry-after': '9'.repeat(400) }, Number.MAX_SAFE_INTEGER],
    ['words', { 'retry-after': 'Soon' }, undefined],
  ])('should read %s', (_what, headers, expected) => {
    expect(retryAfterIn({ status: 503, headers: new Headers(headers) }, NOW)).toBe(expected);
  });
});

/** The token, or the error that the answer is judged to be. */
function judged(answer: Partial<Answer>): unknown {
  const usual = { name: 'it answered', status: 200, headers: new Headers(), body: '', received: NOW };
  try {
    return tokenResponseOf({ ...usual, ...answer });
  } catch (failure) {
    return failure;
  }
}

const refusalOf = (error: string, error_description: string) =>
  judged({ status: 400, body: JSON.stringify({ error, error_description }) }) as TokenEndpointError;

describe('tokenResponseOf', () => {
  const failureOf = (status: number, body: string, headers = {}): unknown =>
    judged({ status, headers: new Headers(headers), body });

  it.each<[number, string, boolean]>([
    [204, '', true],
    [200, '', false],
    [200, ' \r\n', false],
    [200, '<p>down</p>', false],
    [200, '{"access_token":', false],
    [200, '{"access_token":null}', false],
    [200, '{"access_token":""}', false],
    [200, '{"access_token":7}', true],
    [200, 'null', true],
    [200, '[]', true],
    [200, '{}', true],
    [200, '{"success":false,"message":"Invalid credentials"}', true],
    [200, '{"errcode":40125,"errmsg":"invalid appsecret"}', true],
    [200, '{"id_token":"a.b.c"}', true],
    [201, '{"data":{"access_token":"a"}}', true],
    [200, 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln', true],
    [200, 'ServiceUnavailable', false],
    [200, '504-gateway-timeout', false],
    [200, 'QWxhZGRpbjpvcGVuIHNlcw==', false],
  ])('should ask again for a token that an answer lacks only if it may come: %i %j', (status, text, isFinal) => {
    const failure = failureOf(status, text);
    expect(failure).toBeInstanceOf(InvalidTokenResponseError);
    expect(isPermanentFailure(failure)).toBe(isFinal);
  });

  it.each<[string, boolean]>([
    ['{"errors":[{"message":"Please enter valid credentials"}],"data":null}', true],
    ['{"errors":{"email":["or password is invalid"]}}', true],
    ['{"error":{"code":-32500,"message":"Application error."}}', true],
    ['{"error":true,"message":"Invalid credentials"}', true],
    ['{"error":"Client is unknown"}', true],
    ['{"code":401,"message":"no"}', true],
    ['{"error":"server_error"}', false],
    ['{"error":"internal_failure"}', false],
    ['{"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}', false],
    ['{"status":503}', false],
    ['{"error":{"code":503}}', false],
    ['{"code":429,"message":"slow"}', false],
    ['{"ok":false,"error":"ratelimited"}', false],
  ])('should judge an error in a success like one in a 400: %s', (text, isFinal) => {
    const failure = failureOf(200, text);
    expect(failure).toBeInstanceOf(TokenEndpointError);
    expect(isPermanentFailure(failure)).toBe(isFinal);
  });

  it('should ask again, when a success without a token says so, and not before', () => {
    const failure = failureOf(200, '{"state":"pending"}', { 'retry-after': '7' });
    expect(failure).toMatchObject({ error: 'temporarily_unavailable', retryAfter: 7000 });
    expect(isPermanentFailure(failure)).toBe(false);
    expect(failureOf(200, '{"state":"pending"}', { 'x-retry-after': '7' })).toMatchObject({ retryAfter: 7000 });
    expect(isPermanentFailure(failureOf(200, '{"state":"pending"}', { 'x-retry-after': '7' }))).toBe(false);
    expect(failureOf(200, '{"token":"SECRET"}', { 'retry-after': '7' })).toMatchObject({
      message:
        'it answered (temporarily_unavailable), but token: give a "fetch" that returns { access_token, expires_in }',
    });
    const refused = failureOf(200, '{"success":false}', { 'ratelimit-remaining': '0' });
    expect(isPermanentFailure(refused)).toBe(true);
  });

  it.each([
    ['unsupported_grant_type', 'unsupported_grant_type'],
    ['invalid_scope', 'invalid_scope'],
    ['invalid_target', 'invalid_target'],
    ['unauthorized_client', 'invalid_grant'],
  ])('should take %s that speaks of the refresh token for %s', (error, expected) => {
    expect(refusalOf(error, 'refresh_token is invalid')).toMatchObject({ error: expected });
  });

  it.each([
    ['invalid_grant', 'token request is already being processed'], // Salesforce
    ['invalid_grant', 'login rate exceeded'], // Salesforce
    ['invalid_grant', 'AADSTS50196: The server terminated an operation: a loop of requests'], // Entra
    ['invalid_grant', 'Rate limit exceeded: access_token not expired'], // Exact
    ['invalid_request', 'because of multiple concurrent requests using the same token which is not allowed.'], // Hydra
    ['invalid_request', 'includes an invalid parameter. Failed to refresh token. Please retry the request.'], // Hydra
    ['unauthorized_client', 'AADSTS90055: There are too many incoming requests.'], // Entra
    ['unknown_error', 'retry your request'],
    ['Access Denied', 'You have made too many requests continuously. Please try again after some time.'], // Zoho
    ['access_denied', 'Rate limit exceeded: access_token not expired'], // Exact
    ['invalid_request', 'Temporarily throttled, too many requests'], // Entra
    ['invalid_client', 'Too Many Requests'],
  ])('should take %s for temporary if its description asks for another try: %s', (error, description) => {
    const failure = refusalOf(error, description);
    expect(failure).toMatchObject({ error: 'temporarily_unavailable' });
    expect(isPermanentFailure(failure)).toBe(false);
    expect(failure.message).not.toContain(description);
  });

  it.each([
    ['invalid_grant', 'Token revoked after too many requests', 'invalid_grant'],
    ['invalid_grant', 'The token has expired, and the rate limit is reached', 'invalid_grant'],
    ['invalid_grant', 'Refresh token used by concurrent requests', 'invalid_grant'],
    ['invalid_grant', 'The refresh token is expired. Rate limit: 10', 'invalid_grant'],
    ['invalid_grant', 'Refresh token already used: rate limit of retries', 'invalid_grant'],
    ['invalid_grant', 'Too many refresh requests: oldest token invalidated', 'invalid_grant'],
    ['unauthorized_client', 'The session is extended', 'unauthorized_client'],
    ['unauthorized_client', 'sessionEnded', 'invalid_grant'],
    ['slow_down', 'too many requests', 'slow_down'],
    ['access_denied', 'The user has limited access', 'access_denied'],
    ['use_dpop_nonce', 'rate limit', 'use_dpop_nonce'],
  ])('should leave %s as it is: %s', (error, description, expected) => {
    expect(refusalOf(error, description)).toMatchObject({ error: expected });
  });
});

it.each<[number, string, number | undefined]>([
  [400, '{"error":"invalid_grant"}', undefined],
  [400, '{"message":"The refresh token is invalid"}', undefined],
  [401, '{"error":"invalid_token","error_description":"session expired"}', undefined],
  [200, '{"error":"x_y"}', undefined],
  [400, '{"error":"slow_down"}', 60_000],
  [429, '{}', 60_000],
])('should wait for the end of a limit only where that helps: %i %s', (status, body, expected) => {
  const headers = new Headers({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '60' });
  const failure = judged({ status, headers, body });
  expect((failure as TokenEndpointError).retryAfter).toBe(expected);
});

it.each(['{"access_token":null,"error":{"message":"session not ready"}}', '{"access_token":"","errors":["down"]}'])(
  'should ask again for a token that is empty yet: %s',
  (body) => {
    expect(isPermanentFailure(judged({ body }))).toBe(false);
  },
);

it('should not take the page of a firewall for one that asks for a sign-in, whatever it says of a session', () => {
  const body = '<!doctype html><html><body>Your VPN session has expired</body></html>';
  expect(judged({ status: 403, body })).toMatchObject({ error: 'temporarily_unavailable' });
});

describe('mediaTypeOf', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON; charset=utf-8', 'application/json'],
    ['application/problem+json', 'application/problem+json'],
    ['text/html; charset=utf-8', 'text/html'],
    ['', 'no content type'],
    ['text/the-client-secret-5d41402a', 'an unusual content type'],
    ['text/html and the secret', 'an unusual content type'],
    [`text/${'x'.repeat(61)}`, 'an unusual content type'],
  ])('should show of %j only %j', (value, expected) => {
    expect(mediaTypeOf(new Headers({ 'content-type': value }))).toBe(expected);
  });
});

describe('clockSkewOf', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['yesterday', undefined],
    [at(0), 0],
    [at(600_000), 600],
    [at(-600_000), -600],
  ])('should read from the date %j that the server is %p seconds ahead', (date, expected) => {
    expect(clockSkewOf({ headers: new Headers(date === undefined ? {} : { date }), received: NOW })).toBe(expected);
  });

  it('should round down, so that nothing is signed with a time that the server has not reached', () => {
    expect(clockSkewOf({ headers: new Headers({ date: at(0) }), received: NOW + 1200 })).toBe(-2);
  });
});
