import { answerToFailure } from '../../src/proxy/rules/failures.js';

const NO_ROUTE = ['destination_ip_unroutable', 'the upstream server cannot be reached'];
const NOT_TRUSTED = [
  'tls_certificate_error',
  'the certificate of the upstream server is not trusted; to add an authority: NODE_EXTRA_CA_CERTS',
];
const NOT_VALID = ['tls_certificate_error', 'the certificate of the upstream server is not valid'];

it.each([
  ['EHOSTUNREACH', NO_ROUTE],
  ['ENETUNREACH', NO_ROUTE],
  ['EADDRNOTAVAIL', NO_ROUTE],
  ['SELF_SIGNED_CERT_IN_CHAIN', NOT_TRUSTED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', NOT_TRUSTED],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', NOT_TRUSTED],
  ['CERT_HAS_EXPIRED', NOT_VALID],
  ['ERR_TLS_CERT_ALTNAME_INVALID', NOT_VALID],
  ['EPIPE', ['connection_terminated', 'the connection to the upstream server broke']],
])('should tell the client what %s means', (code, [error, text]) => {
  expect(answerToFailure(Object.assign(new Error(), { code }), 1)).toEqual({ status: 502, error, text });
});
