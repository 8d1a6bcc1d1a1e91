/**
 * Pure rules of header fields that a gateway does not pass on (RFC 9110 section 7.6.1). Fields are flat lists, as in
 * `rawHeaders`.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/**
 * They speak of one connection. `proxy-authorization` is meant for this proxy, `http2-settings` for an upgrade to h2c.
 */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * The proxy sets these itself. `expect` is answered or asked anew. `dpop` proves a token, and a request may have one
 * proof only.
 */
const REPLACED = new Set(['host', 'expect', 'authorization', 'dpop']);

const nameAt = (raw: readonly string[], i: number): string => (raw[i] ?? '').toLowerCase();
const valueAt = (raw: readonly string[], i: number): string => raw[i + 1] ?? '';

/** Node's parser takes off the coding `chunked` only. */
export const hasKnownCoding = (headers: IncomingHttpHeaders): boolean =>
  /^(chunked)?$/i.test(headers['transfer-encoding'] ?? '');

/** Servers also send `identity`, and `chunked` in two fields. What has no body has no coding either. */
export const isReadable = ({ headers, statusCode }: IncomingMessage, method: string): boolean =>
  method === 'HEAD' ||
  statusCode === 304 ||
  /^(identity|chunked(, *chunked)*)?$/i.test(headers['transfer-encoding'] ?? '');

/** The other fields, in their order and spelling, each as often as it came. */
export function fieldsWithout(raw: readonly string[], isDropped: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if (!isDropped(nameAt(raw, i))) kept.push(raw[i] ?? '', valueAt(raw, i));
  }
  return kept;
}

/** The fields that are not for this connection only. */
function endToEnd(raw: readonly string[]): string[] {
  // Those that a `Connection` field names are hop-by-hop too, but for the one that frames the message.
  let options = '';
  for (let i = 0; i < raw.length; i += 2) if (nameAt(raw, i) === 'connection') options += `${valueAt(raw, i)},`;
  const named = options.toLowerCase().split(/[\s,]+/);
  return fieldsWithout(raw, (name) => HOP_BY_HOP.has(name) || (named.includes(name) && name !== 'content-length'));
}

interface SentRequest {
  readonly host: string;
  readonly via: string;
  /** `chunked`, or the number of bytes; undefined: no body. */
  readonly body: 'chunked' | number | undefined;
  readonly method: string;
  readonly expectsContinue: boolean;
  readonly isUpgrade: boolean;
}

/** The fields of the request to the upstream server, but for the token's. */
export function requestHeaders(raw: readonly string[], sent: SentRequest): string[] {
  const { host, via, body, method, expectsContinue, isUpgrade } = sent;
  const passed = fieldsWithout(endToEnd(raw), (name) => REPLACED.has(name));
  const headers = ['Host', host, ...passed, 'Via', via];
  if (body === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  // Node would frame an empty body as chunked, which not every server takes.
  else if (body === undefined && !BODILESS.has(method)) headers.push('Content-Length', '0');
  if (expectsContinue) headers.push('Expect', '100-continue');
  if (isUpgrade) headers.push(...UPGRADE_FIELDS);
  return headers;
}

/** Methods that Node sends without any framing when there is no body. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE']);

export const UPGRADE_FIELDS: readonly string[] = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];

/** The fields of the response to the client. */
export function responseHeaders(
  raw: readonly string[],
  status: number,
  relocate?: (location: string) => string,
): string[] {
  // These have no body, and no length of one (RFC 9110 section 8.6).
  const isBare = status < 200 || status === 204;
  const headers = fieldsWithout(endToEnd(raw), (name) => isBare && name === 'content-length');
  for (let i = 0; i < headers.length; i += 2) {
    if (relocate && nameAt(headers, i) === 'location') headers[i + 1] = relocate(valueAt(headers, i));
  }
  return headers;
}

/** The fields as they are sent, and the empty line after them. */
export function wireOf(fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${String(fields[i])}: ${valueAt(fields, i)}\r\n`;
  return `${text}\r\n`;
}
