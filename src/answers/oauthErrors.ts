/** Which error codes of OAuth are known, temporary, permanent, or ask for a new sign-in. */

/**
 * Codes that ask the client to come back later (RFC 8628 section 3.5), or for another try with a nonce (RFC 9449
 * section 8); Slack's `fatal_error`.
 */
const TEMPORARY = ['fatal_error', 'slow_down', 'authorization_pending', 'use_dpop_nonce'];

/**
 * Codes of servers that limit the rate of requests: `rate_limit_exceeded`, `TooManyRequestsException`,
 * `RESOURCE_EXHAUSTED`.
 */
const RATE = /rate.?limit|too.?many|throttl|quota|exhausted|limit_?exceeded/i;

/**
 * Codes of servers in trouble: `server_error` and `temporarily_unavailable` (RFC 6749 section 4.1.2.1),
 * `internal_failure`; not that a session has timed out. Prose is no code, nor is `ServerError`: clients call any failed
 * answer that.
 */
const TROUBLE =
  /^(?!session|login)[\w.#]*(server_error|internal|unavailable|overload|maintenance|busy|time_?out)[\w.#]*$/i;

const LONGEST_CODE = 80;

/** Reason phrases of RFC 9110 section 15.6, which frameworks put into the member `error`. */
const SERVER_ERROR = /^(internal server error|bad gateway|service unavailable|gateway time-?out)$/i;

/** OAuth and OpenID Connect spell their codes in lower case, with underscores. Prose is no code. */
const CODE = /^[a-z]+(_[a-z0-9]+)+$/;

/** Whether a code limits the rate of requests. */
export const isRateCode = (code: string): boolean => code.length <= LONGEST_CODE && RATE.test(code);

/** An error code after which the same request may succeed later. */
export const isTemporaryCode = (code: string): boolean =>
  code.length <= LONGEST_CODE &&
  !isPermanentCode(code) &&
  (TEMPORARY.includes(code) || isRateCode(code) || TROUBLE.test(code) || SERVER_ERROR.test(code));

/**
 * Whether a text is spelled like an error code. The status decides whether it is permanent, unless `isPermanentCode`.
 */
export const isCode = (text: string): boolean => CODE.test(text) || isTemporaryCode(text);

/**
 * Whether a code may be printed: it cannot hold a secret, since those have digits, or stand in a sentence. Okta's and
 * Entra's codes end with digits.
 */
export const isPrintable = (code: string): boolean => /^[a-z_.#-]{1,80}\d{0,7}$/i.test(code);

/**
 * The user must sign in again: `invalid_grant` and its dialects, the codes of OpenID Connect Core section 3.1.2.6, and
 * what the clients of MSAL, Auth0, Amplify and Firebase say.
 */
const SIGN_IN = [
  'invalid_grant',
  'bad_refresh_token',
  'invalid_refresh_token',
  'invalid_code',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
  'refresh_token_expired',
  'missing_refresh_token',
  'mfa_required',
  'no_account_error',
  'no_tokens_found',
  'native_account_unavailable',
  'ux_not_allowed',
  'bad_token',
  'InteractionRequiredAuthError',
  'NotAuthorizedException',
  'UserUnAuthenticatedException',
];

/** Firebase has dozens of these, such as `auth/user-token-expired` and `auth/wrong-password`. */
const FIREBASE =
  /^auth\/(user|invalid|wrong|missing|no-current|custom|id-token|popup|cancel|requires|operation-not|multi|account)/;

/**
 * What a token endpoint answers by RFC 6749 section 5.2, what servers say in the place of it (GraphQL in capitals), and
 * clients when the user has closed the window of the sign-in, or when a URL cannot be parsed; a variable that does not
 * exist, as `fetch` in jsdom.
 */
const REFUSALS = [
  'invalid_request',
  'invalid_client',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
  'expired_token',
  'incorrect_client_credentials',
  'bad_verification_code',
  'user_cancelled',
  'cancelled',
  'popup_window_error',
  'ERR_INVALID_URL',
  'ReferenceError',
  'UNAUTHENTICATED',
  'FORBIDDEN',
];

/** What a token endpoint may answer besides: of the IANA registry of OAuth errors, and of GitHub and others. */
const OTHERS = [
  'insufficient_scope',
  'insufficient_user_authentication',
  'invalid_authorization_details',
  'invalid_dpop_proof',
  'invalid_token',
  'rate_limit_exceeded',
  'redirect_uri_mismatch',
  'server_error',
  'temporarily_unavailable',
  'too_many_requests',
  'unmet_authentication_requirements',
  'unsupported_token_type',
  'unverified_user_email',
];

/** Whether a code is in one of these lists. `./oauth` prints no other: its server may repeat a secret. */
export const isKnownCode = (code: string): boolean =>
  isPermanentCode(code) || TEMPORARY.includes(code) || OTHERS.includes(code);

/** A code after which no retry helps, whatever the status. */
export const isPermanentCode = (code: unknown): boolean => REFUSALS.includes(code as string) || requiresSignIn(code);

export const requiresSignIn = (code: unknown): code is string =>
  SIGN_IN.includes(code as string) || FIREBASE.test(code as string);
