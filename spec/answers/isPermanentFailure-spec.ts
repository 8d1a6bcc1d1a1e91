import {
  InvalidTokenResponseError,
  OriginNotAllowedError,
  TokenEndpointError,
  TokenFetchTimeoutError,
  TokenStoreError,
  TokenStreamClosedError,
  TokenUnavailableError,
} from '../../src/errors.js';
import { isPermanentFailure, retryAfterOf } from '../../src/answers/isPermanentFailure.js';
import { permanentError } from '../../src/answers/permanentError.js';

const NOW = Date.parse('2026-01-01T00:00:00Z');

const ownCause = new Error('no');
ownCause.cause = ownCause;

describe('isPermanentFailure', () => {
  it.each(['invalid_client', 'invalid_grant', 'unauthorized_client', 'unsupported_grant_type', 'invalid_scope'])(
    'should judge the OAuth error %s as permanent, whatever the status',
    (error) => {
      expect(isPermanentFailure(new TokenEndpointError('no', { error }))).toBe(true);
      expect(isPermanentFailure({ error })).toBe(true);
      expect(isPermanentFailure({ error, status: 503 })).toBe(true);
    },
  );

  it.each([400, 401, 403, 404, 405, 418, 422, 451, 499])('should judge the status %i as permanent', (status) => {
    expect(isPermanentFailure(Object.assign(new Error('no'), { status }))).toBe(true);
    expect(isPermanentFailure({ statusCode: status })).toBe(true);
    expect(isPermanentFailure({ response: { status } })).toBe(true);
    expect(isPermanentFailure({ response: { statusCode: status } })).toBe(true);
    expect(isPermanentFailure({ status, error: 'temporarily_unavailable' })).toBe(false);
  });

  it.each([408, 409, 410, 412, 421, 425, 429, 399, 500, 502, 503, 200, 302, 0])(
    'should judge the status %i as temporary',
    (status) => {
      expect(isPermanentFailure({ status })).toBe(false);
    },
  );

  it('should judge a nonce that is asked for as temporary: it is at hand the next time', () => {
    expect(isPermanentFailure({ status: 400, error: 'use_dpop_nonce' })).toBe(false);
  });

  it.each<[string, unknown]>([
    ['an Error without a status', new Error('invalid_client')],
    ['a TypeError of fetch', new TypeError('fetch failed')],
    ['an invalid response', new InvalidTokenResponseError('no')],
    ['another OAuth error', { error: 'temporarily_unavailable' }],
    ['an error code in another case', { error: 'Invalid_Client' }],
    ['an error that is no code', { error: [5, 'no'] }],
    ['a status that is no number', { status: '400' }],
    ['a rate limit that comes as a 400', { status: 400, error: 'rate_limit_exceeded' }],
    ['a rate limit with a code that is permanent elsewhere', { status: 429, error: 'access_denied' }],
    ['what an SDK of AWS says may be tried again', { $retryable: {}, $metadata: { httpStatusCode: 400 } }],
    ["a firewall's page", { status: 403, headers: { 'content-type': 'text/html' } }],
    ["a firewall's page in the body", { response: { status: 403, data: ' <!doctype html>' } }],
    [
      'an error of a server in words, whose status is lost',
      new TokenEndpointError('no', { error: 'Service Unavailable' }),
    ],
    ['a 500 with words', { status: 500, error: 'Internal Server Error' }],
    ['a token endpoint that said nothing of its reasons', new TokenEndpointError('no')],
    ['another stream without a token', new TokenUnavailableError('no', { cause: new Error('fetch failed') })],
    [
      'a fetch that took too long, after it had reported a failure',
      new TokenFetchTimeoutError('no', { cause: { status: 403 } }),
    ],
    ['a store that did not answer', new TokenStoreError('no', { cause: { status: 401 } })],
    ['an error that wraps a 503', new Error('no token', { cause: { status: 503, cause: { status: 400 } } })],
    ["Firebase's error of the network", { name: 'FirebaseError', code: 'auth/network-request-failed' }],
    ["Firebase's rate limit", { name: 'FirebaseError', code: 'auth/too-many-requests' }],
    ['a request that the client has cancelled', Object.assign(new Error('no'), { code: 'cancelled' })],
    ["a database's error", Object.assign(new Error('no'), { code: 402, codeName: 'ResourceExhausted' })],
    ['an error that is its own cause', ownCause],
    ['one of several endpoints that may answer later', new AggregateError([{ status: 401 }, new Error('reset')])],
    ['a string', 'invalid_client'],
    ['a number', 400],
    ['null', null],
    ['undefined', undefined],
    ['an error that React sends from a server', Object.assign(new Error('no'), { digest: '2954301385' })],
  ])('should judge as temporary: %s', (_kind, failure) => {
    expect(isPermanentFailure(failure)).toBe(false);
  });
});

describe('isPermanentFailure, wherever clients put what the server said', () => {
  it.each<[string, unknown]>([
    ['an OpenID code', { error: 'login_required' }],
    ['a dialect of invalid_grant', { error: 'bad_refresh_token' }],
    ['a list of codes', { error: ['invalid_client'] }],
    ["axios' error", { response: { status: 503, data: { error: 'invalid_client' } } }],
    ["axios' error with a body in text", { response: { status: 503, data: '{"error":"invalid_client"}' } }],
    ["got's error", { response: { statusCode: 401, body: '' } }],
    ["ky's error", { response: new Response(null, { status: 401 }) }],
    ['an error that wraps what a client threw', new Error('no token', { cause: { response: { status: 401 } } })],
    [
      'another stream that has failed permanently',
      new TokenUnavailableError('no', { cause: new TokenEndpointError('no', { error: 'invalid_client' }) }),
    ],
    ['another stream whose source is wrong', new TokenUnavailableError('no', { cause: permanentError('no') })],
    ['another stream that is closed', new TokenStreamClosedError()],
    [
      "angular-oauth2-oidc's event of another event",
      { type: 'silent_refresh_error', reason: { type: 'code_error', reason: {}, params: { error: 'login_required' } } },
    ],
    ['a URL that cannot be parsed', Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL' })],
    [
      "a URL that Node's fetch cannot parse",
      new TypeError('Failed to parse URL', { cause: Object.assign(new TypeError(), { code: 'ERR_INVALID_URL' }) }),
    ],
    ['an API key that Firebase does not know', { name: 'FirebaseError', code: 'auth/invalid-api-key' }],
    ['a request to an origin that is not allowed', new OriginNotAllowedError('no')],
    ["MSAL's error that the user must sign in", { name: 'InteractionRequiredAuthError', errorCode: 'no_such_code' }],
    ["Arctic's error", Object.assign(new Error('no'), { code: 'invalid_client' })],
    ["Feathers' error", Object.assign(new Error('no'), { code: 401, className: 'not-authenticated' })],
    ["MSAL's error that there is no account", { errorCode: 'native_account_unavailable' }],
    ["Apollo Client's error of any status", { name: 'ServerError', statusCode: 401, result: {} }],
    ["MSAL's error of a server", { name: 'ServerError', errorCode: 'invalid_resource', status: 400 }],
    ["Auth0's error that there is no refresh token", { error: 'missing_refresh_token' }],
    [
      'a 403 of AWS, which is XML',
      { response: { status: 403, headers: { 'content-type': 'text/xml' }, data: '<ErrorResponse>' } },
    ],
    ['a 403 that says nothing', { status: 403 }],
    ['all endpoints that refuse, as Promise.any tells', new AggregateError([{ status: 401 }, { status: 403 }])],
    ['a 401 with a page', { status: 401, headers: { 'content-type': 'text/html' } }],
    ['a token response with an error that is prose', new TokenEndpointError('no', { error: 'Client unknown' })],
    ['a source that returned no token response', permanentError('no')],
    ['a variable that does not exist, as fetch in jsdom', new ReferenceError('fetch is not defined')],
    ['what a page of Next.js must end with', Object.assign(new Error('no'), { digest: 'DYNAMIC_SERVER_USAGE' })],
    [
      'a redirect of Next.js',
      Object.assign(new Error('NEXT_REDIRECT'), { digest: 'NEXT_REDIRECT;replace;/login;307;' }),
    ],
  ])('should judge as permanent: %s', (_kind, failure) => {
    expect(isPermanentFailure(failure)).toBe(true);
  });
});

describe('retryAfterOf', () => {
  it.each<[string, unknown]>([
    ['retryAfter', { retryAfter: 86_400_000 }],
    ['a number of seconds', { headers: { 'retry-after': '86400' } }],
    ['a date', { headers: { 'retry-after': new Date(NOW + 86_400_000).toUTCString() } }],
  ])('should believe a server for 5 minutes at most: %s', (_kind, failure) => {
    expect(retryAfterOf(failure, NOW)).toBe(300_000);
  });

  it.each(['0x10', '1e3', '-5', 'soon', ''])('should not read a header of %p', (value) => {
    expect(retryAfterOf({ headers: { 'retry-after': value } }, NOW)).toBeUndefined();
  });

  const headers = new Headers({ 'retry-after': '7' });
  const usedUp = new Headers({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '240' });
  it.each<[string, unknown, number | undefined]>([
    ['retryAfter in ms', new TokenEndpointError('later', { retryAfter: 1500 }), 1500],
    ['retryAfter of zero', { retryAfter: 0 }, 0],
    ['the header before retryAfter, which some clients give in seconds', { retryAfter: 5, headers }, 7000],
    ['retryAfter, where the header cannot be read', { retryAfter: 5, headers: { 'retry-after': 'soon' } }, 5],
    ['the header, where retryAfter is negative', { retryAfter: -1, headers }, 7000],
    ['the header, where retryAfter is NaN', { retryAfter: NaN, headers }, 7000],
    ['the header, where retryAfter is Infinity', { retryAfter: Infinity, headers }, 7000],
    ['the header, where retryAfter is no number', { retryAfter: '5', headers }, 7000],
    ['the header of a Response', new Response(null, { status: 503, headers }), 7000],
    ['the header of the response', { response: { headers } }, 7000],
    ['the header of the cause', new Error('no', { cause: { headers, status: 503 } }), 7000],
    ['the header in a record', { headers: { 'retry-after': '7' } }, 7000],
    ['the end of a used-up limit', new Response(null, { status: 503, headers: usedUp }), 240_000],
    [
      'not that of the next request, after a refusal',
      { status: 400, error: 'invalid_scope', headers: usedUp },
      undefined,
    ],
    ['no header', new Response(null, { status: 503 }), undefined],
    ['an Error', new Error('x'), undefined],
    ['a string', '7', undefined],
    ['nothing', undefined, undefined],
  ])('should read %s', (_kind, failure, wait) => {
    expect(retryAfterOf(failure, NOW)).toBe(wait);
  });
});
