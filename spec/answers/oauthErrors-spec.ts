import {
  isCode,
  isKnownCode,
  isPermanentCode,
  isRateCode,
  isTemporaryCode,
  requiresSignIn,
} from '../../src/answers/oauthErrors.js';

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
    'RateLimitExceeded',
    'too_many_requests',
    'request_throttled',
    'over_quota',
    'LimitExceededException',
    'RequestLimitExceeded',
    'com.amazon.coral.service#InternalFailure',
    'fatal_error',
    'server_busy',
    'system_busy',
    'ServerBusy',
    'SERVER_ERROR',
    'TEMPORARILY_UNAVAILABLE',
    'Internal Server Error',
    'Bad Gateway',
    'Service Unavailable',
    'Gateway Timeout',
    'gateway time-out',
  ])('should be temporary: %s', (code) => {
    expect([isCode(code), isTemporaryCode(code)]).toEqual([true, true]);
  });

  it.each([
    'Unauthorized',
    'The Bad Gateway',
    'Bad gateway: nginx',
    'internal_failure of a server',
    'invalid_client: no such client',
    'Invalid_Client',
    'ServerError',
    'oops',
    '',
    '42',
  ])('should be no code: %p', (code) => {
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
    'invalid_refresh_token',
    'interaction_required',
    'account_selection_required',
    'missing_refresh_token',
    'no_account_error',
    'no_tokens_found',
    'ux_not_allowed',
    'bad_token',
    'InteractionRequiredAuthError',
    'NotAuthorizedException',
    'UserUnAuthenticatedException',
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

  it.each([
    'invalid_request',
    'invalid_target',
    'expired_token',
    'incorrect_client_credentials',
    'bad_verification_code',
    'user_cancelled',
    'cancelled',
    'popup_window_error',
    'UNAUTHENTICATED',
    'FORBIDDEN',
    'invalid_grant',
  ])('should be permanent: %s', (code) => {
    expect([isPermanentCode(code), isTemporaryCode(code), isKnownCode(code)]).toEqual([true, false, true]);
  });

  it.each([
    'insufficient_scope',
    'insufficient_user_authentication',
    'invalid_authorization_details',
    'invalid_dpop_proof',
    'invalid_token',
    'rate_limit_exceeded',
    'redirect_uri_mismatch',
    'too_many_requests',
    'unmet_authentication_requirements',
    'unsupported_token_type',
    'unverified_user_email',
    'use_dpop_nonce',
    'slow_down',
  ])('should be known, and so fit to be printed, and not permanent: %s', (code) => {
    expect([isKnownCode(code), isPermanentCode(code)]).toEqual([true, false]);
  });

  it.each(['my_secret_word', 'invalid_client_secret', ''])('should not be known, and not be printed: %p', (code) => {
    expect(isKnownCode(code)).toBe(false);
  });

  it('should not be a whole sentence that speaks of a limit', () => {
    const sentence = `The rate limit of ${'x'.repeat(80)} is used up`;
    expect([isRateCode(sentence), isTemporaryCode(sentence), isRateCode('rate limit')]).toEqual([false, false, true]);
  });
});
