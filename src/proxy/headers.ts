/** Heads of messages, and rules of the header fields that a gateway does not pass on (RFC 9110 section 7.6.1). */
// Fields are flat lists, as in `rawHeaders`.
import type { IncomingHttpHeaders, IncomingMessage, OutgoingMessage } from 'node:http';

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

/** @param visit gets the name in lower case, the name as it is written, and the value */
export function eachField(raw: readonly string[], visit: (key: string, name: string, value: string) => void): void {
  for (let i = 0; i < raw.length; i += 2) visit((raw[i] ?? '').toLowerCase(), raw[i] ?? '', raw[i + 1] ?? '');
}

/** How a request has framed its body: `chunked`, or the number of bytes; undefined: no body. */
export const framingOf = (headers: IncomingHttpHeaders): 'chunked' | number | undefined => {
  const length = headers['content-length'];
  return headers['transfer-encoding'] ? 'chunked' : length === undefined ? undefined : Number(length);
};

/** Node's parser takes off the coding `chunked` only. */
export const hasKnownCoding = (headers: IncomingHttpHeaders): boolean =>
  /^(chunked)?$/i.test(headers['transfer-encoding'] ?? '');

/** Servers also send `identity`, and `chunked` in two fields. What has no body has no coding either. */
export const hasKnownResponseCoding = ({ headers, statusCode }: IncomingMessage, method: string): boolean =>
  method === 'HEAD' ||
  statusCode === 304 ||
  /^(identity|chunked(, *chunked)*)?$/i.test(headers['transfer-encoding'] ?? '');

/** The other fields, in their order and spelling, each as often as it came. */
export function fieldsWithout(raw: readonly string[], isDropped: (key: string) => boolean): string[] {
  const kept: string[] = [];
  eachField(raw, (key, name, value) => {
    if (!isDropped(key)) kept.push(name, value);
  });
  return kept;
}

/** The fields that are not for this connection only. */
function endToEnd(raw: readonly string[]): string[] {
  let options = '';
  eachField(raw, (key, _name, value) => {
    if (key === 'connection') options += `${value},`;
  });
  const named = options.toLowerCase().split(/[\s,]+/);
  // `Connection: content-length` must not remove the framing.
  return fieldsWithout(raw, (key) => HOP_BY_HOP.has(key) || (named.includes(key) && key !== 'content-length'));
}

interface SentRequest {
  readonly host: string;
  readonly via: string;
  readonly body: ReturnType<typeof framingOf>;
  readonly method: string;
  readonly expectsContinue: boolean;
  readonly isUpgrade: boolean;
}

/** The fields of the request to the upstream server, but for the token's. */
export function requestHeaders(raw: readonly string[], sent: SentRequest): string[] {
  const { host, via, body, method, expectsContinue, isUpgrade } = sent;
  const passed = fieldsWithout(endToEnd(raw), (key) => REPLACED.has(key));
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
export function responseHeaders(raw: readonly string[], status: number): string[] {
  // These have no body, and no length of one (RFC 9110 section 8.6).
  const isBare = status < 200 || status === 204;
  return fieldsWithout(endToEnd(raw), (key) => isBare && key === 'content-length');
}

/** The same fields as an object, in which those of one name are together. */
export function fieldsByName(fields: readonly string[]): Record<string, string | string[]> {
  const byKey = new Map<string, [name: string, value: string | string[]]>();
  eachField(fields, (key, name, value) => {
    const [first, earlier = []] = byKey.get(key) ?? [name];
    byKey.set(key, [first, byKey.has(key) ? [earlier, value].flat() : value]);
  });
  return Object.fromEntries(byKey.values());
}

/** The head of a message as it is sent. */
export function headOf(line: string, fields: readonly string[]): Buffer {
  let text = `${line}\r\n`;
  eachField(fields, (_key, name, value) => {
    text += `${name}: ${value}\r\n`;
  });
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** The head leaves at once, even if the body takes its time. */
export function flushHead(message: OutgoingMessage): void {
  setImmediate(() => {
    if (!message.destroyed && !message.writableEnded) message.flushHeaders();
  });
}
