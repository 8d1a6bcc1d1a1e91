import { isCode, isTemporaryCode, requiresSignIn } from '../../src/answers/oauthErrors.js';

describe('an error code of a token endpoint', () => {
  it.each([
    'invalid_client',
    'invalid_grant',
    'unauthorized_client',
    'access_denied',
    'login_required',
    'bad_refresh_token',
    'incorrect_client_credentials',
    'session_timeout',
    'login_timeout',
  ])('should be a code, and not a temporary one: %s', (code) => {
    expect([isCode(code), isTemporaryCode(code)]).toEqual([true, false]);
  });

  it.each([
    'temporarily_unavailable',
    'server_error',
    'slow_down',
    'authorization_pending',
    'use_dpop_nonce',
    'rate_limit_exceeded',
    'rate_limited',
    'too_many_requests',
    'request_throttled',
    'over_quota',
    'LimitExceededException',
    'RequestLimitExceeded',
    'com.amazon.coral.service#InternalFailure',
    'fatal_error',
    'Internal Server Error',
    'Bad Gateway',
    'Service Unavailable',
    'Gateway Timeout',
    'gateway time-out',
  ])('should be temporary: %s', (code) => {
    expect([isCode(code), isTemporaryCode(code)]).toEqual([true, true]);
  });

  it.each(['Unauthorized', 'The Bad Gateway', 'Invalid_Client', 'oops', '', '42'])('should be no code: %p', (code) => {
    expect([isCode(code), isTemporaryCode(code)]).toEqual([false, false]);
  });

  it.each([
    'invalid_grant',
    'bad_refresh_token',
    'invalid_code',
    'login_required',
    'consent_required',
    'refresh_token_expired',
    'native_account_unavailable',
    'mfa_required',
  ])('should ask for a new sign-in, and not be temporary: %s', (code) => {
    expect([requiresSignIn(code), isTemporaryCode(code)]).toEqual([true, false]);
  });

  it('should be read in linear time', () => {
    // Quadratic, this takes seconds.
    expect(isCode(`${'internal'.repeat(100_000)}!`)).toBe(false);
  });

  it.each(['invalid_client', 'server_error', 'access_denied', undefined, 7])('should not ask for one: %p', (code) => {
    expect(requiresSignIn(code)).toBe(false);
  });
});
