/** Chooses the status and text that the client gets when the proxy has no response to pass on. */
import { isTokenError } from '../../errors.js';
import { codeOf } from '../../internal/platform/files.js';
import type { ProxyAnswer } from './admission.js';

/** A failure that knows what the client is told. */
export class ProxyFailure extends Error {
  constructor(
    readonly answer: ProxyAnswer,
    message: string,
  ) {
    super(message);
  }
}

/** What the client is told when a request failed. Without a token nothing was sent. */
export function answerToFailure(error: unknown, retryAfter: number): ProxyAnswer {
  if (error instanceof ProxyFailure) return error.answer;
  if (isTokenError(error, 'ERR_TOKEN_UNAVAILABLE') || isTokenError(error, 'ERR_TOKEN_STREAM_CLOSED'))
    return { status: 503, error: 'proxy_configuration_error', text: 'there is no usable token', retryAfter };
  const code = codeOf(error);
  const [, type = 'connection_terminated', text = 'the connection to the upstream server broke'] =
    FAILURES.find(([codes]) => codes.test(code)) ?? [];
  return { status: 502, error: type, text };
}

/** The first entry whose pattern matches the code of the error counts. */
const FAILURES: readonly (readonly [codes: RegExp, error: string, text: string])[] = [
  [/^ECONNREFUSED$/, 'connection_refused', 'the upstream server refuses connections'],
  [/^ENOTFOUND$/, 'dns_error', 'the name of the upstream server is unknown'],
  [/^EAI_AGAIN$/, 'dns_error', 'the name of the upstream server cannot be looked up'],
  [/^ETIMEDOUT$/, 'connection_timeout', 'the upstream server cannot be reached'],
  [/^E(HOST|NET)UNREACH$|^EADDRNOTAVAIL$/, 'destination_ip_unroutable', 'the upstream server cannot be reached'],
  [
    /^(UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/,
    'tls_certificate_error',
    'the certificate of the upstream server is not trusted; to add an authority: NODE_EXTRA_CA_CERTS',
  ],
  [/^(CERT_|ERR_TLS_)/, 'tls_certificate_error', 'the certificate of the upstream server is not valid'],
  [/^(EPROTO$|ERR_SSL_)/, 'tls_protocol_error', 'TLS with the upstream server failed'],
  // The limit is Node's: `--max-http-header-size`.
  [/^HPE_HEADER_OVERFLOW$/, 'http_response_header_section_size', 'the headers of the upstream server are too large'],
  // Of Node's HTTP parser.
  [/^HPE_/, 'http_protocol_error', 'the answer of the upstream server is not valid HTTP'],
];
