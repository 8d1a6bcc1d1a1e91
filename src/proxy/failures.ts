import { isTokenError } from '../errors.js';
import type { ProxyAnswer } from './admission.js';
import { UpstreamTimeout } from './upstream.js';

/** What the client is told when a request failed. Without a token nothing was sent. */
export function answerToFailure(error: unknown, retryAfter: number): ProxyAnswer {
  if (isTokenError(error, 'ERR_TOKEN_UNAVAILABLE') || isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
    return { status: 503, error: 'proxy_configuration_error', text: 'there is no usable token', retryAfter };
  if (error instanceof UpstreamTimeout)
    return { status: 504, error: 'http_response_timeout', text: 'the upstream server did not answer in time' };
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  const [type, text] = FAILURES[code] ?? (isTlsFailure(code) ? TLS_FAILURE : BROKEN);
  return { status: 502, error: type, text };
}

const BROKEN = ['connection_terminated', 'the connection to the upstream server broke'] as const;
const TLS_FAILURE = ['tls_certificate_error', 'the certificate of the upstream server is not trusted'] as const;
const FAILURES: Readonly<Record<string, readonly [error: string, text: string] | undefined>> = {
  ECONNREFUSED: ['connection_refused', 'the upstream server refuses connections'],
  ENOTFOUND: ['dns_error', 'the name of the upstream server is unknown'],
  EAI_AGAIN: ['dns_error', 'the name of the upstream server cannot be looked up'],
  ETIMEDOUT: ['connection_timeout', 'the upstream server cannot be reached'],
  EHOSTUNREACH: ['destination_ip_unroutable', 'the upstream server cannot be reached'],
};

const isTlsFailure = (code: string): boolean => /^(CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/.test(code);
