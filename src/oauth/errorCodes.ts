import { requiresSignIn } from '../internal/oauthErrors.js';

/** Of the IANA registry of OAuth errors what a token endpoint may answer, and what GitHub and others say instead. */
const KNOWN = [
  'access_denied',
  'authorization_pending',
  'bad_verification_code',
  'expired_token',
  'incorrect_client_credentials',
  'insufficient_scope',
  'insufficient_user_authentication',
  'invalid_authorization_details',
  'invalid_client',
  'invalid_dpop_proof',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'invalid_token',
  'rate_limit_exceeded',
  'redirect_uri_mismatch',
  'server_error',
  'slow_down',
  'temporarily_unavailable',
  'too_many_requests',
  'unauthorized_client',
  'unmet_authentication_requirements',
  'unsupported_grant_type',
  'unsupported_token_type',
  'unverified_user_email',
  'use_dpop_nonce',
];

/** Whether an error code is one of a fixed list. Any other text of a server may repeat a secret, and is never printed. */
export const isKnownCode = (code: unknown): code is string => KNOWN.includes(code as string) || requiresSignIn(code);
