import { isOAuthCode, TEMPORARY } from '../internal/oauthErrors.js';

/**
 * What a token endpoint may answer besides the codes of `isOAuthCode`: of the IANA registry of OAuth errors, and of
 * GitHub and others.
 */
const KNOWN = [
  ...TEMPORARY,
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
];

/**
 * Whether an error code is one of a fixed list. Any other text of a server may repeat a secret, and is never printed.
 */
export const isKnownCode = (code: unknown): code is string =>
  typeof code === 'string' && (isOAuthCode(code) || KNOWN.includes(code));
